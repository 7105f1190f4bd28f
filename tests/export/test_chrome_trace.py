"""The trace of a run, held to what the Trace Event Format asks for."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from exported import account_of, evil_run, many, numbered, run_of

from octogram_tui.engine import events as ev
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.trace import By, trace

RUN = Recorded(Path("/nowhere"), None, None)
REQUIRED = {
    "X": {"ts", "dur"},
    "M": {"args"},
    "i": {"ts", "s"},
    "C": {"ts", "args"},
    "s": {"ts", "id"},
    "f": {"ts", "id"},
}


def made(events: list[ev.Event], by: By = "agent") -> list[dict[str, Any]]:
    """Make one, and refuse what a viewer would not take, or would draw wrongly."""
    text = "".join(trace(account_of(events), RUN, by))
    text.encode()
    found: list[dict[str, Any]] = json.loads(text, parse_constant=pytest.fail)["traceEvents"]
    slices: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    flows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    named = {(each["pid"], each["tid"]) for each in found if each["name"] == "thread_name"}
    for each in found:
        assert {"name", "ph", "pid", "tid"} | REQUIRED[each["ph"]] <= set(each)
        assert all(type(each[name]) is int for name in ("pid", "tid"))
        assert all(type(each[name]) is int and each[name] >= 0 for name in ("ts", "dur") if name in each)
        if each["ph"] == "X":
            assert (each["pid"], each["tid"]) in named
            slices[each["pid"], each["tid"]].append((each["ts"], each["ts"] + each["dur"]))
        elif each["ph"] == "C":
            assert all(isinstance(value, int | float) for value in each["args"].values())
        elif each["ph"] in "sf":
            flows[each["id"]].append(each)
        elif each["ph"] == "M":
            assert set(each["args"]) <= {"name", "sort_index"}
    for spans in slices.values():
        spans.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    for begin, end in flows.values():
        assert (begin["ph"], end["ph"], end["bp"]) == ("s", "f", "e")
        assert begin["ts"] <= end["ts"]
        for each in (begin, end):  # viewers bind them to the slice around them
            assert any(start <= each["ts"] <= stop for start, stop in slices[each["pid"], each["tid"]])
    return found


@pytest.mark.parametrize("by", ["agent", "stage"])
@pytest.mark.parametrize("events", [run_of(), run_of(is_over=False), evil_run(), numbered(many(7, 5, 1))])
def test_it_is_a_trace(events: list[ev.Event], by: By) -> None:
    found = made(events, by)
    attempts = [each for each in found if each["ph"] == "X" and each["cat"].startswith("attempt")]
    assert len(attempts) == sum(isinstance(event, ev.JobStarted) for event in events)


def test_a_retry_follows_from_what_failed() -> None:
    found = made(run_of())
    (begin,) = (each for each in found if each["ph"] == "s")
    (end,) = (each for each in found if each["ph"] == "f")
    named = {(each["pid"], each["ts"]): each for each in found if each["ph"] == "X"}
    assert named[begin["pid"], begin["ts"]]["args"]["attempt"] == 1
    assert named[end["pid"], end["ts"]]["args"]["attempt"] == 2
    assert named[end["pid"], end["ts"]]["args"]["error"] == "no route to host"


def test_items_at_the_same_time_have_lanes_of_their_own() -> None:
    events = run_of(agents=["a"])
    first = next(event for event in events if isinstance(event, ev.JobStarted))
    second = ev.JobStarted(instance=first.instance._replace(item="other"), at_s=first.at_s)
    found = made(numbered([*events[: first.seq], second, *events[first.seq :]]))
    lanes = {each["tid"] for each in found if each["ph"] == "X" and each["cat"].startswith("attempt")}
    assert lanes == {1, 2}


def test_what_has_not_ended_says_so() -> None:
    found = made(run_of(is_over=False))
    assert [
        each["args"].get("unfinished") for each in found if each["ph"] == "X" and each["cat"] == "attempt,running"
    ] == [True]
