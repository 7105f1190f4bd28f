"""Stepping: the row that is shown as next is the row that runs, at every step, whatever else goes on."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import Event, JobFinished, JobHeld, JobStarted
from octogram_tui.engine.scope import Scope
from octogram_tui.engine.stimuli import (
    AttemptReport,
    BreakRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    RerunAllRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
)
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec, Scenario
from octogram_tui.projection.board import Board
from octogram_tui.projection.queue import NEXT, Queue
from octogram_tui.projection.row_states import State

ORDERS = some.sampled_from(["sequential", "concurrent"])


@some.composite
def jobs(draw: some.DrawFn, number: int) -> Any:
    """A job with or without items, a condition, retries."""
    more: dict[str, Any] = {}
    if draw(some.booleans()):
        more = {"items": ItemsSpec(((f"1..{draw(some.integers(1, 3))}",),)), "run_items": draw(ORDERS)}
    if draw(some.integers(0, 4)) == 0:
        more["when"] = "vars.wanted"
    if draw(some.integers(0, 3)) == 0:
        more["retries"] = 1
    return job(f"j{number}", {"argv": "{{ vars.x }}"}, **more)


@some.composite
def scenarios(draw: some.DrawFn) -> Scenario:
    """One to three stages on one to three agents, in every order."""
    stages = [
        stage(
            f"s{number}",
            *[draw(jobs(n)) for n in range(draw(some.integers(1, 3)))],
            run_agents=draw(ORDERS),
            run_jobs=draw(ORDERS),
            max_concurrency=draw(some.sampled_from([None, None, 1, 2])),
        )
        for number in range(draw(some.integers(1, 3)))
    ]
    agents = " ".join("abc"[: draw(some.integers(1, 3))])
    return scenario(*stages, agents=agents, variables={"x": 0, "wanted": draw(some.booleans())})


class Watched(Simulation):
    """A run that somebody looks at: before each event the board is asked what comes next."""

    def __init__(self, scenario: Scenario, **options: Any) -> None:
        self.board = Board()
        super().__init__(scenario, lambda sent: None, on_failure="pause", keep_alive=True, **options)

    def feed(self, stimulus: Any) -> list[Event]:
        """Take what happens, one event after the other, as the console does."""
        is_gate_shut = self.engine.gate.is_shut
        opens = isinstance(stimulus, GoRequest) or getattr(stimulus, "go", False)
        events = super().feed(stimulus)
        for event in events:
            head = self.board.queue.head
            came = _came_through(event, self.board.queue)
            if is_gate_shut and not opens and head is not None and came is not None:
                assert head.key == came, f"{head.full_name} was said to be next, and {came} ran"
            self.board.apply(event)
            self._look()
        stood_still_s = self.engine.core.paused_s
        assert abs(self.board.standstill.before(self.at_s) - stood_still_s) < 1e-6
        line = self.engine.instances.line.within(Scope())
        rows = [*self.board.queue, *self.board.queue.waiting]
        assert {row.key for row in rows} == {i.id for i in line}
        held = (i.id for i in self.engine.instances.line.within(Scope()) if self.engine.gate.is_closed_to(i.id.agent))
        assert [row.key for row in self.board.queue] == list(held)
        return events

    def _look(self) -> None:
        rows = list(self.board.instances.values())
        nexts = [row for row in rows if row.note.startswith(NEXT)]
        if self.board.is_paused and len(self.board.queue):
            assert nexts == [self.board.queue.head]
        assert all(row in self.board.queue for row in nexts)
        there = [*self.board.queue, *self.board.queue.waiting]
        assert {row.key for row in rows if row.state is State.HELD} == {row.key for row in there}


def _came_through(event: Event, held: Queue) -> InstanceId | None:
    """What the gate let through, if it did: it is not asked by a rerun, by what the operator skips, or by a retry that
    belongs to what was let through."""
    if isinstance(event, JobStarted) and (event.why == "first" or any(event.instance == row.key for row in held)):
        return event.instance
    if isinstance(event, JobFinished) and event.reason.startswith("when"):
        return next((row.key for row in held if row.key == event.instance), None)
    return None


def answering(sent: SendJob) -> AttemptReport:
    """Agents that do what they are told at once."""
    return report(sent.attempt, "ok")


ACTS = some.lists(
    some.one_of(
        some.tuples(
            some.sampled_from(["step"] * 12 + ["pause", "pause", "go", "rerun all", "go on", "skip", "redo", "wanted"])
        ),
        some.tuples(some.just("answer"), some.integers(0, 5), some.sampled_from(["ok", "ok", "ok", "ok", "failed"])),
        some.tuples(some.just("timer"), some.integers(0, 5)),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(given=scenarios(), acts=ACTS, is_prompt=some.booleans())
def test_the_row_shown_as_next_is_the_row_that_runs(given: Scenario, acts: list[Any], is_prompt: bool) -> None:
    run = Watched(given, start_paused=True)
    run.answer = answering if is_prompt else run.answer
    run.begin()
    for act in acts:
        _do(run, *act)


def _do(run: Watched, act: str, number: int = 0, state: str = "") -> None:
    undecided = [i.id for i in run.engine.instances.in_state("undecided")]
    head = run.board.queue.head
    match act:
        case "step":
            run.go(StepRequest())
        case "pause":
            run.go(PauseRequest())
        case "go":
            run.go(GoRequest())
        case "rerun all" | "go on":
            run.go(RerunAllRequest("failed", go=act == "go on"))
        case "skip" if undecided or head is not None:
            run.go(SkipRequest(undecided[0] if undecided or head is None else head.key))
        case "redo":
            run.go(RerunRequest("s0"))
        case "wanted":
            run.go(SetVariableRequest("wanted", True))
        case "answer" if run.pending:
            attempt = sorted(run.pending)[number % len(run.pending)]
            del run.pending[attempt]
            run.go(report(attempt, state, error={"kind": "exit"} if state == "failed" else None))
        case "timer" if run.timers:
            run.fire(sorted(run.timers, key=repr)[number % len(run.timers)])


def test_a_step_is_for_what_has_been_held_for_the_longest_time_also_when_it_has_to_wait_for_a_place() -> None:
    items = ItemsSpec((("1..2",),))
    given = scenario(stage("s", job("j", items=items), max_concurrency=2), agents="a b c")
    run = Watched(given, start_paused=True).begin()
    for _ in range(3):  # the third has to wait
        run.go(StepRequest())
    assert sorted(run.pending) == ["s/j@a[1]#1", "s/j@b[1]#1"]
    run.pending.clear()
    run.go(report("s/j@a[1]#1", "ok"))
    assert sorted(run.pending) == ["s/j@c[1]#1"]  # and not the second item of a
    assert [str(e.instance) for e in run.of(JobHeld)] == ["s/j@a[1]", "s/j@b[1]", "s/j@c[1]", "s/j@a[2]"]


def test_each_step_lets_the_next_one_through_and_says_who_follows() -> None:
    run = Watched(scenario(stage("s", job("j"), job("k")), agents="a b"), start_paused=True)
    run.answer = answering
    run.begin()
    shown = []
    while (head := run.board.queue.head) is not None:
        shown.append([row.full_name for row in run.board.queue.first(2)])
        run.go(StepRequest())
        assert run.ended()[-1] == f"{head.full_name} ok"
    assert shown == [["s/j@a", "s/j@b"], ["s/j@b", "s/k@a"], ["s/k@a", "s/k@b"], ["s/k@b"]]


def test_what_is_held_when_its_stage_ends_is_not_held_any_more() -> None:
    run = Watched(scenario(stage("s", job("j"), job("k")), agents="a b"))
    run.begin()
    run.go(PauseRequest())
    for agent in "ab":
        run.go(report(f"s/j@{agent}#1", "ok"))
    assert len(run.board.queue) == 2
    run.go(RerunRequest("s"))
    assert len(run.board.queue) == 0
    row = run.board.instances[named("s/k@a")]
    assert (row.state, row.note) == (State.CANCELLED, "its stage ended before it began")


def test_a_reload_keeps_the_queue() -> None:
    given = scenario(stage("s", job("j"), job("k")), agents="a b")
    run = Watched(given, start_paused=True).begin()
    run.go(EditReport(scenario(stage("s", job("j"), job("k"), job("l")), stage("t", job("m")), agents="a b")))
    run.go(StepRequest())
    assert run.started() == ["s/j@a#1"]


def test_what_a_breakpoint_holds_of_a_rerun_stays_held_when_the_stage_itself_ends() -> None:
    run = Watched(scenario(stage("s", job("j"), job("k")), stage("t", job("l")), agents="a b")).begin()
    run.go(HoldModeRequest("alone"))
    run.go(report("s/j@a#1", "ok"))
    run.go(BreakRequest("s/j@a"))
    run.go(RerunRequest("s", "j", "a"))
    for attempt in ("s/k@a#1", "s/j@b#1", "s/k@b#1"):
        run.go(report(attempt, "ok"))
    assert [row.full_name for row in run.board.queue] == ["s/j@a", "t/l@a"]
