"""The gate under any sequence of verbs, breakpoints, failures, edits and losses.

The engine keeps its invariants, runs nothing twice by itself, lets through what was shown as next, and a run that is
let go always ends.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine.events import Event, JobFinished, JobReleased, JobStarted, RequestRefused, RunFinished
from octogram_tui.engine.scope import Scope
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    BreakRequest,
    ConfirmRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    RemoveBreakRequest,
    RerunAllRequest,
    RerunRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
    Stimulus,
    StopRequest,
    SwitchBreakRequest,
    UntilRequest,
)
from octogram_tui.model.breakpoint import WHEN
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import ItemsSpec, Scenario
from octogram_tui.projection.board import Board

ITEMS = ItemsSpec((("1..2",),))
AGENTS = st.sampled_from(["", "", "a", "b", "a*", "*", "nobody"])
ON_FAILURE = st.sampled_from(["pause", "pause", "abort", "keep_going"])
UNITS = st.sampled_from(["", "", "one/j", "one/items@a[1]", "one/items@b", "one", "two@a", "*/k", "three/m@b", "no/no"])


def make(variant: int) -> Scenario:
    """A bit of everything; variants differ in text, and in a stage at the end."""
    jobs = [
        job("j", {"argv": f"{variant} {{{{ vars.x }}}}"}, retries=1),
        job("items", items=ITEMS, run_items="concurrent", retries=1),
        job("more", on_failure="continue", when="vars.x != 3"),
    ]
    stages = [
        stage("one", *jobs),
        stage("two", job("k"), job("l", on_failure="pause"), run_jobs="concurrent", max_concurrency=2),
        stage("three", job("m", items=ITEMS), run_agents="sequential"),
        stage("four", job("n"), job("o"), max_concurrency=1, ask_confirmation=variant == 1),
        stage("always", job("c"), always=True),
    ]
    if variant == 2:
        stages.insert(4, stage("five", job("p")))
    return scenario(*stages, agents="a b c", variables={"x": variant})


class Watched(Simulation):
    """A run that somebody looks at, whose agents answer when they like."""

    def __init__(self, given: Scenario, **options: Any) -> None:
        self.board = Board()
        super().__init__(given, lambda sent: None, confirm="ask", **options)

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Take what happens; then the board and the engine say the same."""
        events = super().feed(stimulus)
        for event in events:
            self.board.apply(event)
        engine, board = self.engine, self.board
        line = list(engine.instances.line.within(Scope()))
        held = [i.id for i in line if engine.gate.is_closed_to(i.id.agent)]
        assert [i.stand.order for i in line] == sorted(i.stand.order for i in line)
        if engine.phase in ("running", "idle"):
            assert [row.key for row in board.queue] == held
            assert {row.key for row in board.queue.waiting} == {i.id for i in line} - set(held)
            assert board.is_paused == engine.gate.is_shut
            assert set(board.undecided) == {i.id for i in engine.instances.in_state("undecided")}
            for agent in "abc":
                assert board.is_agent_held(agent) == engine.gate.is_closed_to(agent)
                assert [row.key for row in board.queue.first(9, agent)] == [id_ for id_ in held if id_.agent == agent]
            assert abs(board.standstill.before(self.at_s) - engine.core.paused_s) < 1e-6
        return events


def moved(events: list[Event]) -> list[InstanceId]:
    """What the gate let through: it began, went on, or was passed over by its `when`."""
    return [
        e.instance
        for e in events
        if isinstance(e, JobStarted | JobReleased) or (isinstance(e, JobFinished) and e.reason.startswith("when"))
    ]


