"""The collector is put off while a process loads, looks as usual from then on, and not at the end."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from octogram_tui import garbage
usual = gc.get_threshold()
garbage.settle()
assert gc.get_freeze_count() == 0, "who never put it off is not touched"
garbage.put_off()
assert gc.get_threshold()[0] > usual[0]
garbage.settle()
assert gc.get_freeze_count() and gc.get_threshold() == usual and gc.isenabled()
new = [[] for _ in range(1000)]
garbage.settle()
assert len(gc.get_objects()) > 1000, "once only: what comes later is looked at"
garbage.leave()
assert not gc.isenabled() and len(gc.get_objects()) < 100
"""


def test_the_collector_is_put_off_and_looks_again() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
