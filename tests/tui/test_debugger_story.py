"""The debugger's guide in a real terminal: held by a condition, looked at, repaired, stepped alone, kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest
from fixtures_program import ROOT, Place, wait_for
from terminal_screen import Terminal

pytestmark = pytest.mark.terminal

SIZE = (120, 40)
SAMPLE = (ROOT / "sample_scenarios/debugger.yml").read_text().replace("n_{1..40}", "n_{1..6}").replace("_40", "_6")


def events(place: Place) -> list[dict[str, Any]]:
    [journal] = place.runs_dir.glob("*/journal.jsonl")  # elsewhere in a home directories come and go meanwhile
    return [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}")]


def measured(place: Place) -> list[tuple[str, int]]:
    """The attempts of the second stage, in order."""
    return [(e["key"], e["attempt"]) for e in events(place) if e["type"] == "job_started" and e["stage"] == "measure"]


@pytest.fixture
def console(place: Place) -> Iterator[pexpect.spawn]:
    path = place.write("shop.yml", SAMPLE)
    child = place.open("--break", "measure/probe@n_1", "--break-if", "vars.level > 2", str(path), size=SIZE)
    yield child
    child.close(force=True)
    place.kill_everything()


def test_one_agent_of_several_is_held_repaired_stepped_and_carried_on_and_the_file_has_it(
    place: Place, console: pexpect.spawn
) -> None:
    path, screen = place.home / "shop.yml", Terminal.on(console, SIZE)
    screen.until("Breakpoint 2: before, vars.level > 2 (vars.level = 3)")
    screen.press("A", "for n_1")

    # Looked at: the variables stand on the screen, and what is held is explained.
    screen.until("level  3")
    screen.press("X", "env.LEVEL  ← {{ vars.level }}")
    screen.press("\x1b", "for n_1", gone="env.LEVEL  ←")
    screen.press("n", "seat.text: No such file")
    screen.press("n", "probe @ n_1 failed, and steps do not pass it: r")

    # An argument for the next attempt: every place says so, and afterwards the file can have it.
    screen.press("e", "ctrl+t: arguments")
    screen.press("\x14", "Arguments of probe @ n_1")
    screen.press("\x1b[B\x1b[B", "now seat.text")
    screen.press("\x15seat.txt\r", "next with your env.FILE", gone="Arguments of")
    screen.until("The next attempt has your env.FILE")
    screen.press("r", "V keep arguments")
    screen.press("n", "30 is over the limit of 20")
    assert measured(place) == [
        ("measure/probe@n_1", 1),
        ("measure/probe@n_1", 2),
        ("measure/judge@n_1", 1),
    ], "two jobs of one agent, while the others stay held"
    assert path.read_text() == SAMPLE
    screen.press("V", "env.FILE is written to")
    repaired = SAMPLE.replace("FILE: seat.text #", "FILE: seat.txt #")
    assert path.read_text() == repaired
    wait_for(lambda: any(each["type"] == "scenario_reloaded" for each in events(place)))
    screen.until("nothing stale by it", gone="keep arguments")

    # A variable: foreseen, set, and exactly what read it runs again.
    screen.press("4", "─ Variables")
    screen.press("e", "Set a variable")
    screen.press("\x152\r", "level becomes 2?")
    screen.until("stale: measure/probe @ n_1")
    screen.press("r", "V keep level", gone="level becomes")
    wait_for(lambda: measured(place)[-1] == ("measure/probe@n_1", 3))
    screen.press("V", "level is written to")
    assert path.read_text() == repaired.replace("level: 3 #", "level: 2 #")
    screen.until("level  2", gone="V keep")

    # On: what failed again, and all the others.
    assert {key for key, _ in measured(place)} == {"measure/probe@n_1", "measure/judge@n_1"}
    screen.press("R", "DONE")
    ended = [event for event in events(place) if event["type"] == "job_finished" and event["stage"] == "measure"]
    assert sum(event["state"] == "ok" for event in ended) == 13, "six each, and one of them twice"
    assert '"request_refused"' not in json.dumps(events(place))
    screen.press("q", "Leave")
    console.send("s")
    console.expect(pexpect.EOF)
    console.close()
    assert console.exitstatus == 0
    place.wait_clean()
