"""All that is stale, again: stage after stage, those very instances, and no others."""

from __future__ import annotations

from typing import Any

from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import RequestRefused, RerunBegun
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    EditReport,
    PauseRequest,
    RerunAllRequest,
    RerunRequest,
    SetVariableRequest,
    StopRequest,
)
from octogram_tui.model.scenario import ItemsSpec

STALE = RerunAllRequest("stale")
READS = {"argv": "{{ vars.x }}"}
ITEMS = ItemsSpec((("1..3",),))


def console(given: object, answer: object = None, **options: Any) -> Simulation:
    """A run as the console starts it."""
    return Simulation(given, answer, on_failure="pause", keep_alive=True, **options).begin()  # type: ignore[arg-type]


def done(agents: str = "a b") -> Simulation:
    """A run that has come to its end, and whose variable was set anew: half of it is stale."""
    simulation = console(
        scenario(
            stage("s", job("reads", READS), job("other")),
            stage("t", job("some", {"argv": "{{ vars.y[item] }}"}, items=ITEMS), job("last", READS)),
            agents=agents,
            variables={"x": 0, "y": {"1": 0, "2": 0, "3": 0}},
        )
    )
    simulation.go(SetVariableRequest("x", 1))
    simulation.go(SetVariableRequest("y", {"1": 0, "2": 7, "3": 0}))
    return simulation


def said(simulation: Simulation) -> str:
    """What the latest request came to."""
    return str(simulation.of(RerunBegun, RequestRefused)[-1].message)


def test_what_is_stale_runs_again_stage_after_stage_and_nothing_else() -> None:
    simulation = done()
    before = len(simulation.started())
    simulation.answer = lambda sent: None
    simulation.go(STALE)
    assert said(simulation) == "6 instances run again on 2 agents"
    assert simulation.started()[before:] == ["s/reads@a#2", "s/reads@b#2"]
    simulation.answer = lambda sent: report(sent.attempt, "ok", {})
    for attempt in ("s/reads@a#2", "s/reads@b#2"):  # the next stage begins when both have ended
        simulation.go(report(attempt, "ok"))
    assert sorted(simulation.started()[before + 2 :]) == [
        "t/last@a#2",
        "t/last@b#2",
        "t/some@a[2]#2",
        "t/some@b[2]#2",
    ]
    assert not simulation.engine.instances.stale
    simulation.go(STALE)
    assert said(simulation) == "nothing is stale"


def test_a_part_of_what_is_stale() -> None:
    simulation = done()
    before = len(simulation.started())
    simulation.go(RerunAllRequest("stale", agent="b", stage="t"))
    assert simulation.started()[before:] == ["t/some@b[2]#2", "t/last@b#2"]
    simulation.go(RerunAllRequest("stale", instances=(named("s/reads@a"), named("s/other@a"), named("s/no@a"))))
    assert said(simulation) == (
        "1 instance runs again on 1 agent; left out: s/other@a: it is not stale; s/no@a: it has not run"
    )


def test_what_cannot_run_again_is_left_out_with_its_reason() -> None:
    simulation = done("a b c")
    simulation.go(AgentLossReport("c", "gone"))
    simulation.go(RerunAllRequest("stale", job="reads"))
    assert said(simulation).endswith("left out: s/reads@c: agent c is lost")
    edited = scenario(
        stage("s", job("reads", READS), on="a"),
        stage("t", job("some", {"argv": "changed"}, items=ItemsSpec((("3",),))), job("last", READS)),
        agents="a b c",
        variables={"x": 0, "y": {}},
    )
    simulation.go(EditReport(edited))
    simulation.go(RerunAllRequest("stale", agent="b"))
    left_out = simulation.of(RerunBegun)[-1].left_out
    assert left_out["s/reads@b"] == "its stage chooses other agents now"
    assert left_out["t/some@b[1]"] == "it is not among the items now"
    assert "t/some@b[3]" not in left_out


