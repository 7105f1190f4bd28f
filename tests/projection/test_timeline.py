"""When what ran: spans, counts in bins, pauses, and what the end waited for."""

import random
from itertools import pairwise
from typing import Any

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.timeline import (
    BINS,
    MOST_LINKS,
    MOST_MARKS,
    MOST_SPANS,
    Bins,
    Span,
    Spans,
    Timeline,
    melted,
)
from tools.pretended_run import PretendedRun


def job(kind: type, at_s: float, agent: str, name: str = "a", stage: str = "one", **fields: Any) -> Any:
    return kind(instance=InstanceId(stage, name, agent, fields.pop("item", None)), at_s=at_s, **fields)


def timeline_of(*events: ev.Event) -> Timeline:
    timeline = Timeline()
    for event in events:
        timeline.apply(event)
    return timeline


def test_a_bar_covers_what_ran_and_grows_while_something_does() -> None:
    timeline = timeline_of(
        ev.StageStarted(stage="one", agents=["n0", "n1"]),
        job(ev.JobStarted, 1.0, "n0"),
        job(ev.JobStarted, 2.0, "n1"),
        job(ev.JobFinished, 3.0, "n0", duration_s=2.0),
        job(ev.JobFinished, 4.0, "n1", state="failed", duration_s=2.0, will_retry=True),
        job(ev.JobStarted, 6.0, "n1", attempt=2, why="retry"),
    )
    bar = timeline.bars["one", "a"]
    assert bar.spans.all() == [Span(1.0, 4.0), Span(6.0, None)]
    assert [(mark.at_s, mark.kind) for mark in bar.marks] == [(4.0, "failed"), (6.0, "retry")]
    assert (timeline.bins.now, max(timeline.bins.most)) == (1, 2)


def test_what_failed_before_it_was_sent_is_marked_and_a_failure_that_is_told_twice_once() -> None:
    timeline = timeline_of(
        job(ev.JobFinished, 1.0, "n0", state="failed"),
        job(ev.JobStarted, 2.0, "n1"),
        job(ev.JobFinished, 3.0, "n1", state="failed", duration_s=1.0, will_retry=True),
        job(ev.JobFinished, 4.0, "n1", state="failed", duration_s=1.0),
    )
    assert [mark.at_s for mark in timeline.bars["one", "a"].marks] == [1.0, 3.0]
    assert timeline.bins.now == 0


def test_pauses_last_over_steps_and_end_with_the_run() -> None:
    timeline = timeline_of(
        ev.RunPaused(at_s=1.0),
        ev.RunResumed(at_s=2.0, mode="step"),
        ev.RunPaused(at_s=2.5, reason="step"),
        ev.RunResumed(at_s=4.0),
        ev.RunPaused(at_s=6.0, reason="failure"),
    )
    assert timeline.pauses.all() == [Span(1.0, 4.0), Span(6.0, None)]
    timeline.apply(ev.RunFinished(at_s=9.0, exit_code=0))
    assert timeline.pauses.all() == [Span(1.0, 4.0), Span(6.0, 9.0)]


def test_the_end_waits_for_a_chain_of_jobs() -> None:
    events = [
        ev.StageStarted(stage="one"),
        job(ev.JobStarted, 0.0, "n0"),
        job(ev.JobStarted, 0.0, "n1"),
        job(ev.JobFinished, 1.0, "n1", duration_s=1.0),
        job(ev.JobStarted, 1.0, "n1", "quick"),
        job(ev.JobFinished, 2.0, "n1", "quick", duration_s=1.0),
        job(ev.JobFinished, 9.0, "n0", duration_s=9.0),
        ev.StageStarted(stage="two"),
        job(ev.JobStarted, 9.0, "n1", "last", "two"),
        job(ev.JobFinished, 10.0, "n1", "last", "two", duration_s=1.0),
    ]
    timeline = timeline_of(*events)
    assert timeline.critical() == {("one", "a"): "n0", ("two", "last"): "n1"}
    assert ("one", "quick") not in timeline.critical(), "nobody waited for it"


@pytest.mark.parametrize("seed", range(4))
def test_bins_hold_the_most_of_their_time_however_often_they_grew(seed: int) -> None:
    chance = random.Random(seed)
    bins, at_s, changes = Bins(), 0.0, [(0.0, 0)]
    for _ in range(3_000):
        at_s += chance.choice((0.0, 0.01, 0.3, 2.0))
        by = chance.choice((1, 1, -1)) if bins.now else 1
        bins.count(at_s, by)
        changes.append((at_s, bins.now))
    assert len(bins.most) <= BINS
    assert bins.width_s > 1.0, "it grew"
    expected = [0] * len(bins.most)
    for number in range(len(expected)):
        start, end = number * bins.width_s, (number + 1) * bins.width_s
        before = [count for at, count in changes if at < start]
        inside = [count for at, count in changes if start <= at < end]
        expected[number] = max([*before[-1:], *inside])
    assert bins.most == expected


def test_folding_in_pieces_is_folding_at_once() -> None:
    run = PretendedRun(8, seed=5)
    run.begin()
    pieces, whole = Timeline(), Timeline()
    events: list[ev.Event] = []
    for at_s in range(1, 15):
        for event in (new := run.advance(float(at_s))):
            pieces.apply(event)
        pieces.critical(), pieces.span_of([*pieces.bars])  # looking changes nothing
        events += new
    for event in events:
        whole.apply(event)
    assert pieces.critical() == whole.critical()
    assert {key: (bar.spans.all(), bar.marks) for key, bar in pieces.bars.items()} == {
        key: (bar.spans.all(), bar.marks) for key, bar in whole.bars.items()
    }
    assert pieces.bins.most == whole.bins.most


def test_memory_does_not_grow_with_the_run() -> None:
    timeline = Timeline()
    timeline.apply(ev.StageStarted(stage="one"))
    for number in range(20_000):
        at_s = number * 3.0
        name = "ab"[number % 2]  # they take turns without end
        timeline.apply(job(ev.JobStarted, at_s, "n0", name, item=str(number)))
        timeline.apply(job(ev.JobFinished, at_s + 1, "n0", name, item=str(number), state="failed", duration_s=1.0))
    bar = timeline.bars["one", "a"]
    assert len(bar.spans.closed) <= MOST_SPANS
    assert len(bar.marks) <= MOST_MARKS
    assert (bar.marks[0].at_s, bar.marks[-1].at_s) == (1.0, 59_995.0)
    assert len(timeline.bins.most) <= BINS
    assert timeline._last is not None
    assert timeline._last.length <= MOST_LINKS
    assert not timeline._running


def test_the_widest_gaps_stay_when_spans_are_many() -> None:
    spans = Spans()
    for number in range(5 * MOST_SPANS):
        start_s = number + 100.0 * (number // MOST_SPANS)  # now and then nothing runs for long
        spans.begin(start_s)
        spans.end(start_s + 0.9)
    assert len(spans.closed) <= MOST_SPANS
    ends = [later[0] - sooner[1] for sooner, later in pairwise(spans.closed)]
    assert sum(gap > 90.0 for gap in ends) == 4
    assert (spans.closed[0][0], spans.closed[-1][1]) == (0.0, 400.0 + 5 * MOST_SPANS - 0.1)


def test_spans_of_several_jobs_melt_for_their_stage() -> None:
    spans = [Span(5.0, 6.0), Span(0.0, 2.0), Span(1.0, 3.0), Span(6.0, None), Span(7.0, 8.0)]
    assert melted(spans) == [Span(0.0, 3.0), Span(5.0, None)]
