"""A run goes on after its process died: nothing is executed twice by itself, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from simulation import job, report, scenario, stage
from test_any_order import AnyOrder, make
from world import World

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, JobStarted, RunTakenUp
from octogram_tui.engine.stimuli import AttemptReport, BeginRequest, TimerReport
from octogram_tui.errors import RunNotRestored
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import ItemsSpec, Scenario, Text, VarUpdate


def course() -> Scenario:
    """A scenario whose result depends on nothing but what each attempt gives."""
    adds = (VarUpdate(Text("{{ agent.name }}_{{ item }}"), Text("{{ res.n }}")),)
    return scenario(
        stage("one", job("j", items=ItemsSpec((("1..3",),)), vars_updates=adds, retries=1), job("k")),
        stage(
            "two",
            job("here", procedure="builtins.copy", where="agent", register="seen"),
            job("l"),
            run_agents="sequential",
        ),
        stage(
            "wide",
            job("m", items=ItemsSpec((("1..3",),)), run_items="concurrent"),
            run_jobs="concurrent",
            max_concurrency=2,
        ),
        stage("never", job("n"), when="vars.a_1 == 'nothing'"),
        stage("always", job("c", {"argv": "{{ vars.a_1 }}"}), always=True),
        agents="a b",
    )


def answer(sent: SendJob) -> AttemptReport:
    """What an attempt gives, whenever it is asked; every third one fails the first time."""
    assert isinstance(sent.attempt, AttemptId)
    instance, number = sent.attempt
    weight = sum(str(instance).encode())
    if weight % 3 == 0 and number == 1 and instance.job == "j":
        return report(sent.attempt, "failed", error={"kind": "exit", "message": "not yet"})
    return report(sent.attempt, "ok", {"n": weight})


def results(world: World) -> tuple[object, ...]:
    """What a run came to."""
    ends = [event for event in world.of(JobFinished) if not event.will_retry]
    final = {str(e.instance): (e.attempt, e.state, repr(e.result)) for e in ends}
    return (
        world.exit_code,
        dict(sorted(final.items())),
        dict(sorted(world.engine.core.variables.items())),
        +world.executed,
    )


def go_on(world: World) -> World:
    """Let everything happen that is due, timers too, until nothing is."""
    while world.exit_code is None:
        world.run()
        if world.exit_code is None:
            assert world.timers, world.types[-5:]
            world.fire(min(world.timers, key=repr))
    return world


def undisturbed() -> World:
    """The run as it is without any trouble."""
    return go_on(World(course(), answer).begin())


def cut(world: World, after: int) -> bool:
    """Let a run go on for so many stimuli. False when it was over before."""
    world.waiting.append(BeginRequest("2026-01-01T00:00:00Z"))
    for _ in range(after):
        if not world.waiting and world.timers and world.exit_code is None:
            world.waiting.append(fired(world))
        if not world.waiting:
            return False
        world.feed(world.waiting.popleft())
    return world.exit_code is None


def fired(world: World) -> TimerReport:
    """The report of the timer that is due next."""
    timer = min(world.timers, key=repr)
    world.at_s += world.timers.pop(timer)
    return TimerReport(timer)


WHOLE = undisturbed()


def stimuli_of(world: World) -> int:
    """How many stimuli a run takes."""
    count = 1
    while cut(World(course(), answer), count):
        count += 1
    return count


@pytest.mark.fault(56)
def test_it_comes_to_the_same_wherever_its_process_died() -> None:
    """At each stimulus of a run its process dies once: results, variables and exit code are those of the whole run."""
    for after in range(1, stimuli_of(WHOLE)):
        world = World(course(), answer)
        cut(world, after)
        go_on(world.crash().take_up()).checked()
        assert results(world) == results(WHOLE), f"after {after} stimuli"
        assert len(world.of(RunTakenUp)) == 1


@pytest.mark.fault(56)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_it_comes_to_the_same_however_often_its_process_died(steps: list[int]) -> None:
    """Also while it is being taken up: nothing is executed twice, and the result is the same."""
    world = World(course(), answer)
    cut(world, 1 + steps[0])
    for more in steps[1:]:
        if world.exit_code is not None:
            break
        world.crash().take_up()
        for _ in range(more):
            if world.waiting:
                world.feed(world.waiting.popleft())
    if world.exit_code is None:
        world.crash().take_up()
    go_on(world).checked()
    assert results(world) == results(WHOLE)


class AnyTrouble(AnyOrder):
    """All that can happen to a run happens; at any moment its process dies, and some of its daemons with it."""

    @initialize(on_failure=st.sampled_from(["pause", "abort"]), keep=st.booleans(), paused=st.booleans())
    def start(self, on_failure: str, keep: bool, paused: bool) -> None:
        """Begin a run."""
        options = {"on_failure": on_failure, "keep_alive": keep, "start_paused": paused}
        self.simulation: Any = World(make(0), lambda sent: None, **options).begin()

    @precondition(lambda self: self.simulation.exit_code is None)
    @rule(
        killed=st.sets(st.sampled_from(["a", "b"])),
        unreachable=st.sets(st.sampled_from(["a", "b"])),
        options=st.sampled_from([{}, {"on_failure": "abort"}, {"on_failure": "pause"}, {"keep_alive": False}]),
    )
    def process_dies(self, killed: set[str], unreachable: set[str], options: dict[str, Any]) -> None:
        """Another process goes on; some daemons have ended, some machines cannot be reached just now."""
        world: World = self.simulation
        world.crash()
        for agent in sorted(killed):
            world.kill_daemon(agent)
        world.unreachable = unreachable
        world.take_up(**options).run()

    @precondition(lambda self: self.simulation.starting)
    @rule(is_there=st.booleans())
    def agent_is_found(self, is_there: bool) -> None:
        """A machine is reached, or is not."""
        agent = self.simulation.starting[0]
        if is_there:
            self.simulation.starting.remove(agent)
            self.simulation.greet(agent)
        else:
            self.simulation.fail_to_start(agent)
        self.simulation.run()

    @invariant()
    def no_attempt_runs_twice(self) -> None:
        """Each attempt is executed once, and told once."""
        if not hasattr(self, "simulation"):
            return
        world: World = self.simulation.checked()
        started = Counter((e.instance, e.attempt) for e in world.of(JobStarted))
        ended = Counter((e.instance, e.attempt, e.will_retry) for e in world.of(JobFinished) if e.state != "skipped")
        assert max(started.values(), default=1) == 1
        assert max(ended.values(), default=1) == 1

    def teardown(self) -> None:
        """Whatever the state, a forced stop ends the run, and its journal gives all of it."""
        super().teardown()
        if hasattr(self, "simulation"):
            with pytest.raises(RunNotRestored, match="over"):
                self.simulation.restored()


TestAnyTrouble = pytest.mark.fault(56)(AnyTrouble.TestCase)
TestAnyTrouble.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.fault(56)
@pytest.mark.longfault
def test_much_trouble() -> None:
    """The same for longer: seldom things happen too."""
    many = settings(TestAnyTrouble.settings, max_examples=200, stateful_step_count=50)
    run_state_machine_as_test(AnyTrouble, settings=many)
