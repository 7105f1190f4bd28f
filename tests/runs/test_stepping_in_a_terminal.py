"""Stepping through a sample in a real terminal: what each key lets through is what the run did."""

from __future__ import annotations

from collections.abc import Iterator

import pexpect
import pytest
from fixtures_program import ROOT, Place, Terminal, events_so_far

pytestmark = pytest.mark.terminal


@pytest.fixture
def console(place: Place) -> Iterator[Terminal]:
    path = place.write("quickstart.yml", (ROOT / "sample_scenarios/quickstart.yml").read_text())
    child = place.open(str(path), "--paused")
    yield child
    child.close(force=True)
    place.kill_everything()


def told(place: Place, kind: str) -> list[str]:
    """The rows that events of a kind were about, in order."""
    [journal] = place.runs_dir.glob("*/journal.jsonl")
    events = events_so_far(journal)[1:]
    return [str(event.get("key", event.get("pattern", ""))) for event in events if event["type"] == kind]


def test_keys_step_set_a_breakpoint_and_go_on_to_it(place: Place, console: Terminal) -> None:
    console.until("Held before the first stage")
    chapter = "publish/write a chapter@library"
    console.press("s", "Stepped. Next: write a chapter @ library [2].")
    assert told(place, "job_held")[-1:] == [f"{chapter}[2]"]
    assert told(place, "job_started") == [f"{chapter}[1]"]
    console.until("∎ 2  next in line, held")
    console.press("hh", "› ∎ library")  # from the item to its job on the agent, which is shut
    console.press("n", "Stepped. Next: bind the book @ library.")
    assert told(place, "job_held")[-1:] == ["publish/bind the book@library"]
    assert told(place, "job_started") == [f"{chapter}[{number}]" for number in (1, 2, 3)]
    console.press("/look at", "\n look at")
    console.press("\r", "n lets the row run", gone="\n look at")
    console.press("b", "◉    ◦ look at the clock")
    assert "read/look at the clock" in told(place, "breakpoint_set")
    console.press("c", "Breakpoint 2: before look at the clock")
    assert told(place, "breakpoint_met")
    assert not [row for row in told(place, "job_started") if row.startswith("read/look")]
    console.press("q", "Leave the run")
    console.send("s")
    console.expect(pexpect.EOF)
    place.wait_clean()
