"""What ends a run, or an edit, amid what was asked for: nothing begins any more, and nothing is left as it was."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.events import JobFinished, JobReleased, RunFinished
from octogram_tui.engine.stimuli import (
    BackRequest,
    BreakRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    RemoveBreakRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
    Stimulus,
    StopRequest,
)
from octogram_tui.engine.timers import RetryDue
from octogram_tui.errors import ExitCode
from octogram_tui.journal import codec
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec, Scenario
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase, State

TWO = ItemsSpec((("1..2",),))


class Watched(Simulation):
    """A run whose agents answer when they are told to, and its board."""

    def __init__(self, given: Scenario, **options: Any) -> None:
        self.board = Board()
        super().__init__(given, lambda sent: None, **options)

    def feed(self, stimulus: Stimulus) -> Any:
        """Fold what happens, as it is read from a journal."""
        events = super().feed(stimulus)
        for event in events:
            line = codec.encode(event)
            assert codec.encode(codec.decode(line)) == line
            self.board.apply(codec.decode(line))
        return events

    def ok(self, *attempts: str) -> None:
        """Let attempts end well."""
        for attempt in attempts:
            del self.pending[attempt]
            self.go(report(attempt, "ok", {}))

    def state(self, row: str) -> tuple[State, str]:
        """How a row is shown, and what is said of it."""
        found = self.board.instances[named(row)]
        return found.state, found.note


def _failed_apart(wrong: str) -> Watched:
    """Row after row of a job has failed where it did, and the next such failure ends the run."""
    given = scenario(stage("s", job("j", {"argv": wrong})), stage("t", job("k")), agents="a b c")
    run = Watched(given, on_failure="pause", start_paused=True).begin()
    run.go(HoldModeRequest("alone"))
    run.go(GoRequest())
    run.go(RemoveBreakRequest(1))
    return run


def test_of_rows_that_run_again_together_the_first_may_end_the_run() -> None:
    run = _failed_apart("{{ vars.nope }}")
    run.go(RerunRequest("s", "j"))
    assert run.exit_code == ExitCode.SCENARIO
    failed = [f"{e.instance}#{e.attempt}" for e in run.of(JobFinished)]
    assert failed == ["s/j@a#1", "s/j@b#1", "s/j@c#1", "s/j@a#2"]


def test_a_stage_that_runs_again_does_not_begin_when_one_of_its_failures_ends_the_run_at_once() -> None:
    run = _failed_apart("{{ vars.nope if agent.name == 'a' else 1 }}")
    run.ok("s/j@b#1", "s/j@c#1")
    run.go(RerunRequest("s", "j"))
    assert "s/j@b#2" not in run.started()
    assert run.exit_code == ExitCode.SCENARIO


def _rerun_held_alone() -> Watched:
    """A run that is over but for a part that runs again: a failed, b goes on, c is held."""
    run = Watched(scenario(stage("s", job("j", items=TWO)), agents="a b c"), keep_alive=True).begin()
    for item in "12":
        run.ok(*(f"s/j@{agent}[{item}]#1" for agent in "abc"))
    run.go(RerunRequest("s", "j"))
    run.go(PauseRequest())
    run.ok("s/j@c[1]#2")
    assert run.state("s/j@c[2]")[0] is State.HELD
    return run


@pytest.mark.parametrize("is_stale", [False, True])
def test_what_is_held_to_run_again_is_as_it_was_when_the_run_ends_before_it_begins(is_stale: bool) -> None:
    run = _rerun_held_alone()
    if is_stale:
        run.go(EditReport(scenario(stage("s", job("j", {"argv": "new"}, items=TWO)), agents="a b c")))
    run.go(StopRequest("end", 130, force=True))
    assert run.state("s/j@c[2]")[0] is (State.STALE if is_stale else State.OK)
    assert [(str(e.instance), e.reason) for e in run.of(JobReleased)] == [
        ("s/j@c[2]", "its stage ended before it began")
    ]
    assert run.of(RunFinished)


def test_what_was_stale_before_it_was_held_to_run_again_is_so_again_until_the_change_is_taken_back() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), agents="a b", variables={"x": 1})
    run = Watched(given, keep_alive=True).begin()
    run.ok("s/j@a#1", "s/j@b#1")
    run.go(SetVariableRequest("x", 2))
    run.go(BreakRequest("s/j@a"))
    run.go(RerunRequest("s"))
    assert run.state("s/j@a")[0] is State.HELD
    run.pending.clear()
    run.go(report("s/j@b#2", "failed", error={"kind": "exit", "message": "no"}))
    run.go(StopRequest("end", 0, force=True))
    assert run.state("s/j@a")[0] is State.STALE


def test_what_never_began_is_said_to_be_so_as_soon_as_its_stage_is_being_ended() -> None:
    run = Watched(scenario(stage("s", job("j"), job("k")), agents="a b")).begin()
    run.go(HoldModeRequest("alone"))
    run.go(PauseRequest("a"))
    run.ok("s/j@a#1")
    run.pending.clear()
    run.go(report("s/j@b#1", "failed", error={"kind": "exit", "message": "no"}))
    assert run.state("s/k@a") == (State.CANCELLED, "its stage ended before it began")


@pytest.mark.parametrize("asks", [False, True])
def test_a_run_whose_first_stage_does_not_begin_is_not_said_to_be_starting_and_stands_still(asks: bool) -> None:
    given = scenario(stage("s", job("j"), when=None if asks else "vars.nope"), agents="a b")
    points = ((Breakpoint("s", "stage"), "operator"),) if asks else ()
    run = Watched(given, on_failure="pause", breakpoints=points).begin()
    assert run.board.phase is Phase.RUNNING
    run.at_s += 10.0
    run.go(SetVariableRequest("y", 1))
    assert run.engine.core.paused_s > 9.0
    assert abs(run.board.standstill.before(run.at_s) - run.engine.core.paused_s) < 1e-6


def test_rows_that_ran_stay_when_the_run_went_back_before_their_stage_and_an_edit_takes_it_away() -> None:
    stages = [stage("s", job("j")), stage("t", job("k"))]
    run = Watched(scenario(*stages), keep_alive=True, on_failure="pause").begin()
    run.ok("s/j@a#1")
    run.ok("t/k@a#1")
    run.go(BackRequest("s"))
    run.go(EditReport(scenario(stages[0])))
    assert run.state("t/k@a")[0] is State.STALE
    assert run.board.tally[State.STALE] == 1


def test_a_breakpoint_that_nobody_looks_at_ends_a_run_also_when_its_stages_are_done() -> None:
    points = ((Breakpoint("s/j", "after", condition="vars.x == 2"), "operator"),)
    given = scenario(stage("s", job("j")), variables={"x": 1})
    run = Watched(given, keep_alive=True, on_break="fail", breakpoints=points).begin()
    run.ok("s/j@a#1")
    run.go(SetVariableRequest("x", 2))
    run.go(RerunRequest("s", "j"))
    run.ok("s/j@a#2")
    assert run.exit_code == ExitCode.HELD


def test_a_step_of_some_agents_at_a_stage_that_is_held_leaves_why_all_are_held() -> None:
    points = ((Breakpoint("s", "stage"), "operator"),)
    run = Watched(scenario(stage("s", job("j")), agents="a b"), breakpoints=points).begin()
    run.go(StepRequest("over", "s", "a"))
    assert (run.board.reason, run.engine.gate.reason) == ("breakpoint", "breakpoint")
    assert run.started() == ["s/j@a#1"]


def test_an_attempt_that_ends_with_the_run_says_why() -> None:
    waits = job("j", {"expression": "vars.x == 1"}, where="expression")
    run = Watched(scenario(stage("s", waits), stage("t", job("k")), variables={"x": 1})).begin()
    run.go(SetVariableRequest("x", 2))
    run.go(RerunRequest("s", "j"))
    run.ok("t/k@a#1")
    (cancelled,) = [e for e in run.of(JobFinished) if e.state == "cancelled"]
    assert cancelled.failure.message == "the run ends"


def test_an_edit_may_ask_for_less_at_once_than_is_under_way() -> None:
    def of(**more: Any) -> Scenario:
        jobs = [job("j", items=TWO, run_items=more["order"]), job("k")]
        return scenario(stage("s", *jobs, run_jobs=more["order"]))

    run = Watched(of(order="concurrent")).begin()
    run.go(EditReport(of(order="sequential")))
    run.ok("s/j@a[1]#1", "s/j@a[2]#1", "s/k@a#1")
    assert run.exit_code == 0


def test_a_row_that_was_asked_for_beyond_the_limit_is_tried_again_beyond_it() -> None:
    given = scenario(stage("s", job("j", retries=1), max_concurrency=1), agents="a b")
    run = Watched(given, on_failure="pause").begin()
    a = InstanceId("s", "j", "a")
    for number in (1, 2):
        del run.pending[f"s/j@a#{number}"]
        run.go(report(f"s/j@a#{number}", "failed", error={"kind": "exit", "message": "no"}))
        if number == 1:
            run.fire(RetryDue(a))
    run.go(GoRequest())
    run.go(RerunRequest("s", instance=a))
    del run.pending["s/j@a#3"]
    run.go(report("s/j@a#3", "failed", error={"kind": "exit", "message": "no"}))
    run.fire(RetryDue(a))
    assert sorted(run.pending) == ["s/j@a#4", "s/j@b#1"]


def test_what_waits_to_run_again_lets_another_part_of_its_stage_that_was_asked_for_meanwhile_end_first() -> None:
    stages = [stage("s", job("j")), stage("t", job("k"), job("l"))]
    run = Watched(scenario(*stages, agents="a b"), keep_alive=True).begin()
    for row in ("s/j", "t/k", "t/l"):
        run.ok(f"{row}@a#1", f"{row}@b#1")
    run.go(RerunRequest("s", from_here=True))
    run.go(RerunRequest("t", agent="b"))
    run.ok("s/j@a#2", "s/j@b#2")
    assert sorted(run.pending) == ["t/k@b#2"]
    run.ok("t/k@b#2", "t/l@b#2")
    assert sorted(run.pending) == ["t/k@a#2", "t/k@b#3"]


def test_what_waits_to_run_again_leaves_out_what_comes_anyway_since_its_stage_starts_over() -> None:
    stages = [stage("s", job("j")), stage("t", job("k"), job("l"))]
    run = Watched(scenario(*stages, agents="a b")).begin()
    run.go(PauseRequest("b"))
    run.ok("s/j@a#1", "s/j@b#1", "t/k@a#1", "t/l@a#1")
    run.go(RerunRequest("s", "j", "a", from_here=True))
    run.go(RerunRequest("t"))
    run.ok("s/j@a#2")
    assert sorted(run.pending) == ["t/k@a#2", "t/k@b#1"]
    run.ok("t/k@a#2")
    assert sorted(run.pending) == ["t/k@b#1", "t/l@a#2"]


@pytest.mark.parametrize("when", ["failed", "retried"])
def test_a_failure_that_is_skipped_may_meet_a_breakpoint_by_what_it_registers(when: Any) -> None:
    chosen = (Breakpoint("s", when), Breakpoint("s", "variable", name="got"))
    points = tuple((point, "operator") for point in chosen)
    given = scenario(stage("s", job("j", register="got", retries=1 if when == "retried" else 0), job("k")))
    run = Watched(given, breakpoints=points).begin()
    run.pending.clear()
    run.go(report("s/j@a#1", "failed", error={"kind": "exit", "message": "no"}))
    assert run.state("s/j@a")[0] is (State.HELD if when == "retried" else State.FAILED)
    run.go(SkipRequest(named("s/j@a")))
    assert run.state("s/j@a")[0] is State.HELD
    assert run.engine.core.variables["got"]["failed"]  # type: ignore[index, call-overload]
    run.go(GoRequest())
    run.ok("s/k@a#1")
    assert run.exit_code == 0
