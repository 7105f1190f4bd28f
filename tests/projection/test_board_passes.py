"""What passes through a stage leave behind: how long they took, and what was run again or gone on without."""

from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State

PLAN: list[StageEntry] = [{"stage": "s", "jobs": [{"job": "j", "procedure": "x", "items": False}]}]
FAILURE = Failure("exit", "sh ended with exit status 3", detail={"exit_code": 3, "last_lines": ["no stock"]})


def of(agent: str) -> dict[str, Any]:
    return {"instance": InstanceId("s", "j", agent)}


def board_of(*events: tuple[float, ev.Event]) -> Board:
    board = Board()
    for seq, (at_s, event) in enumerate(((0.0, ev.RunStarted(run="r", scenario="s", plan=PLAN)), *events), 1):
        event.seq, event.at_s = seq, at_s
        board.apply(event)
    return board


def one_failed() -> list[tuple[float, ev.Event]]:
    return [
        (1.0, ev.StageStarted(stage="s", agents=["a", "b"])),
        (1.0, ev.JobStarted(**of("a"))),
        (1.0, ev.JobStarted(**of("b"))),
        (5.0, ev.JobFinished(**of("a"), state="ok", duration_s=4.0)),
        (5.0, ev.JobFinished(**of("b"), state="failed", failure=FAILURE, duration_s=4.0)),
    ]


def again(at_s: float) -> list[tuple[float, ev.Event]]:
    return [
        (at_s, ev.JobStarted(**of("b"), attempt=2, why="rerun")),
        (at_s + 1.0, ev.JobFinished(**of("b"), attempt=2, state="ok", duration_s=1.0)),
    ]


def test_what_failed_and_ran_again_is_part_of_the_time_that_its_job_took() -> None:
    board = board_of(*one_failed(), *again(5.0))
    assert board.jobs["s", "j"].duration_s(9.0) == 5.0, "not the last attempt alone"


def test_a_later_pass_through_the_stage_is_a_time_of_its_own() -> None:
    board = board_of(
        *one_failed(),
        *again(5.0),
        (6.0, ev.StageFinished(stage="s", state="ok")),
        (50.0, ev.StageStarted(stage="s", agents=["b"], rerun=True)),
        (50.0, ev.JobStarted(**of("b"), attempt=3, why="rerun")),
        (52.0, ev.JobFinished(**of("b"), attempt=3, state="ok", duration_s=2.0)),
        (52.0, ev.StageFinished(stage="s", state="ok", rerun=True)),
    )
    assert (board.jobs["s", "j"].duration_s(60.0), board.stages[0].duration_s(60.0)) == (2.0, 2.0)


def test_a_stage_that_an_edit_puts_before_where_the_run_is_says_that_it_does_not_run() -> None:
    def plan(*names: str) -> ev.ScenarioReloaded:
        return ev.ScenarioReloaded(changes=["edited"], plan=[{"stage": name, "jobs": []} for name in names])

    board = board_of(*one_failed(), *again(5.0), (7.0, plan("early", "s", "late")))
    early, _, late = board.stages
    assert (early.state, early.message) == (State.SKIPPED, "the run was past it when it came in")
    assert (late.state, late.message) == (State.PENDING, "")
    board.apply(plan("s", "early", "late"))
    assert (board.stages[1].state, board.stages[1].message) == (State.PENDING, "")


def test_what_the_operator_went_on_without_keeps_what_it_did() -> None:
    board = board_of(*one_failed(), (7.0, ev.JobFinished(**of("b"), attempt=1, state="skipped", reason="operator")))
    row = board.instances[InstanceId("s", "j", "b")]
    assert (row.state, row.message, row.duration_s(9.0)) == (State.SKIPPED, "skipped by the operator", 4.0)
    assert row.last is not None
    assert row.last.failure == FAILURE
    assert not board.failures
