"""Whatever a run was doing when its process died, it does that when another process has taken it up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from simulation import job, named, scenario, stage
from world import World

from octogram_tui.engine.effects import ArmTimer, SendJob
from octogram_tui.engine.events import (
    AgentLost,
    BreakpointMet,
    JobAdopted,
    JobFinished,
    JobInDoubt,
    JobStarted,
    RequestRefused,
    RunTakenUp,
    ServiceAnnounced,
    StageStarted,
)
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    BeginRequest,
    BreakRequest,
    EditReport,
    GoRequest,
    PauseRequest,
    RerunRequest,
    ServiceReport,
    SkipRequest,
    StopRequest,
    TakeUpRequest,
)
from octogram_tui.engine.timers import RetryDue, RunTimer, WaitOver
from octogram_tui.model.ids import AgentName, AttemptId, ErrandId
from octogram_tui.model.scenario import AgentSpec, Scenario

PAUSING: dict[str, Any] = {"on_failure": "pause"}
ONE = scenario(stage("s", job("j"), job("k")), stage("always", job("c"), always=True))


def never(sent: SendJob) -> None:
    """The attempt goes on until the test says so."""


def begun(given: Scenario = ONE, **options: Any) -> World:
    """A run whose first attempts are under way."""
    return World(given, never, **options).begin()


def again(world: World, *killed: str, **more: Any) -> World:
    """Its process dies, and perhaps daemons with it; another process goes on."""
    world.crash()
    for agent in killed:
        world.kill_daemon(agent)
    return world.take_up(**more).run()


# -- attempts under way -----------------------------------------------------------------------------------------------


def test_what_goes_on_at_its_daemon_is_adopted() -> None:
    """It is awaited again, not executed again, and its end counts."""
    world = again(begun())
    assert [str(e.instance) for e in world.of(JobAdopted)] == ["s/j@a"]
    taken = world.of(RunTakenUp)
    assert [(e.number, e.in_flight, e.digest) for e in taken] == [(1, 1, ONE.digest)]
    world.end("s/j@a#1")
    world.run().checked()
    assert world.ended() == ["s/j@a ok"]
    assert world.started()[-1] == "s/k@a#1"


def test_what_never_reached_its_daemon_begins_now() -> None:
    """The process died between the journal and the wire: the same attempt is sent, and was never told twice."""
    world = begun()
    world.daemons["a"].running.clear()
    world.executed.clear()
    again(world).checked()
    assert world.executed == {"s/j@a#1": 1}
    assert not world.of(JobAdopted)
    assert len(world.of(JobStarted)) == 1


def test_what_ended_meanwhile_is_heard_of() -> None:
    """An end that nobody had taken is told again, once the agents are asked."""
    world = begun()
    world.end("s/j@a#1", "ok", {"x": 1})
    again(world).checked()
    assert world.ended() == ["s/j@a ok"]


@pytest.mark.parametrize(("options", "state"), [({}, "finished"), (PAUSING, "running")])
def test_with_another_daemon_it_is_in_doubt(options: dict[str, Any], state: str) -> None:
    """Nobody can tell how it ended: a console holds, headless the run ends as with an agent that is lost."""
    world = again(begun(**options), "a")
    assert [(str(e.instance), e.attempt) for e in world.of(JobInDoubt)] == [("s/j@a", 1)]
    assert world.of(JobFinished)[0].failure.kind == "agent_lost"
    assert [e.agent for e in world.of(AgentLost)] == ["a"]
    world.end("always/c@a#1") if world.pending else None
    world.run()
    assert world.engine.phase == state
    if options:
        assert world.engine.gate.is_shut
        world.go(RerunRequest("s", instance=named("s/j@a")))
        assert world.started()[-1] == "s/j@a#2"
    else:
        assert world.exit_code == 7
    world.checked()


def test_what_may_be_tried_again_is() -> None:
    """Its author has said that it may run more than once: then it does, as a new attempt."""
    world = again(begun(scenario(stage("s", job("j", retries=1))), **PAUSING), "a")
    assert world.of(JobFinished)[0].will_retry
    world.go(GoRequest())
    world.fire(RetryDue(named("s/j@a")))
    assert world.started() == ["s/j@a#1", "s/j@a#2"]


def test_a_copy_that_was_under_way_is_in_doubt() -> None:
    """It was the process itself that carried it out; the agent's daemon is as it was."""
    world = again(begun(scenario(stage("s", job("j", procedure="copy", where="orchestrator"))), **PAUSING))
    assert world.of(JobFinished)[0].failure.kind == "orchestrator_lost"
    assert "process died" in world.of(JobInDoubt)[0].reason
    assert world.executed == {"s/j@a#1": 1}
    assert not world.of(AgentLost)


