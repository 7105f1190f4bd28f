"""What each verb of the gate lets through and holds: for the run, for some agents, for a unit; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Answer, Simulation, job, named, report, scenario, stage

from octogram_tui.engine.events import (
    AgentHeld,
    AgentReleased,
    BreakpointRemoved,
    HoldModeChosen,
    JobHeld,
    JobReleased,
    RequestRefused,
    RunPaused,
    RunResumed,
    StagesDone,
    WarningGiven,
)
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    BreakRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    RerunRequest,
    SkipRequest,
    StepRequest,
    Stimulus,
    UntilRequest,
)
from octogram_tui.engine.timers import RetryDue
from octogram_tui.model.scenario import ItemsSpec, Scenario

THREE = ItemsSpec((("1..3",),))


def failing(*attempts: str) -> Answer:
    """Answer: these attempts fail."""

    def answer(sent: Any) -> Any:
        bad = str(sent.attempt) in attempts
        return report(sent.attempt, "failed" if bad else "ok", {}, {"kind": "exit", "message": "no"} if bad else None)

    return answer


def held_at_start(given: Scenario, answer: Answer | None = None, **options: Any) -> Simulation:
    """A run as the console starts it to be stepped."""
    options = {"on_failure": "pause", "keep_alive": True, "confirm": "ask", "start_paused": True, **options}
    return Simulation(given, answer, **options).begin()


def two_jobs(agents: str = "a b c") -> Scenario:
    """Two jobs on some agents, and a stage after them."""
    return scenario(stage("s", job("j"), job("k")), stage("t", job("l")), agents=agents)


def started(simulation: Simulation, *asked: Stimulus) -> list[str]:
    """What is asked for makes begin."""
    before = len(simulation.started())
    for stimulus in asked:
        simulation.go(stimulus)
    return simulation.started()[before:]


def refused(simulation: Simulation, asked: Stimulus) -> str:
    """Why something is refused; empty when it is not."""
    return "; ".join(e.message for e in simulation.go(asked) if isinstance(e, RequestRefused))


# -- how far a step goes ----------------------------------------------------------------------------------------------


def test_what_comes_to_the_gate_is_numbered_and_steps_take_it_in_that_order() -> None:
    simulation = held_at_start(two_jobs())
    assert [(str(e.instance), e.order) for e in simulation.of(JobHeld)] == [("s/j@a", 1), ("s/j@b", 2), ("s/j@c", 3)]
    assert started(simulation, *[StepRequest()] * 4) == ["s/j@a#1", "s/j@b#1", "s/j@c#1", "s/k@a#1"]


@pytest.mark.parametrize(
    ("asked", "begin", "what"),
    [
        (StepRequest(), ["s/j@a[1]"], "s/j@a[1]"),
        (StepRequest("into", "s/j@b"), ["s/j@b[1]"], "s/j@b[1]"),
        (StepRequest("into", agent="b"), ["s/j@b[1]"], "s/j@b[1]"),
        (StepRequest("over"), ["s/j@a[1]"], "s/j@a[1]"),
        (StepRequest("over", "s/j@b"), ["s/j@b[1]", "s/j@b[2]", "s/j@b[3]"], "all of s/j@b"),
        (StepRequest("out", "s/j@b[1]"), ["s/j@b[1]", "s/j@b[2]", "s/j@b[3]"], "the rest of s/j@b"),
        (StepRequest("out", agent="b"), ["s/j@b[1]", "s/j@b[2]", "s/j@b[3]"], "the rest of s/j@b on b"),
        (StepRequest("out", "s/j@b"), [*(f"s/j@b[{n}]" for n in (1, 2, 3)), "s/k@b"], "the rest of s@b"),
        (StepRequest("over", "s", "b"), [*(f"s/j@b[{n}]" for n in (1, 2, 3)), "s/k@b"], "all of s on b"),
        (StepRequest("over", "s/j"), sorted(f"s/j@{a}[{n}]" for n in (1, 2, 3) for a in "ab"), "all of s/j"),
    ],
)
def test_a_step_goes_as_far_as_it_is_deep(asked: StepRequest, begin: list[str], what: str) -> None:
    given = scenario(stage("s", job("j", items=THREE), job("k")), stage("t", job("l")), agents="a b")
    simulation = held_at_start(given)
    assert sorted(started(simulation, asked)) == [f"{row}#1" for row in begin]
    told = simulation.of(RunResumed)[-1]
    assert (told.mode, told.depth, told.unit, told.agent, told.what) == (
        "step",
        asked.depth,
        asked.unit,
        asked.agent,
        what,
    )
    assert simulation.engine.gate.is_shut


def test_a_step_out_of_a_stage_ends_with_it_and_holds_the_next() -> None:
    simulation = held_at_start(two_jobs("a b"))
    assert started(simulation, StepRequest("out", "s")) == ["s/j@a#1", "s/j@b#1", "s/k@a#1", "s/k@b#1"]
    assert [str(row.id) for row in simulation.engine.instances.in_state("held")] == ["t/l@a", "t/l@b"]


def test_a_step_into_is_one_attempt_and_a_step_over_the_instance_with_its_retries() -> None:
    given = scenario(stage("s", job("j", retries=1)), stage("t", job("l")))
    for depth, begun in (("into", ["s/j@a#1"]), ("over", ["s/j@a#1", "s/j@a#2"])):
        simulation = held_at_start(given, failing("s/j@a#1"))
        simulation.go(StepRequest(depth))  # type: ignore[arg-type]
        simulation.fire(RetryDue(named("s/j@a")))
        assert simulation.started() == begun
        if depth == "into":
            told = simulation.of(JobHeld)[-1]
            assert (str(told.instance), told.attempt, told.point) == ("s/j@a", 1, "before")
            assert started(simulation, StepRequest()) == ["s/j@a#2"]
        assert simulation.ended()[-1] == "s/j@a ok"


def test_a_step_for_one_agent_leaves_the_others_where_they_are() -> None:
    simulation = held_at_start(two_jobs())
    assert started(simulation, *[StepRequest(agent="b")] * 2) == ["s/j@b#1", "s/k@b#1"]
    assert [str(i.id) for i in simulation.engine.instances.in_state("held")] == ["s/j@a", "s/j@c"]
    assert "nothing of b is held" not in refused(simulation, GoRequest())
    assert simulation.of(StagesDone)


def test_a_step_for_one_agent_of_an_open_run_holds_that_agent_alone() -> None:
    simulation = Simulation(two_jobs("a b"), lambda sent: None, on_failure="pause", keep_alive=True).begin()
    simulation.go(StepRequest(agent="a"))
    assert [(e.agent, e.reason, e.in_flight) for e in simulation.of(AgentHeld)] == [("a", "step", 1)]
    for attempt in ("s/j@a#1", "s/k@a#1", "s/j@b#1"):  # k of a is the one step; then a waits, and b goes on
        simulation.go(report(attempt))
    assert simulation.started() == ["s/j@a#1", "s/j@b#1", "s/k@a#1", "s/k@b#1"]
    assert not simulation.engine.gate.is_shut


# -- agents ---------------------------------------------------------------------------------------------------------


def test_an_agent_is_held_while_the_others_go_on_and_goes_while_the_others_are_held() -> None:
    simulation = held_at_start(two_jobs())
    assert started(simulation, GoRequest("b")) == ["s/j@b#1", "s/k@b#1"]
    assert [(e.agent, e.follows) for e in simulation.of(AgentReleased)] == [("b", False)]
    assert refused(simulation, GoRequest("b")) == "b is not held"
    simulation.go(PauseRequest("c"))
    assert started(simulation, GoRequest()) == ["s/j@a#1", "s/k@a#1"]
    assert refused(simulation, GoRequest()) == "the run goes on, but for what you hold: c (go agent=c)"
    assert started(simulation, GoRequest("c")) == ["s/j@c#1", "s/k@c#1", "t/l@a#1", "t/l@b#1", "t/l@c#1"]
    assert simulation.of(AgentReleased)[-1].follows
    assert simulation.engine.gate.is_plain, "an open gate costs nothing again"


def test_agents_are_meant_by_a_text_with_stars_also_those_that_come_later() -> None:
    simulation = held_at_start(two_jobs("n_1 n_2 m"))
    simulation.go(PauseRequest("n_*"))
    simulation.go(EditReport(two_jobs("n_1 n_2 n_3 m")))
    simulation.go(GoRequest())
    assert simulation.started() == ["s/j@m#1", "s/k@m#1"]
    assert started(simulation, GoRequest("n_2")) == ["s/j@n_2#1", "s/k@n_2#1"]
    simulation.go(GoRequest("n_1"))
    assert simulation.started()[-1] == "t/l@n_2#1"
    assert [str(i.id) for i in simulation.engine.instances.in_state("held")] == ["t/l@n_3"]


def test_a_pause_of_the_run_holds_every_agent_also_those_that_were_let_go() -> None:
    simulation = held_at_start(two_jobs("a b"), lambda sent: None)
    simulation.go(GoRequest("a"))
    simulation.go(PauseRequest())
    simulation.go(report("s/j@a#1"))
    assert simulation.started() == ["s/j@a#1"]
    assert simulation.of(RunPaused)[-1].in_flight == 1


def test_an_agent_that_is_held_takes_no_place_from_the_others() -> None:
    given = scenario(stage("s", job("j"), max_concurrency=1), agents="a b c")
    simulation = Simulation(given, lambda sent: None, on_failure="pause", keep_alive=True).begin()
    simulation.go(PauseRequest("b"))
    simulation.go(report("s/j@a#1"))
    assert simulation.started() == ["s/j@a#1", "s/j@c#1"]


# -- breakpoints ----------------------------------------------------------------------------------------------------


def test_after_an_attempt_its_lane_waits_and_a_step_lets_it_go_on_to_what_follows() -> None:
    simulation = Simulation(two_jobs("a"), on_failure="pause", keep_alive=True, start_paused=True).begin()
    simulation.go(BreakRequest("s/j", "after"))
    simulation.go(GoRequest())
    told = simulation.of(JobHeld)[-1]
    assert (str(told.instance), told.point, told.attempt, told.breakpoint) == ("s/j@a", "after", 1, 2)
    assert simulation.ended() == ["s/j@a ok"]
    simulation.go(StepRequest())
    assert [str(e.instance) for e in simulation.of(JobReleased)] == ["s/j@a"]
    assert simulation.started() == ["s/j@a#1"]
    assert str(simulation.of(JobHeld)[-1].instance) == "s/k@a"


def test_what_is_held_after_it_has_ended_runs_again_in_place_or_is_skipped() -> None:
    simulation = Simulation(two_jobs("a"), on_failure="pause", keep_alive=True, start_paused=True).begin()
    simulation.go(BreakRequest("s/j", "after"))
    simulation.go(GoRequest())
    assert started(simulation, RerunRequest("s", instance=named("s/j@a"))) == ["s/j@a#2"]
    assert [e.point for e in simulation.of(JobHeld)] == ["before", "after", "after"]
    simulation.go(SkipRequest(named("s/j@a")))
    simulation.go(GoRequest())
    assert simulation.ended() == ["s/j@a ok", "s/j@a ok", "s/k@a ok", "t/l@a ok"]


@pytest.mark.parametrize("mode", ["all", "alone"])
def test_a_breakpoint_holds_everything_or_its_agent_alone(mode: Any) -> None:
    simulation = held_at_start(two_jobs())
    simulation.go(HoldModeRequest(mode))
    simulation.go(BreakRequest("s/k@b"))
    simulation.go(GoRequest())
    assert [e.mode for e in simulation.of(HoldModeChosen)] == [mode]
    assert simulation.engine.gate.is_shut == (mode == "all")
    assert [(e.agent, e.reason) for e in simulation.of(AgentHeld)] == ([("b", "breakpoint")] if mode == "alone" else [])
    assert ("s/k@c#1" in simulation.started()) == (mode == "alone")
    assert simulation.engine.is_waiting, "nothing is in flight, and somebody has to act"
    simulation.go(GoRequest())
    assert simulation.of(StagesDone)


def test_a_failure_holds_its_agent_alone_and_going_on_there_needs_a_decision() -> None:
    simulation = held_at_start(two_jobs("a b"), failing("s/j@a#1"))
    simulation.go(HoldModeRequest("alone"))
    simulation.go(GoRequest())
    assert [(e.agent, e.reason, e.message) for e in simulation.of(AgentHeld)] == [("a", "failure", "s/j@a: no")]
    assert simulation.started() == ["s/j@a#1", "s/j@b#1", "s/k@b#1"]
    assert refused(simulation, GoRequest("a")) == "s/j@a failed: rerun or skip it first"
    assert refused(simulation, StepRequest(agent="a")) == "s/j@a failed: rerun or skip it first"
    assert started(simulation, RerunRequest("s", instance=named("s/j@a")), GoRequest()) == [
        *["s/j@a#2", "s/k@a#1"],
        *["t/l@a#1", "t/l@b#1"],
    ]


def test_where_agents_are_held_alone_a_step_is_for_what_is_held_and_the_others_go_on() -> None:
    simulation = held_at_start(two_jobs("a b"))
    simulation.go(HoldModeRequest("alone"))
    simulation.go(BreakRequest("s/j@a"))
    simulation.go(GoRequest())
    assert started(simulation, StepRequest()) == ["s/j@a#1"]
    assert not simulation.engine.gate.is_shut
    assert [str(i.id) for i in simulation.engine.instances.in_state("held")] == ["s/k@a"]


def test_a_step_over_a_row_by_name_goes_past_a_breakpoint_and_a_wide_one_stops_there() -> None:
    simulation = held_at_start(two_jobs("a b"))
    simulation.go(BreakRequest("s/j@b"))
    assert started(simulation, StepRequest("over", "s/j")) == ["s/j@a#1"]
    assert [e.reason for e in simulation.of(RunPaused)] == ["start", "breakpoint"]
    assert started(simulation, StepRequest("over", "s/j@b")) == ["s/j@b#1"]


def test_what_is_asked_for_again_passes_the_gate_and_stops_at_breakpoints() -> None:
    simulation = held_at_start(two_jobs("a b"))
    simulation.go(StepRequest("over", "s"))
    assert started(simulation, RerunRequest("s", "j")) == ["s/j@a#2", "s/j@b#2"]
    simulation.go(BreakRequest("s/j@b"))
    assert started(simulation, RerunRequest("s")) == ["s/j@a#3"]
    held = [(str(e.instance), e.breakpoint) for e in simulation.of(JobHeld)][-2:]
    assert held == [("s/j@b", 2), ("s/k@a", 0)], "and then all of it"


def test_a_pause_holds_what_was_asked_for_again_too() -> None:
    simulation = held_at_start(two_jobs("a"))
    simulation.go(StepRequest("over", "s"))
    simulation.answer = lambda sent: None
    simulation.go(RerunRequest("s"))
    simulation.go(PauseRequest())
    simulation.go(report("s/j@a#2"))
    assert str(simulation.of(JobHeld)[-1].instance) == "s/k@a"


# -- until ----------------------------------------------------------------------------------------------------------


def test_until_goes_on_to_a_row_and_is_used_up_there() -> None:
    simulation = held_at_start(two_jobs("a b"))
    assert started(simulation, UntilRequest("s/k@b")) == ["s/j@a#1", "s/j@b#1", "s/k@a#1"]
    assert len(simulation.of(BreakpointRemoved)) == 1
    assert refused(simulation, UntilRequest("s/k@b")) == "s/k@b is held already"
    assert started(simulation, GoRequest()) == ["s/k@b#1", "t/l@a#1", "t/l@b#1"]


def test_until_for_one_agent_lets_that_one_go_on() -> None:
    simulation = held_at_start(two_jobs("a b"))
    assert started(simulation, UntilRequest("s/k", "b")) == ["s/j@b#1"]
    assert [str(i.id) for i in simulation.engine.instances.in_state("held")] == ["s/j@a", "s/k@b"]


def test_until_says_when_its_row_can_no_longer_be_reached() -> None:
    given = scenario(stage("s", job("j"), job("k", items=THREE)), stage("t", job("l")))
    simulation = held_at_start(given)
    simulation.go(UntilRequest("s/k@a[4]"))
    assert [e.reason for e in simulation.of(BreakpointRemoved)] == ["it can no longer be reached"]
    assert [e.message for e in simulation.of(WarningGiven)] == [
        "s/k@a[4] can no longer be reached: the run goes on past it"
    ]
    assert simulation.of(StagesDone)


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (PauseRequest("nobody"), "there is no agent 'nobody'"),
        (StepRequest(agent="x*"), "no agent fits 'x*'"),
        (StepRequest("over", "t/l"), "t/l comes later: go on until it"),
        (StepRequest("into", "t/l"), "t/l comes later: go on until it"),
        (StepRequest("over", "s/nope"), "nothing of s/nope is left: it has run, or the scenario has no such row"),
        (UntilRequest("no/no"), "nothing of no/no is left: it has run, or the scenario has no such row"),
        (UntilRequest("s/j@a"), "s/j@a is held already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(asked: Stimulus, why: str) -> None:
    simulation = held_at_start(two_jobs())
    assert refused(simulation, asked) == why
    assert simulation.started() == []
    assert len(simulation.engine.breakpoints.entries()) == 1


def test_an_agent_that_is_lost_cannot_go_on() -> None:
    simulation = held_at_start(two_jobs())
    simulation.go(AgentLossReport("b", "gone"))
    assert refused(simulation, GoRequest("b")).endswith(": skip what is held there")


def test_a_second_step_while_the_first_waits_for_room_is_refused() -> None:
    given = scenario(stage("s", job("j"), max_concurrency=1), agents="a b")
    simulation = held_at_start(given, lambda sent: None)
    simulation.go(StepRequest())
    simulation.go(StepRequest())
    assert refused(simulation, StepRequest()) == "s/j@b has been let go, and waits for room"
    simulation.go(report("s/j@a#1"))
    assert simulation.started() == ["s/j@a#1", "s/j@b#1"]


def test_a_step_that_waits_for_what_comes_next_is_for_a_retry_when_that_comes_first() -> None:
    given = scenario(stage("s", job("j", items=THREE, run_items="concurrent", retries=1), max_concurrency=1))
    simulation = held_at_start(given, failing("s/j@a[1]#1"))
    simulation.go(StepRequest())
    simulation.go(StepRequest())  # nothing stands at the gate: the retry waits for its delay, the rest for room
    simulation.fire(RetryDue(named("s/j@a[1]")))
    assert simulation.started() == ["s/j@a[1]#1", "s/j@a[1]#2"]


def test_a_retry_that_is_let_go_waits_for_room_as_all_do() -> None:
    given = scenario(stage("s", job("j", retries=1), max_concurrency=1), agents="a b")
    simulation = held_at_start(given, lambda sent: None)
    simulation.go(StepRequest())
    simulation.go(report("s/j@a#1", "failed", error={"kind": "exit", "message": "no"}))
    simulation.fire(RetryDue(named("s/j@a")))
    simulation.go(StepRequest(agent="b"))
    simulation.go(GoRequest())
    assert simulation.started() == ["s/j@a#1", "s/j@b#1"]
    simulation.go(report("s/j@b#1"))
    assert simulation.started()[-1] == "s/j@a#2"


def test_a_step_at_an_agent_that_is_held_in_what_runs_again_holds_what_follows_there() -> None:
    simulation = held_at_start(two_jobs("a b"))
    simulation.go(StepRequest("over", "s"))
    simulation.go(HoldModeRequest("alone"))
    simulation.go(BreakRequest("s/j@a"))
    assert started(simulation, RerunRequest("s")) == ["s/j@b#2", "s/k@b#2"]
    assert started(simulation, StepRequest("over", "s/j@a")) == ["s/j@a#2"]
    assert str(simulation.of(JobHeld)[-1].instance) == "s/k@a"