def test_what_runs_or_is_to_come_in_a_stage_is_not_disturbed() -> None:
    given = scenario(stage("s", job("j", READS, items=ITEMS), job("k", READS)), agents="a b", variables={"x": 0})
    simulation = console(given, lambda sent: report(sent.attempt, "ok") if sent.agent == "a" else None)
    simulation.go(report("s/j@b[1]#1", "ok"))
    simulation.go(SetVariableRequest("x", 1))
    simulation.answer = lambda sent: None
    simulation.go(STALE)
    begun = simulation.of(RerunBegun)[0]
    assert begun.instances == ["s/j@a[1]", "s/j@a[2]", "s/j@a[3]", "s/k@a"]
    assert begun.left_out == {"s/j@b[1]": "its agent is not through with the job yet"}
    simulation.go(STALE)
    assert "a rerun of its stage has not ended yet" in said(simulation)
    simulation.go(RerunAllRequest("stale", instances=(named("s/j@a[1]"),)))
    assert said(simulation) == "s/j@a[1]: it runs right now, or waits for somebody"


def test_a_failure_on_the_way_holds_the_stages_behind_it() -> None:
    simulation = done("a")
    simulation.answer = lambda sent: report(sent.attempt, "failed", error={"kind": "exit"})
    before = len(simulation.started())
    simulation.go(STALE)
    assert simulation.started()[before:] == ["s/reads@a#2"]
    simulation.answer = lambda sent: report(sent.attempt, "ok", {})
    simulation.go(RerunAllRequest("failed"))
    assert simulation.started()[before + 1 :] == ["s/reads@a#3", "t/some@a[2]#2", "t/last@a#2"]


def test_a_stop_ends_what_was_to_follow() -> None:
    simulation = done("a")
    simulation.answer = lambda sent: None
    simulation.go(STALE)
    before = len(simulation.started())
    simulation.go(StopRequest("operator", 130))
    assert simulation.exit_code is not None
    assert simulation.started()[before:] == []


def test_what_is_fresh_again_when_its_turn_comes_does_not_run() -> None:
    simulation = done("a")
    simulation.answer = lambda sent: None
    simulation.go(STALE)
    simulation.go(SetVariableRequest("y", {"1": 0, "2": 0, "3": 0}))
    before = len(simulation.started())
    simulation.go(report("s/reads@a#2", "ok"))
    assert simulation.started()[before:] == ["t/last@a#2"]


def test_a_stage_that_cannot_choose_its_agents_any_more_says_so() -> None:
    stages = stage("s", job("j", READS)), stage("t", job("k", READS), on="{{ vars.who }}")
    given = scenario(*stages, variables={"x": 0, "who": ".*"})
    simulation = console(given)
    simulation.go(SetVariableRequest("x", 1))
    simulation.answer = lambda sent: None
    simulation.go(STALE)
    simulation.go(SetVariableRequest("who", "("))
    simulation.go(report("s/j@a#2", "ok"))
    assert said(simulation).startswith("stage t: ")
    before = len(simulation.started())
    simulation.go(RerunAllRequest("stale", stage="t"))
    assert isinstance(simulation.of(RerunBegun, RequestRefused)[-1], RequestRefused)
    assert simulation.started()[before:] == []


def test_going_on_with_it() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        return report(sent.attempt, "ok", {})

    given = scenario(stage("s", job("j", READS)), stage("t", job("k")), variables={"x": 0})
    simulation = console(given, lambda sent: None)
    simulation.go(PauseRequest())
    simulation.answer = answer
    simulation.go(report("s/j@a#1", "ok"))
    simulation.go(SetVariableRequest("x", 1))
    simulation.go(RerunAllRequest("stale", go=True))
    assert simulation.started() == ["s/j@a#1", "s/j@a#2", "t/k@a#1"]
    simulation.go(RerunRequest("t"))
    assert simulation.started()[-1] == "t/k@a#2"
