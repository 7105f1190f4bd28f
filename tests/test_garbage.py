"""What is looked through for garbage while a run grows, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import gc, json
from octogram_tui import garbage

looked_at = 0

def look(phase, info):
    global looked_at
    if phase == "start":
        looked_at += sum(len(gc.get_objects(generation=older)) for older in range(info["generation"] + 1))

class Node:
    pass

def knot():
    node = Node()
    node.itself = node
    return node

garbage.put_off()
garbage.settle_to_grow()
gc.callbacks.append(look)
kept, lost = [], [knot() for _ in range(10_000)]
while len(kept) < 150_000:
    kept.append([])
grown, looked_at = looked_at, 0
del lost[:]
while len(kept) < 750_000:
    kept.append([])
print(json.dumps([grown, sum(isinstance(one, Node) for one in gc.get_objects()), gc.get_freeze_count()]))
gc.unfreeze()
print(json.dumps(sum(isinstance(one, Node) for one in gc.get_objects())))
"""


def test_what_stays_is_not_looked_through_again_and_again_and_garbage_is_found() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    (grown, _, set_aside), left = map(json.loads, said.splitlines())
    assert grown < 3 * 170_000
    assert set_aside > 500_000
    assert left == 0
