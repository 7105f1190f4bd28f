"""A run is looked at again in a real terminal: from a moment on, event by event, and while it still goes on."""

from __future__ import annotations

import pexpect
import pytest
from fixtures_program import Place

pytestmark = pytest.mark.terminal

SHORT = """
agents: [{name: a, transport: local}]
stages:
  - name: first
    jobs: [{name: greet, builtins.command: echo hello}]
  - name: second
    jobs: [{name: part, builtins.command: echo bye}]
"""


def test_a_replay_begins_at_a_stage_goes_back_and_on_and_to_the_end(place: Place) -> None:
    place.run(str(place.write("short.yml", SHORT)), "--headless")
    child = place.open("replay", "last", "--at", "second")
    child.expect(r"stage second began")
    child.send("0")
    child.expect(r"event 1 of \d+")
    child.send(".")
    child.expect(r"event 2 of \d+")
    child.send(",")
    child.expect(r"event 1 of \d+")
    child.send("Tfirst\r")
    child.expect("stage first began")
    child.send(";")
    child.expect("FINISHED")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_run_that_goes_on_is_looked_back_at_and_comes_back_to_now(place: Place) -> None:
    child = place.open(str(place.write("short.yml", SHORT)), "--paused")
    try:
        child.expect("PAUSED")
        child.send(",,")
        child.expect("behind now")
        child.send("n")
        child.expect("comes back, then ask again")
        child.send(";")
        child.send("c")
        while child.expect(["DONE|FINISHED", pexpect.TIMEOUT], timeout=5):
            child.send("c")  # it was refused, as long as the console had not come back
    finally:
        child.close(force=True)
        place.kill_everything()
