"""The log as it was: cut at a moment, and gone about in by what lies between two of them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.log_view import EVERYTHING, LogView, Scope
from octogram_tui.projection.logbook import Logbook, lines_of

ROWS = [InstanceId(stage, "j", agent) for stage in "st" for agent in "abc"]


def told(picks: list[tuple[int, int]]) -> list[ev.Event]:
    """Output of rows, and beginnings of further attempts, by what Hypothesis picked."""
    events: list[ev.Event] = []
    attempts = dict.fromkeys(ROWS, 1)
    for row, count in picks:
        about = ROWS[row]
        if count == 0:
            attempts[about] += 1
            events.append(ev.JobStarted(instance=about, attempt=attempts[about], why="rerun"))
        else:
            more: dict[str, Any] = {"instance": about, "attempt": attempts[about], "agent": about.agent}
            lines = [f"{about} {len(events)} {n}" for n in range(count)]
            events.append(ev.JobOutput(**more, lines=lines, dropped=count % 3))
    return events


def written(events: list[ev.Event]) -> Logbook:
    log = Logbook(marks_attempts=True)
    for event in events:
        log.apply(event)
    return log


def seen(log: Logbook, view: LogView) -> object:
    origins = {row: [(o.attempt, o.total, o.dropped, len(o.lines)) for o in log.attempts.get(row, ())] for row in ROWS}
    return [line.text for line in view.lines], {(o.instance, o.attempt) for o in view.origins}, origins


@settings(max_examples=60, deadline=None)
@given(
    picks=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=40),
    scope=st.sampled_from([EVERYTHING, Scope(agent="a"), Scope(stage="s"), Scope(instance=ROWS[0])]),
    data=st.data(),
)
def test_a_view_that_goes_about_shows_what_was_written_by_then(
    picks: list[tuple[int, int]], scope: Scope, data: st.DataObject
) -> None:
    events = told(picks)
    whole = written(events)
    view = LogView(whole, scope)
    for moment in data.draw(st.lists(st.integers(0, len(events)), max_size=6)):
        past = whole.until(sum(map(lines_of, events[:moment])))
        if not view.go_to(past):
            view = LogView(past, scope)
        then = written(events[:moment])
        assert seen(past, view) == seen(then, LogView(then, scope))


def test_a_log_of_a_moment_keeps_its_lines_when_the_whole_lets_them_go() -> None:
    log = Logbook(bytes_in_all=200_000)
    about = {"instance": ROWS[0], "agent": "a"}
    for number in range(600):
        log.apply(ev.JobOutput(**about, lines=[f"early {number}"]))  # type: ignore[arg-type]
    past = log.until(log.end)
    for number in range(2_000):
        log.apply(ev.JobOutput(**about, lines=[f"late {number}"]))  # type: ignore[arg-type]
    assert log.first > 600
    assert [line.text for line in LogView(past, Scope(stage="s")).lines] == [f"early {n}" for n in range(600)]