def test_an_agent_that_cannot_be_reached_again_is_lost() -> None:
    """What ran there is in doubt, and the others go on."""
    world = begun(scenario(stage("s", job("j")), agents="a b"), **PAUSING)
    world.unreachable = {"a"}
    again(world)
    assert world.engine.taking_up.is_under_way
    world.end("s/j@b#1")
    world.run()
    assert not world.ended(), "nothing ends before all have answered"
    world.fail_to_start("a")
    world.run().checked()
    assert [str(e.instance) for e in world.of(JobInDoubt)] == ["s/j@a"]
    assert world.ended() == ["s/j@b ok", "s/j@a failed"]
    assert "cannot be reached again" in world.of(AgentLost)[0].message


def test_what_was_being_ended_is_ended() -> None:
    """The agent is asked once more; what it had never heard of never begins."""
    world = begun(scenario(stage("s", job("j"), run_jobs="concurrent"), agents="a b"))
    world.feed(StopRequest("SIGINT", 130))
    for daemon in world.daemons.values():
        daemon.ended.clear()
        daemon.untold.clear()
    world.waiting.clear()
    world.daemons["a"].running["s/j@a#1"] = world.sent[0]
    again(world).checked()
    assert world.ended() == ["s/j@b cancelled", "s/j@a cancelled"]
    assert world.exit_code == 130
    assert world.executed == {"s/j@a#1": 1, "s/j@b#1": 1}


def test_a_daemon_that_came_in_between_never_gets_what_another_was_sent() -> None:
    """The process dies once more while agents are awaited, of which one has another daemon already."""
    world = begun(scenario(stage("s", job("j")), agents="a b"), **PAUSING)
    world.unreachable = {"a"}
    again(world, "a", "b")
    assert world.engine.taking_up.is_under_way
    world.unreachable = set()
    again(world).checked()
    assert sorted(str(e.instance) for e in world.of(JobInDoubt)) == ["s/j@a", "s/j@b"]
    assert world.executed == {"s/j@a#1": 1, "s/j@b#1": 1}


# -- what waits -------------------------------------------------------------------------------------------------------


@pytest.mark.fault(39)
def test_timers_go_on_where_they_were() -> None:
    """What was left of a delay is left of it; what was over fires at once. The clock on the wall has no say."""
    given = scenario(stage("s", job("j", retries=1, retry_delay_s=60.0)))
    world = begun(given, timeout_s=100.0)
    world.end("s/j@a#1", "failed")
    world.run()
    at_s = world.at_s
    world.at_s += 50.0
    world.feed(PauseRequest())
    again(world, down_s=1e6)
    left = {timer: round(after_s, 2) for timer, after_s in world.timers.items()}
    assert left == {RetryDue(named("s/j@a")): 10.0, RunTimer.LIMIT: round(50.0 - at_s, 2)}


def test_a_wait_for_an_expression_goes_on() -> None:
    """No agent has it: it waits for the rest of its time."""
    given = scenario(stage("s", job("j", {"expression": "vars.x", "timeout": 30}, procedure="w", where="expression")))
    world = again(begun(replace(given, variables={"x": False})))
    assert world.engine.instances.count("watching") == 1
    assert WaitOver(AttemptId(named("s/j@a"), 1)) in world.timers


