"""Back to a stage's beginning: the variables as they were, what came after once more; never while something runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    CourseMovedBack,
    EntryRegistered,
    Event,
    JobStarted,
    RequestRefused,
    RunPaused,
    StageStarted,
    VariableChanged,
)
from octogram_tui.engine.stimuli import (
    AttemptReport,
    BackRequest,
    ConfirmRequest,
    EditReport,
    GoRequest,
    RerunAllRequest,
    RerunRequest,
    SetVariableRequest,
    SkipAllRequest,
    StepRequest,
)
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase, State


def counted(name: str, **more: Any) -> Any:
    """A job that counts a variable up."""
    return job(name, {"argv": "{{ vars.n }}"}, vars_updates=(VarUpdate(Text("n"), Text("{{ vars.n + 1 }}")),), **more)


def stages(**more: Any) -> Scenario:
    return scenario(
        stage("one", counted("j")),
        stage("two", counted("k", items=ItemsSpec((("u", "v"),))), job("l"), **more),
        stage("three", counted("m"), job("w", when="vars.n < 0")),
        variables={"n": 0, "by_hand": 1},
    )


class Going(Simulation):
    """A run with the board that folds it; both agree on what is stale and on what stands failed."""

    def __init__(self, given: Scenario, answer: Any = None, **options: Any) -> None:
        self.board = Board()
        self.at_start: dict[str, dict[str, Any]] = {}
        self.now: dict[str, Any] = {}
        super().__init__(given, answer, on_failure="pause", keep_alive=True, **options)
        self.begin()

    def feed(self, stimulus: Any) -> list[Event]:
        """Fold the variables beside: what they were when a stage was first begun, or begun again."""
        events = super().feed(stimulus)
        for event in events:
            self.board.apply(event)
            if event.TYPE == "run_started":
                self.now = dict(event.variables)  # type: ignore[attr-defined]
            if isinstance(event, StageStarted) and not event.rerun:
                self.at_start[event.stage] = dict(self.now)
            if isinstance(event, VariableChanged):
                self.now.pop(event.name, None)
                if not event.removed:
                    self.now[event.name] = event.value
            if isinstance(event, EntryRegistered):
                self.now[event.name] = event.over(self.now.get(event.name))
        assert self.now == self.engine.core.variables
        shown = {row.key for row in self.board.instances.values() if row.state is State.STALE}
        assert shown == set(self.engine.instances.stale)
        undecided = {i.id for i in self.engine.instances.in_state("undecided")}
        assert undecided <= set(self.board.failures)
        # What failed stands so until it runs again; a stage begun anew may not have come to it yet.
        current = self.engine.course.current
        anew = current.spec.key if current is not None and current.is_rerun else ""
        assert {id_.stage for id_ in set(self.board.failures) - undecided} <= {anew}
        return events


def refusals(run: Simulation) -> list[str]:
    return [event.message for event in run.of(RequestRefused)]


def failing(*names: str) -> Any:
    def answer(sent: SendJob) -> AttemptReport:
        is_bad = any(str(sent.attempt).startswith(name) for name in names)
        return report(sent.attempt, "failed", error={"kind": "exit"}) if is_bad else report(sent.attempt, "ok", {})

    return answer


def test_a_run_at_its_end_goes_back_holds_there_and_comes_to_the_same_end() -> None:
    run = Going(stages())
    assert run.engine.core.variables["n"] == 4
    run.go(SetVariableRequest("by_hand", 2))
    before = len(run.events)
    run.go(BackRequest("two"))
    assert run.engine.core.variables == {"n": 1, "by_hand": 1}
    changes = [e for e in run.events[before:] if isinstance(e, VariableChanged)]
    assert [(e.name, e.value, e.by) for e in changes] == [("by_hand", 1, "operator"), ("n", 1, "operator")]
    (moved,) = run.of(CourseMovedBack)
    assert (moved.stage, moved.restored, moved.stale) == ("two", 2, 5)
    assert run.of(RunPaused)[-1].reason == "back"
    assert (run.board.phase, run.board.is_paused) == (Phase.RUNNING, True)
    assert [str(i.id) for i in run.engine.instances.in_state("held")] == ["two/k@a[u]"]
    run.go(GoRequest())
    started = [(str(e.instance), e.attempt, e.why, e.arguments.get("argv")) for e in run.of(JobStarted)][-4:]
    assert started == [
        ("two/k@a[u]", 2, "back", "1"),
        ("two/k@a[v]", 2, "back", "1"),
        ("two/l@a", 2, "back", None),
        ("three/m@a", 2, "back", "3"),
    ]
    assert not run.engine.instances.stale
    assert (run.engine.phase, run.board.phase) == ("idle", Phase.DONE)


def test_a_failure_that_the_run_went_back_before_does_not_stand() -> None:
    run = Going(stages(), failing("two/l"))
    run.go(BackRequest("one"))
    assert not run.board.failures
    assert [row.fate for row in run.board.all_failures] == ["the run went back before it"]
    run.answer = failing()
    run.go(GoRequest())
    assert run.engine.phase == "idle"


@pytest.mark.parametrize("which", ["nope", "three"])
def test_one_goes_back_only(which: str) -> None:
    run = Going(stages(), start_paused=True)
    run.go(BackRequest(which))
    assert refusals(run) == ["the scenario has no stage 'nope'" if which == "nope" else "stage three has not begun yet"]


def test_nothing_goes_back_while_something_runs() -> None:
    run = Going(stages(), lambda sent: None)
    run.go(BackRequest("one"))
    assert refusals(run) == ["1 attempt is under way: pause, and go back when that has ended"]
    other = Going(stages())
    other.answer = lambda sent: None
    other.go(RerunRequest("one", "j"))
    other.go(BackRequest("one"))
    assert "under way" in refusals(other)[0]


def test_a_stage_that_asks_asks_again() -> None:
    run = Going(stages(ask_confirmation=True), confirm="ask")
    run.go(ConfirmRequest("two", True))
    run.go(BackRequest("one"))
    assert not run.board.confirmations
    run.go(GoRequest())
    assert list(run.board.confirmations) == ["two"]
    run.go(BackRequest("one"))  # while it asks
    assert not run.board.confirmations
    assert run.engine.course.asked == ""


def test_what_runs_again_anyway_is_no_choice_of_what_is_stale_and_no_variable_makes_it_fresh() -> None:
    run = Going(stages())
    run.go(BackRequest("two"))
    run.go(SetVariableRequest("n", 7))
    run.go(SetVariableRequest("n", 1))
    assert len(run.engine.instances.stale) == 4  # all but the one that is held already
    run.go(RerunAllRequest("stale"))
    assert "its stage is still to run" in refusals(run)[0]


def test_an_edit_while_one_is_back_keeps_it_so() -> None:
    run = Going(stages())
    run.go(BackRequest("two"))
    run.go(EditReport(scenario(stage("one", counted("j")), stage("three", counted("m")), variables={"n": 0})))
    run.go(GoRequest())
    assert run.engine.phase == "idle"


SETS = st.sampled_from([SetVariableRequest("n", 5), SetVariableRequest("late", 1), SetVariableRequest("by_hand", None)])
MOVES = st.one_of(
    SETS,
    st.sampled_from(
        [
            StepRequest(),
            StepRequest(),
            GoRequest(),
            BackRequest("one"),
            BackRequest("two"),
            BackRequest("three"),
            SkipAllRequest("failed"),
            RerunAllRequest("failed", go=True),
            RerunAllRequest("stale"),
            RerunRequest("two", from_here=True),
            EditReport(stages()),
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=12), st.sampled_from([(), ("two/k",), ("three/m", "one/j")]), st.booleans())
def test_whatever_was_done_one_is_where_one_was(moves: list[Any], bad: tuple[str, ...], is_paused: bool) -> None:
    run = Going(stages(), failing(*bad), start_paused=is_paused)
    for move in moves:
        begun = run.at_start.get(getattr(move, "stage", ""))
        count = len(run.of(CourseMovedBack))
        run.feed(move)
        if len(run.of(CourseMovedBack)) > count:
            assert dict(run.engine.core.variables) == begun
            assert run.engine.gate.is_shut
        run.run()
    run.answer = failing()
    for _ in range(20):
        if run.engine.phase == "idle":
            break
        run.go(SkipAllRequest("failed"))
        run.go(GoRequest())
    assert run.engine.phase == "idle"
    ended = {str(e.instance) for e in run.events if e.TYPE == "job_finished"}  # type: ignore[attr-defined]
    assert ended == {"one/j@a", "two/k@a[u]", "two/k@a[v]", "two/l@a", "three/m@a", "three/w@a"}
