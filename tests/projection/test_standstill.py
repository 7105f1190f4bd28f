"""Time in which a run is held is no work time: what worked for nothing does not grow while somebody thinks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.standstill import Standstill
from octogram_tui.projection.summary import Summary
from octogram_tui.report import phrases

JOB = InstanceId("s", "j", "a")
NEXT = InstanceId("s", "k", "a")


@given(
    some.lists(some.tuples(some.floats(0, 9), some.floats(0, 9)), max_size=8), some.floats(0, 99), some.floats(0, 99)
)
def test_what_is_covered_is_what_adding_up_gives(spans: list[tuple[float, float]], one: float, two: float) -> None:
    found, at_s, closed = Standstill(), 0.0, []
    for gap, length in spans:
        found.set(True, at_s + gap)
        found.set(True, at_s + gap)  # said again
        closed.append((at_s + gap, at_s + gap + length))
        at_s += gap + length
        found.set(False, at_s)
    start_s, end_s = min(one, two), max(one, two)
    covered = sum(max(0.0, min(end, end_s) - max(start, start_s)) for start, end in closed)
    assert abs(found.worked(start_s, end_s) - (end_s - start_s - covered)) < 1e-6


def told(*events: tuple[float, ev.Event]) -> Board:
    """A board that has folded events, each at its time."""
    board = Board()
    plan = [{"stage": "s", "jobs": [{"job": "j"}, {"job": "k"}]}]
    for at_s, event in [(0.0, ev.RunStarted(run="r", scenario="s.yml", plan=plan)), *events]:  # type: ignore[arg-type]
        event.at_s = at_s
        board.apply(event)
    return board


def failed_and_waiting() -> Board:
    """A stage whose only job took 0.1 s, failed, and has waited for the operator since."""
    return told(
        (1.0, ev.StageStarted(stage="s", agents=["a"])),
        (1.0, ev.JobStarted(instance=JOB)),
        (1.1, ev.JobFinished(instance=JOB, state="failed", duration_s=0.1)),
        (1.1, ev.RunPaused(reason="failure")),
    )


def apply(board: Board, at_s: float, event: ev.Event) -> None:
    event.at_s = at_s
    board.apply(event)


def test_a_stage_that_waits_for_the_operator_does_not_grow_older() -> None:
    board = failed_and_waiting()
    stage = board.stages[0]
    assert round(stage.duration_s(31.1) or 0, 6) == 0.1
    apply(board, 31.1, ev.JobStarted(instance=JOB, attempt=2, why="rerun"))
    assert round(stage.duration_s(33.1) or 0, 6) == 2.1  # what runs while the gate is shut is work
    apply(board, 33.1, ev.JobFinished(instance=JOB, attempt=2, duration_s=2.0))
    assert round(stage.duration_s(60.0) or 0, 6) == 2.1
    apply(board, 60.0, ev.RunResumed(mode="go"))
    apply(board, 60.0, ev.JobStarted(instance=NEXT))
    apply(board, 61.0, ev.JobFinished(instance=NEXT, duration_s=1.0))
    apply(board, 61.0, ev.StageFinished(stage="s", state="ok", duration_s=60.0, paused_s=56.9))
    assert round(stage.duration_s(99.0) or 0, 6) == 3.1
    assert round(board.worked_s, 6) == 4.1


def test_a_retry_that_is_due_is_work_and_a_question_is_none() -> None:
    board = told(
        (1.0, ev.StageStarted(stage="s", agents=["a"])),
        (1.0, ev.RunPaused()),
        (1.0, ev.JobStarted(instance=JOB)),
        (2.0, ev.JobFinished(instance=JOB, state="failed", will_retry=True)),
    )
    assert board.standstill.before(10.0) == 0.0
    asked = told((1.0, ev.ConfirmationAsked(stage="s")))
    assert asked.standstill.before(11.0) == 10.0
    apply(asked, 11.0, ev.ConfirmationGiven(stage="s"))
    assert asked.standstill.before(20.0) == 10.0


def test_all_stages_done_is_the_end_of_work() -> None:
    board = told((2.0, ev.StagesDone()))
    apply(board, 9.0, ev.StopRequested(by="operator"))
    apply(board, 10.0, ev.RunFinished(exit_code=0, duration_s=10.0, paused_s=7.0))
    assert board.worked_s == 3.0


def test_the_summary_tells_work_and_pauses_apart() -> None:
    summary = Summary()
    summary.apply(ev.StageFinished(stage="s", state="ok", duration_s=60.0, paused_s=57.0))
    summary.apply(ev.RunFinished(exit_code=0, duration_s=62.0, paused_s=57.0))
    assert summary.stages == [("s", "ok", 3.0)]
    assert phrases.lasted(summary.duration_s, summary.paused_s) == "5.00s, and 57.0s held"
    assert phrases.lasted(5.0, 0.01) == "5.00s"
