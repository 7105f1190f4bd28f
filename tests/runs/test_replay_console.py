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
    child.until("stage second began")
    child.press("0", "event 1 of ", gone="stage second began")
    child.press(".", "event 2 of ", gone="event 1 of ")
    child.press(",", "event 1 of ", gone="event 2 of ")
    child.press("Tfirst\r", "stage first began", gone="event 1 of ")
    child.press(";", "FINISHED", gone="stage first began")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_run_that_goes_on_is_looked_back_at_and_comes_back_to_now(place: Place) -> None:
    child = place.open(str(place.write("short.yml", SHORT)), "--paused")
    try:
        child.until("PAUSED")
        child.press(",,", "behind now")
        child.press("n", "comes back, then ask again")
        child.press(";", "PAUSED", gone="behind now")
        child.press("c", "DONE")
    finally:
        child.close(force=True)
        place.kill_everything()
