"""Agents are given what comes next while they have something, and messages cross each other: still all is true.

Between an agent and the run there are two queues, and what is in them arrives when it likes. Processes die amid it.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from simulation import job, scenario, stage
from test_looking_ahead import PLAIN, outcome, whole
from test_taken_up_anywhere import AnyTrouble, results
from world import World

from octogram_tui.engine.effects import CancelJob, Effect, RecallJob, SendJob
from octogram_tui.engine.stimuli import AgentLossReport, BeginRequest, EditReport, GoRequest, PauseRequest, Stimulus
from octogram_tui.model.scenario import ItemsSpec, Scenario

ITEMS = ItemsSpec((("1..3",),))


def plain(variant: int) -> Scenario:
    """A scenario in which mostly it is certain what comes next; variants differ in texts, jobs and orders."""
    argv = {"argv": f"{variant} {{{{ vars.x | default(0) }}}}"}
    jobs = [job("j", argv), job("items", argv, items=ITEMS, retries=1), job("p", on_failure="continue"), job("q", argv)]
    jobs.insert(3, job("some", argv, items=ITEMS, when="item != vars.x | string"))
    order = "sequential" if variant == 2 else "concurrent"
    if variant == 1:
        jobs[2:3] = [job("until", until="vars.x is defined"), job("p", {"argv": "other"})]
    return scenario(
        stage("one", *jobs),
        stage("two", job("k"), job("l", items=ITEMS), job("n"), run_agents=order),
        stage("three", job("m", register="x"), job("o", argv), job("r")),
        stage("always", job("c"), job("d"), always=True),
        agents="a b",
        variables={"x": variant},
    )


class Crossing(World):
    """A run whose messages to agents, and those from them, are under way until a test lets them arrive."""

    def __init__(self, given: Scenario, outcome: Any = None, **options: Any) -> None:
        super().__init__(given, outcome, **options)
        self.to_agents: dict[str, deque[Effect]] = defaultdict(deque)
        self.to_run: dict[str, deque[Stimulus]] = defaultdict(deque)
        self.cut_off: set[str] = set()
        self.ahead = 0  # how often anything was sent ahead

    def _take(self, effect: Effect) -> None:
        if isinstance(effect, SendJob | RecallJob | CancelJob) and getattr(effect, "where", "agent") == "agent":
            self.ahead += isinstance(effect, SendJob) and effect.after is not None
            if effect.agent not in self.cut_off:
                self.to_agents[effect.agent].append(effect)
        else:
            super()._take(effect)

    def tell(self, told: Any) -> None:
        """It waits, or is lost until the agent is asked again."""
        if told.agent not in self.cut_off:
            self.to_run[told.agent].append(told)

    def greet(self, agent: str) -> None:
        """A connection begins, with all that was not acknowledged."""
        self.cut_off.discard(agent)
        self.to_run[agent].clear()
        super().greet(agent)

    def part(self, agent: str) -> None:
        """A connection is over: what was under way on it does not arrive."""
        self.cut_off.add(agent)
        self.to_agents[agent].clear()
        self.to_run[agent].clear()

    def crash(self) -> Self:
        """With the process, its connections end."""
        for agent in ("a", "b"):
            self.part(agent)
        super().crash()
        return self

    def agent_reads(self, agent: str) -> None:
        """A message arrives at an agent."""
        effect = self.to_agents[agent].popleft()
        if agent in self.daemons:
            super()._take(effect)

    def run_reads(self, agent: str) -> None:
        """A message of an agent arrives."""
        self.go(self.to_run[agent].popleft())

    def answer_there(self, attempt: str) -> None:
        """An agent ends an attempt as it always does."""
        ended = outcome(self.pending[attempt])
        self._ended(ended)

    def settle(self) -> Self:
        """Let all arrive that is under way; nothing ends meanwhile."""
        self.run()
        while any(self.to_agents.values()) or any(self.to_run.values()):
            for agent in ("a", "b"):
                if self.to_agents[agent]:
                    self.agent_reads(agent)
                if self.to_run[agent]:
                    self.run_reads(agent)
            self.run()
        return self

    @property
    def out(self) -> dict[Any, Any]:
        """What is out at agents, and was not taken back."""
        return self.engine.ahead._out  # the tests of its own state


class AnyCrossing(AnyTrouble):
    """All that can happen to a run happens while messages are under way."""

    @initialize(on_failure=st.sampled_from(["pause", "abort"]), keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        options = {"on_failure": on_failure, "keep_alive": keep, "start_paused": paused, "look_ahead": True}
        self.simulation: Any = Crossing(plain(0), lambda sent: None, **options).begin()

    @precondition(lambda self: self.simulation.pending)
    @rule(data=st.data(), state=st.sampled_from(["ok", "ok", "ok", "ok", "ok", "failed", "cancelled"]))
    def agent_answers(self, data: st.DataObject, state: str) -> None:
        """One of the attempts under way ends at its agent."""
        attempt = data.draw(st.sampled_from(sorted(self.simulation.pending)))
        more = {"error": {"kind": "exit", "message": "no"}} if state == "failed" else {}
        self.simulation.end(attempt, state, {}, **more)

    @precondition(lambda self: any(self.simulation.to_agents.values()))
    @rule(data=st.data())
    def arrives_there(self, data: st.DataObject) -> None:
        """An agent reads."""
        self.simulation.agent_reads(data.draw(st.sampled_from([a for a in "ab" if self.simulation.to_agents[a]])))

    @precondition(lambda self: any(self.simulation.to_run.values()))
    @rule(data=st.data())
    def arrives_here(self, data: st.DataObject) -> None:
        """The run reads."""
        self.simulation.run_reads(data.draw(st.sampled_from([a for a in "ab" if self.simulation.to_run[a]])))

    @rule()
    def all_arrives(self) -> None:
        """Nothing is under way for a moment: then both sides agree about what runs."""
        world: Crossing = self.simulation.settle()
        engine = world.engine
        if engine.phase != "running" or engine.taking_up.is_under_way:
            return
        here = {str(i.attempt_id) for i in engine.instances.in_state("running") if i.id.agent not in world.cut_off}
        there = {n for agent, daemon in world.daemons.items() if agent not in world.cut_off for n in daemon.running}
        assert here == there
        assert not engine.ahead._back
        held = {str(s.attempt) for a, d in world.daemons.items() if a not in world.cut_off for s in d.held.values()}
        assert held == {str(attempt) for attempt, one in world.out.items() if one.sent.agent not in world.cut_off}

    @rule(variant=st.integers(0, 2))
    def file_is_edited(self, variant: int) -> None:
        """The scenario changes."""
        self.simulation.go(EditReport(plain(variant)))

    @rule(agent=st.sampled_from(["a", "b"]))
    @precondition(lambda self: len(self.simulation.events) > 40)
    def agent_is_lost(self, agent: str) -> None:
        """An agent cannot be reached any more; what it has goes on there."""
        self.simulation.part(agent)
        self.simulation.go(AgentLossReport(agent, "gone"))

    @invariant()
    def nothing_is_out_while_anything_holds(self) -> None:
        """What was given ahead is taken back as soon as the run holds, or ends."""
        if hasattr(self, "simulation"):
            engine = self.simulation.engine
            is_plain = engine.phase == "running" and engine.gate.is_plain and engine.breakpoints.lets_on_well
            assert is_plain or engine.taking_up.is_under_way or not self.simulation.out


TestAnyCrossing = AnyCrossing.TestCase
TestAnyCrossing.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


def wander(world: Crossing, chance: random.Random) -> Crossing:
    """Let a run go on to its end while its process dies, holds and is let go at random."""
    world.feed(BeginRequest("2026-01-01T00:00:00Z"))
    while world.exit_code is None:
        readers = [agent for agent in "ab" if world.to_agents[agent]]
        told = [agent for agent in "ab" if world.to_run[agent]]
        steps: list[Callable[[], Any]] = [partial(world.go, ask) for ask in (PauseRequest(), GoRequest(), GoRequest())]
        steps += [partial(world.agent_reads, agent) for agent in readers] * 6
        steps += [partial(world.run_reads, agent) for agent in told] * 6
        steps += [partial(world.answer_there, attempt) for attempt in sorted(world.pending)] * 6
        steps += [world.run] * 6 if world.waiting else []
        steps += [lambda: world.crash().take_up()] if chance.random() < 0.3 else []
        chance.choice(steps)()
    return world


def test_it_comes_to_the_same_whatever_crosses_and_whenever_it_holds() -> None:
    """As without any of this: each ends as it would, none is executed twice."""
    undisturbed = results(whole(PLAIN, look_ahead=False))
    ahead = 0
    for seed in range(30):
        world = wander(Crossing(PLAIN, lambda sent: None, look_ahead=True), random.Random(seed)).checked()
        assert results(world) == undisturbed, f"seed {seed}"
        ahead += world.ahead
    assert ahead > 100
