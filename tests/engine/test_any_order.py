"""Whatever happens in whatever order: the engine keeps its invariants, and runs no attempt twice.

Who reads the journal sees the same, also of a run that broke off at any of these moments.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.events import Event, JobFinished, JobStarted
from octogram_tui.engine.states import InstanceState
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentLossReport,
    AgentSilentReport,
    BackRequest,
    BreakRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    ReloadModeRequest,
    RemoveBreakRequest,
    RerunAllRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipAllRequest,
    SkipRequest,
    StepRequest,
    Stimulus,
    StopRequest,
    UntilRequest,
)
from octogram_tui.journal import codec
from octogram_tui.model.scenario import ItemsSpec, Scenario
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State

ITEMS = ItemsSpec((("1..2",),))


def make(variant: int) -> Scenario:
    """A scenario with a bit of everything; variants differ in text, jobs and stages."""
    jobs = [
        job("j", {"argv": f"{variant} {{{{ vars.x | default(0) }}}}"}),
        job("items", items=ITEMS, run_items="concurrent", retries=1),
    ]
    if variant % 2:
        jobs.append(job("more", on_failure="continue", when="vars.x != 3"))
    stages = [
        stage("one", *jobs),
        stage("two", job("k"), job("l"), run_jobs="concurrent", max_concurrency=2),
        stage("three", job("m", items=ITEMS), run_agents="sequential"),
        stage("always", job("c"), always=True),
    ]
    if variant == 2:
        del stages[1]
    return scenario(*stages, agents="a b", variables={"x": variant})


SHOWN: dict[InstanceState, tuple[State, ...]] = {
    "held": (State.HELD,),
    "stopped": (State.HELD,),
    "running": (State.RUNNING,),
    "watching": (State.RUNNING,),
    "retrying": (State.RETRYING,),
    "undecided": (State.FAILED, State.LOST),
}


class Journalled(Simulation):
    """A run, and the board that somebody makes of its journal."""

    def __init__(self, given: Scenario, **options: Any) -> None:
        self.board = Board()
        super().__init__(given, lambda sent: None, **options)

    def feed(self, stimulus: Stimulus) -> list[Event]:
        """Take what happens, as it is read; then every row is shown as it is."""
        events = super().feed(stimulus)
        for event in events:
            line = codec.encode(event)
            self.board.apply(codec.decode(line))
            assert codec.encode(codec.decode(line)) == line
        instances, rows = self.engine.instances, self.board.instances
        live = {i.id: i.state for i in instances.everything()}
        assert all(rows[id_].state in SHOWN[state] for id_, state in live.items())
        gone = [row for id_, row in rows.items() if id_ not in live]
        assert not [row for row in gone if row.state in (State.HELD, State.RUNNING, State.RETRYING)]
        assert {id_ for id_, row in rows.items() if row.state is State.STALE} == set(instances.stale)
        assert self.board.in_flight == self.engine.in_flight
        return events


class AnyOrder(RuleBasedStateMachine):
    """Agents answer when they like, operators ask for anything."""

    @initialize(on_failure=st.sampled_from(["pause", "abort"]), keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        self.simulation = Journalled(make(0), on_failure=on_failure, keep_alive=keep, start_paused=paused).begin()

    @precondition(lambda self: self.simulation.pending)
    @rule(data=st.data(), state=st.sampled_from(["ok", "ok", "ok", "failed", "cancelled"]))
    def agent_answers(self, data: st.DataObject, state: str) -> None:
        """One of the attempts under way ends."""
        attempt = data.draw(st.sampled_from(sorted(self.simulation.pending)))
        del self.simulation.pending[attempt]
        error = {"kind": "exit", "message": "no"} if state == "failed" else None
        self.simulation.go(report(attempt, state, {}, error))

    @precondition(lambda self: self.simulation.pending)
    @rule(data=st.data(), state=st.sampled_from(["ok", "failed", "cancelled"]))
    def agent_lies(self, data: st.DataObject, state: str) -> None:
        """An agent speaks of what another one runs: nothing ends by it."""
        attempt = data.draw(st.sampled_from(sorted(self.simulation.pending)))
        other = "b" if "@a" in attempt else "a"
        events = self.simulation.go(report(attempt, state, by=other))
        assert not [e for e in events if isinstance(e, JobFinished)]

    @precondition(lambda self: self.simulation.timers)
    @rule(data=st.data())
    def timer_fires(self, data: st.DataObject) -> None:
        """A timer is due."""
        self.simulation.fire(data.draw(st.sampled_from(sorted(self.simulation.timers, key=repr))))

    @rule(
        ask=st.sampled_from(
            [
                PauseRequest(),
                GoRequest(),
                StepRequest(),
                RerunRequest("one"),
                RerunRequest("one", "j"),
                RerunRequest("two", "k", "a"),
                RerunRequest("three", instance=named("three/m@b[2]")),
                RerunRequest("nope"),
                RerunRequest("one", "items", inputs="then"),
                RerunRequest("one", inputs="then"),
                RerunRequest("one", "j", "a", from_here=True),
                RerunRequest("two", from_here=True, inputs="then"),
                RerunAllRequest("stale", inputs="then"),
                RerunAllRequest("failed", inputs="then"),
                SkipAllRequest("failed"),
                SkipAllRequest("held", agent="b"),
                SetArgumentsRequest(named("one/j@a"), {"argv": "by hand"}),
                SetArgumentsRequest(named("one/items@b[2]"), {"argv": "by hand"}),
                BackRequest("one"),
                BackRequest("three"),
                ReloadModeRequest("ask"),
                ReloadModeRequest("now"),
                RerunAllRequest("failed"),
                RerunAllRequest("stale"),
                RerunAllRequest("failed", job="j", go=True),
                RerunAllRequest("failed", instances=(named("two/k@a"), named("one/j@b"), named("no/no@no"))),
                SkipRequest(named("one/j@a")),
                SkipRequest(named("two/k@b")),
                SetVariableRequest("x", 3),
                SetVariableRequest("x", remove=True),
                PauseRequest("a"),
                GoRequest("b"),
                HoldModeRequest("alone"),
                HoldModeRequest("all"),
                BreakRequest("one/j"),
                BreakRequest("@b", "after"),
                BreakRequest("two", "stage", is_once=True),
                RemoveBreakRequest(0),
                RemoveBreakRequest(1),
                UntilRequest("*/k"),
                StepRequest("out"),
                StepRequest("over", "one/items"),
                AgentSilentReport("a"),
                AgentBackReport("a"),
            ]
        )
    )
    def operator_asks(self, ask: object) -> None:
        """An operator asks for something, sensible or not."""
        self.simulation.go(ask)  # type: ignore[arg-type]

    @rule(variant=st.integers(0, 2))
    def file_is_edited(self, variant: int) -> None:
        """The scenario changes."""
        self.simulation.go(EditReport(make(variant)))

    @precondition(lambda self: self.simulation.engine.instances.count("undecided"))
    @rule(data=st.data(), is_rerun=st.booleans())
    def operator_resolves(self, data: st.DataObject, is_rerun: bool) -> None:
        """A failure is run again or passed over."""
        id_ = data.draw(st.sampled_from(sorted(i.id for i in self.simulation.engine.instances.in_state("undecided"))))
        self.simulation.go(RerunRequest(id_.stage, instance=id_) if is_rerun else SkipRequest(id_))

    @rule(agent=st.sampled_from(["a", "b"]))
    @precondition(lambda self: len(self.simulation.events) > 40)
    def agent_is_lost(self, agent: str) -> None:
        """An agent goes away."""
        for attempt in [a for a, sent in self.simulation.pending.items() if sent.agent == agent]:
            del self.simulation.pending[attempt]
        self.simulation.go(AgentLossReport(agent, "gone"))

    @rule(force=st.booleans())
    @precondition(lambda self: len(self.simulation.events) > 60)
    def stop(self, force: bool) -> None:
        """The run is to end."""
        self.simulation.go(StopRequest("operator", 130, force=force))

    @invariant()
    def no_attempt_runs_twice(self) -> None:
        """Each attempt starts once and ends once at most (a retry may be taken back); numbers are consecutive."""
        if not hasattr(self, "simulation"):
            return
        sent = Counter(s.attempt for s in self.simulation.sent)
        assert max(sent.values(), default=1) == 1
        started = Counter((e.instance, e.attempt) for e in self.simulation.of(JobStarted))
        ended = Counter(
            (e.instance, e.attempt, e.will_retry) for e in self.simulation.of(JobFinished) if e.state != "skipped"
        )
        assert max(started.values(), default=1) == 1
        assert max(ended.values(), default=1) == 1
        assert [e.seq for e in self.simulation.events] == list(range(1, len(self.simulation.events) + 1))

    def teardown(self) -> None:
        """Whatever the state, a forced stop ends the run."""
        if not hasattr(self, "simulation"):
            return
        simulation = self.simulation
        simulation.go(StopRequest("end", 130, force=True))
        assert simulation.exit_code is not None
        counts = simulation.engine.transitions.counts
        assert min(counts.values(), default=1) > 0
        ended = {e.instance for e in simulation.of(JobFinished) if not e.will_retry}
        assert counts.total() == len(ended), "each is counted once, however often it ran"


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