class Gate(RuleBasedStateMachine):
    """Operators ask for anything."""

    simulation: Watched
    has_reruns = False

    @initialize(on_failure=ON_FAILURE, keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        self.simulation = Watched(make(0), on_failure=on_failure, keep_alive=keep, start_paused=paused)
        self.simulation.begin()

    # -- what the agents do ---------------------------------------------------------------------------------------

    @precondition(lambda self: self.simulation.pending)
    @rule(data=st.data(), state=st.sampled_from(["ok", "ok", "ok", "failed"]))
    def agent_answers(self, data: st.DataObject, state: str) -> None:
        """One of the attempts under way ends."""
        attempt = data.draw(st.sampled_from(sorted(self.simulation.pending)))
        del self.simulation.pending[attempt]
        error = {"kind": "exit", "message": "no"} if state == "failed" else None
        self.simulation.go(report(attempt, state, {}, error))

    @precondition(lambda self: self.simulation.pending)
    @rule()
    def agents_answer(self) -> None:
        """All of the attempts under way end well."""
        for attempt in list(self.simulation.pending):
            if self.simulation.pending.pop(attempt, None) is not None:
                self.simulation.go(report(attempt, "ok", {}))

    @precondition(lambda self: self.simulation.timers)
    @rule(data=st.data())
    def timer_fires(self, data: st.DataObject) -> None:
        """A timer is due."""
        self.simulation.fire(data.draw(st.sampled_from(sorted(self.simulation.timers, key=repr))))

    @precondition(lambda self: len(self.simulation.events) > 60)
    @rule(agent=st.sampled_from("ab"))
    def agent_is_lost(self, agent: str) -> None:
        """An agent goes away."""
        for attempt in [a for a, sent in self.simulation.pending.items() if sent.agent == agent]:
            del self.simulation.pending[attempt]
        self.simulation.go(AgentLossReport(agent, "gone"))

    # -- what the operator does -----------------------------------------------------------------------------------

    @rule(agent=AGENTS, pauses=st.booleans())
    def pause_or_go(self, agent: str, pauses: bool) -> None:
        """Pause, or go."""
        self.simulation.go(PauseRequest(agent) if pauses else GoRequest(agent))

    @rule(agent=AGENTS, unit=UNITS)
    def step_into(self, agent: str, unit: str) -> None:
        """One attempt: the one that is shown as next, and no other."""
        simulation, board = self.simulation, self.simulation.board
        head = next(iter(board.queue.first(1, agent)), None) if not unit else None
        goes_on = simulation.engine.gate.lets_some  # what was let through before: more than one may move
        is_shut = all(board.is_agent_held(name) for name in "abc" if agent in ("", name) or "*" in agent)
        events = simulation.feed(StepRequest("into", unit, agent))
        if head is not None and is_shut and not any(isinstance(e, RequestRefused) for e in events):
            came = moved(events)[:1] if goes_on or simulation.engine.phase == "ending" else moved(events)
            assert came in ([head.key], []), f"{head.full_name} was said to be next"
            if not moved(events):
                run = self._stage_run(head.key)
                assert run is None or run.in_flight >= run.limit, f"{head.full_name} was next, and there is room"
        simulation.run()

    def _stage_run(self, id_: InstanceId) -> Any:
        instance = self.simulation.engine.instances.find(id_)
        return None if instance is None else instance.job_run.lane.stage_run

    @rule(agent=AGENTS, unit=UNITS, depth=st.sampled_from(["over", "out"]))
    def step(self, agent: str, unit: str, depth: Any) -> None:
        """All of a unit, or what is around it."""
        self.simulation.go(StepRequest(depth, unit, agent))

    @precondition(lambda self: len(self.simulation.board.queue) > 0)
    @rule()
    def step_over_what_is_next(self) -> None:
        """The instance that is next, whatever breakpoints are there."""
        simulation = self.simulation
        head = simulation.board.queue.head
        assert head is not None
        if not simulation.engine.gate.is_shut or simulation.board.confirmations:
            return
        goes_on = simulation.engine.gate.lets_some
        events = simulation.feed(StepRequest("over"))
        came = moved(events)[:1] if goes_on or simulation.engine.phase == "ending" else moved(events)
        assert came in ([head.key], []), f"{head.full_name} was said to be next"
        simulation.run()

    @rule(row=UNITS, agent=AGENTS)
    def until(self, row: str, agent: str) -> None:
        """Go on until a row."""
        self.simulation.go(UntilRequest(row or "*", agent))

    @rule(mode=st.sampled_from(["all", "alone"]))
    def choose(self, mode: Any) -> None:
        """Choose what is held."""
        self.simulation.go(HoldModeRequest(mode))

    @rule(pattern=UNITS, when=st.sampled_from(WHEN), is_once=st.booleans())
    def set_breakpoint(self, pattern: str, when: Any, is_once: bool) -> None:
        """Set a breakpoint."""
        self.simulation.go(BreakRequest(pattern or "*", when, is_once=is_once))

    @rule(number=st.integers(0, 4), removes=st.booleans(), is_on=st.booleans())
    def change_breakpoint(self, number: int, removes: bool, is_on: bool) -> None:
        """Take a breakpoint away, or switch it."""
        self.simulation.go(RemoveBreakRequest(number) if removes else SwitchBreakRequest(number, is_on))

    @rule(
        ask=st.sampled_from(
            [
                RerunRequest("one"),
                RerunRequest("one", "j"),
                RerunRequest("two", "k", "a"),
                RerunAllRequest("failed", go=True),
                RerunAllRequest("stale"),
            ]
        )
    )
    def ask_again(self, ask: Any) -> None:
        """Run something again."""
        self.has_reruns = True
        self.simulation.go(ask)

    @precondition(lambda self: self.simulation.engine.instances.count("undecided", "held", "stopped"))
    @rule(data=st.data(), is_rerun=st.booleans())
    def decide(self, data: st.DataObject, is_rerun: bool) -> None:
        """What failed or is held is run again or passed over."""
        there = sorted(i.id for i in self.simulation.engine.instances.in_state("undecided", "held", "stopped"))
        id_ = data.draw(st.sampled_from(there))
        self.has_reruns = self.has_reruns or is_rerun
        self.simulation.go(RerunRequest(id_.stage, instance=id_) if is_rerun else SkipRequest(id_))

    @rule(
        ask=st.sampled_from(
            [
                SetVariableRequest("x", 3),
                SetVariableRequest("x", 1),
                ConfirmRequest("four", True),
            ]
        )
    )
    def change(self, ask: Any) -> None:
        """Change what there is to read."""
        self.simulation.go(ask)

    @rule(variant=st.integers(0, 2))
    def file_is_edited(self, variant: int) -> None:
        """The scenario changes."""
        self.simulation.go(EditReport(make(variant)))

    # -- what is always so ----------------------------------------------------------------------------------------

    @invariant()
    def nothing_runs_twice(self) -> None:
        """Each attempt starts once and ends once; nothing runs again by itself, but for the retries that it has."""
        if not hasattr(self, "simulation"):
            return
        simulation = self.simulation
        assert max(Counter(sent.attempt for sent in simulation.sent).values(), default=1) == 1
        started = simulation.of(JobStarted)
        assert max(Counter((e.instance, e.attempt) for e in started).values(), default=1) == 1
        firsts = Counter(e.instance for e in started if e.why == "first")
        assert max(firsts.values(), default=1) == 1
        assert self.has_reruns or all(e.why != "rerun" for e in started)
        open_: set[InstanceId] = set()
        for event in simulation.of(JobStarted, JobFinished):
            if isinstance(event, JobStarted):
                assert event.instance not in open_, f"{event.instance} has two attempts at once"
                open_.add(event.instance)
            else:
                open_.discard(event.instance)

    def teardown(self) -> None:
        """A run that is let go ends."""
        if not hasattr(self, "simulation"):
            return
        simulation = self.simulation
        engine = simulation.engine
        simulation.go(RemoveBreakRequest(0))
        simulation.go(HoldModeRequest("all"))
        for _ in range(300):
            if engine.phase in ("idle", "finished"):
                break
            simulation.go(GoRequest("*"))
            simulation.go(GoRequest())
            for attempt in list(simulation.pending):
                if simulation.pending.pop(attempt, None) is not None:
                    simulation.go(report(attempt, "ok", {}))
            for timer in sorted(simulation.timers, key=repr):
                if timer in simulation.timers:
                    simulation.fire(timer)
            for instance in list(engine.instances.in_state("undecided")):
                simulation.go(SkipRequest(instance.id))
        assert engine.phase in ("idle", "finished"), "it was let go, and does not end"
        if engine.phase == "idle":
            simulation.go(StopRequest("end", 130, force=True))
        assert simulation.of(RunFinished)


TestGate = Gate.TestCase
TestGate.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