def test_what_is_held_stands_at_the_gate() -> None:
    """A pause, a breakpoint and a failure that waits for somebody are as they were."""
    world = begun(scenario(stage("s", job("j"), job("k")), agents="a b"), **PAUSING)
    world.go(BreakRequest("s/k@b"))
    world.end("s/j@a#1", "failed")
    world.end("s/j@b#1")
    world.run()
    before = {i.id: i.state for i in world.engine.instances.everything()}
    assert set(before.values()) == {"undecided", "held"}
    again(world).checked()
    assert {i.id: i.state for i in world.engine.instances.everything()} == before
    world.go(SkipRequest(named("s/j@a")))
    world.go(GoRequest())
    assert [e.number for e in world.of(BreakpointMet)][-1:] == [2]
    world.go(GoRequest())
    assert sorted(world.pending) == ["s/k@a#1", "s/k@b#1"]


def test_what_is_asked_while_agents_are_awaited_is_done_afterwards() -> None:
    """A pause counts at once; an edit, a rerun and a stop wait for the agents, and lose nothing."""
    world = begun(**PAUSING)
    world.unreachable = {"a"}
    again(world)
    edited = scenario(stage("s", job("j"), job("k", {"argv": "new"})), stage("always", job("c"), always=True))
    world.feed(PauseRequest())
    world.feed(EditReport(edited, is_asked=True))
    assert world.engine.gate.is_shut
    assert world.engine.core.scenario.digest == ONE.digest
    world.starting.clear()
    world.greet("a")
    world.run().checked()
    assert world.engine.core.scenario is edited
    world.end("s/j@a#1")
    world.go(GoRequest())
    assert [e.arguments for e in world.of(JobStarted)][-1] == {"argv": "new"}


def test_a_stop_while_agents_are_awaited_lets_always_stages_run() -> None:
    """The first is obeyed once they have answered; by force nobody is waited for."""
    world = begun()
    world.unreachable = {"a"}
    again(world)
    world.feed(StopRequest("SIGINT", 130))
    world.starting.clear()
    world.greet("a")
    world.run()
    assert world.started()[-1] == "always/c@a#1"

    world = begun()
    world.unreachable = {"a"}
    again(world).go(StopRequest("SIGINT", 130, force=True))
    assert world.exit_code == 130


# -- phases of the run ------------------------------------------------------------------------------------------------


def test_a_run_that_was_starting_starts() -> None:
    """Agents that had not answered are started again, and the stages begin with all of them."""
    world = World(ONE, never)
    world.unreachable = {"a"}
    world.feed(BeginRequest("2026-01-01T00:00:00Z"))
    world.unreachable = set()
    again(world).checked()
    assert world.started() == ["s/j@a#1"]
    assert not world.of(AgentLost)


def test_a_run_that_was_done_waits_or_ends_as_it_is_asked_now() -> None:
    """A console left its agents up; whoever goes on without one may end it."""
    world = World(ONE, keep_alive=True).begin()
    again(world)
    assert world.engine.phase == "idle"
    again(world, keep_alive=False)
    assert world.exit_code == 0


def test_a_run_that_was_ending_ends_for_the_same_reason() -> None:
    """`always` stages run, within what was left of their time, and the exit code is the one that it would have had."""
    world = begun()
    world.go(StopRequest("SIGTERM", 143))
    assert world.started()[-1] == "always/c@a#1"
    again(world)
    assert RunTimer.COLLECT in world.timers
    world.end("always/c@a#1")
    world.run()
    assert world.exit_code == 143


def test_a_run_that_was_stopping_stops() -> None:
    """An agent that was told to end, and has ended, is not missed: another daemon says that nothing is left."""
    world = World(ONE)
    world.feed(BeginRequest("2026-01-01T00:00:00Z"))
    while world.engine.phase != "stopping":
        world.feed(world.waiting.popleft())
    again(world).checked()
    assert world.exit_code == 0


