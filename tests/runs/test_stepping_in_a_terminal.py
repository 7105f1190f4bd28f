"""Stepping through a sample in a real terminal: what each key lets through is what the run did."""

from __future__ import annotations

from collections.abc import Iterator

import pexpect
import pytest
from fixtures_program import ROOT, Place, events_so_far, wait_for

pytestmark = pytest.mark.terminal


@pytest.fixture
def console(place: Place) -> Iterator[pexpect.spawn]:
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


def test_keys_step_set_a_breakpoint_and_go_on_to_it(place: Place, console: pexpect.spawn) -> None:
    console.expect("Held before the first stage")
    chapter = "publish/write a chapter@library"
    console.send("s")
    wait_for(lambda: told(place, "job_held")[-1:] == [f"{chapter}[2]"])
    assert told(place, "job_started") == [f"{chapter}[1]"]
    console.expect("library .2.")
    console.send("hh")  # from the item to its job on the agent, and to the job
    console.send("n")
    wait_for(lambda: told(place, "job_held")[-1:] == ["publish/bind the book@library"])
    assert told(place, "job_started") == [f"{chapter}[{number}]" for number in (1, 2, 3)]
    console.send("/look at")
    console.expect("look at")
    console.send("\r")
    console.send("b")
    wait_for(lambda: "read/look at the clock" in told(place, "breakpoint_set"))
    console.send("c")
    wait_for(lambda: told(place, "breakpoint_met"))
    console.expect("PAUS")
    assert not [row for row in told(place, "job_started") if row.startswith("read/look")]
    console.send("q")
    console.expect("Leave the run")
    console.send("s")
    console.expect(pexpect.EOF)
    place.wait_clean()