def test_an_agent_that_was_lost_before_is_asked_once_more_at_the_end() -> None:
    """This process knows no way to it yet: whether it left anything has to be found out."""
    world = begun(scenario(stage("s", job("j")), agents="a b"), **PAUSING)
    world.kill_daemon("a")
    world.go(AgentLossReport("a", "gone"))
    again(world)
    assert set(world.daemons) == {"b"}
    world.go(StopRequest("SIGINT", 130, force=True))
    assert world.exit_code == 130
    assert world.births == 3


def test_a_run_that_is_over_or_new_is_not_taken_up() -> None:
    """Feeding is total: what makes no sense is refused."""
    world = World(ONE)
    assert [type(e) for e in world.feed(TakeUpRequest("t"))] == [RequestRefused]


# -- what the run is asked for now ------------------------------------------------------------------------------------


def test_it_may_be_asked_for_otherwise_than_before() -> None:
    """A console's run goes on headless: failures end it, confirmations are answered, its time is another."""
    world = begun(scenario(stage("s", job("j")), stage("t", job("k"), ask_confirmation=True)), confirm="ask", **PAUSING)
    again(world, on_failure="abort", confirm="yes", timeout_s=7.0)
    assert world.timers[RunTimer.LIMIT] == 7.0
    world.end("s/j@a#1")
    world.run()
    assert [e.stage for e in world.of(StageStarted)] == ["s", "t"]
    again(world)
    world.end("t/k@a#1", "failed")
    world.run()
    assert world.exit_code == 1


def test_a_question_that_was_open_is_answered_as_it_is_asked_now() -> None:
    """Nobody is there to answer it any more."""
    world = begun(scenario(stage("t", job("k"), ask_confirmation=True)), confirm="ask")
    assert world.engine.course.asked
    again(world, confirm="yes")
    assert world.started() == ["t/k@a#1"]


# -- what agents offer ------------------------------------------------------------------------------------------------


def test_services_are_there_as_long_as_their_daemon_is() -> None:
    """With another daemon they are gone, and whoever asks for them is told."""
    world = begun()
    world.feed(ServiceReport("a", "node", "n", {"rpc": 1}))
    again(world)
    assert world.engine.services.resolve("node", "a://n", "b") == {"remote": "http://127.0.0.1:1"}
    again(world, "a")
    assert not world.engine.services.has_any("a")
    assert len(world.of(ServiceAnnounced)) == 1


def test_prometheus_goes_on_or_is_started_again() -> None:
    """It is started once by each daemon, and hears its targets."""
    agent = AgentSpec(AgentName("prometheus"), address="127.0.0.1", transport="local")
    world = World(replace(ONE, prometheus_agent=agent), lambda sent: None)
    world.begin()
    starts = [sent.attempt for sent in world.sent]
    assert starts == [ErrandId("prometheus-start", "prometheus", 1)]
    again(world)
    assert [sent.attempt for sent in world.sent] == starts * 2, "the same errand, which is executed once"
    world.end(starts[0])
    world.run()
    assert world.started() == ["s/j@a#1"]
    again(world).checked()
    assert len(world.sent) == 4, "prometheus is up, and only the job is asked for"
    again(world, "prometheus").checked()
    assert ErrandId("prometheus-start", "prometheus", 2) in [sent.attempt for sent in world.sent]


def test_delays_are_never_armed_in_the_past() -> None:
    """What was due while nobody was there is due now."""
    world = begun(timeout_s=5.0)
    world.at_s = 100.0
    world.feed(PauseRequest())
    world.crash()
    armed = [e for e in take_up_effects(world) if isinstance(e, ArmTimer)]
    assert armed == [ArmTimer(RunTimer.LIMIT, 0.0)]


def take_up_effects(world: World) -> list[Any]:
    """What the engine orders when it is taken up."""
    restored = world.restored()
    return restored.engine.feed(TakeUpRequest("t"), restored.at_s).effects
