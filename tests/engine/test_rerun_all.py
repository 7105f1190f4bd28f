"""All that failed, again, and go on: exactly that, and what cannot be is left out with a word."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, RequestRefused, RerunBegun, RunPaused, RunResumed, StagesDone
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    ConfirmRequest,
    EditReport,
    PauseRequest,
    RerunAllRequest,
    SetVariableRequest,
    SkipRequest,
    StopRequest,
)
from octogram_tui.model.scenario import ItemsSpec

AGENTS = " ".join(f"n_{number}" for number in range(1, 41))
AGAIN = RerunAllRequest("failed", go=True)


def stocked(sent: SendJob) -> AttemptReport:
    """What takes from an empty stock fails."""
    is_bad = sent.arguments.get("argv") == "0"
    return report(sent.attempt, "failed" if is_bad else "ok", error={"kind": "exit", "message": "empty"})


def console(given: object, answer: object = stocked, **options: Any) -> Simulation:
    """A run as the console starts it."""
    return Simulation(given, answer, on_failure="pause", keep_alive=True, **options).begin()  # type: ignore[arg-type]


def taking(agents: str = "a b", **more: Any) -> Simulation:
    """A run in which everybody takes from the empty stock, and then goes on."""
    take = job("take", {"argv": "{{ vars.stock }}"})
    given = scenario(stage("s", job("first"), take, job("last"), **more), agents=agents, variables={"stock": 0})
    return console(given)


def said(simulation: Simulation) -> str:
    """What the latest request came to."""
    return str(simulation.of(RerunBegun, RequestRefused)[-1].message)


def test_forty_agents_failed_and_one_request_runs_forty_instances_and_goes_on() -> None:
    simulation = taking(AGENTS)
    simulation.go(SetVariableRequest("stock", 1))
    before = len(simulation.sent)
    simulation.go(AGAIN)
    again = [sent.attempt for sent in simulation.sent[before : before + 40]]
    assert {str(attempt) for attempt in again} == {f"s/take@{agent}#2" for agent in AGENTS.split()}
    assert {sent.arguments["argv"] for sent in simulation.sent[before : before + 40]} == {"1"}
    assert len(simulation.sent) == before + 80  # the jobs behind them, once each
    assert simulation.of(StagesDone)
    begun = simulation.of(RerunBegun)[0]
    assert begun.message == "40 instances run again on 40 agents"
    assert begun.instances[0] == "s/take@n_1"
    assert simulation.types.index("rerun_begun") < simulation.types.index("run_resumed")


def test_without_going_on_the_gate_stays_as_it_is() -> None:
    simulation = taking()
    simulation.go(SetVariableRequest("stock", 1))
    simulation.go(RerunAllRequest("failed"))
    assert simulation.ended()[-2:] == ["s/take@a ok", "s/take@b ok"]
    assert not simulation.of(RunResumed)
    assert simulation.engine.instances.count("held") == 2


def test_what_fails_again_holds_the_run_again() -> None:
    simulation = taking()
    simulation.go(AGAIN)
    assert simulation.ended()[-2:] == ["s/take@a failed", "s/take@b failed"]
    assert simulation.of(RunPaused)[-1].seq > simulation.of(RunResumed)[-1].seq
    assert not [e for e in simulation.of(JobFinished) if e.instance.job == "last"]


def test_what_fails_at_once_shuts_the_gate_that_was_opened_for_it() -> None:
    given = scenario(
        stage("s", job("check", {"that": ["vars.x == 1"]}, procedure="assert", where="assertion"), job("k")),
        agents="a b",
        variables={"x": 0},
    )
    simulation = console(given)
    simulation.go(AGAIN)
    assert [e.reason for e in simulation.of(RunPaused)] == ["failure", "failure"]
    assert not [e for e in simulation.of(JobFinished) if e.instance.job == "k"]
    simulation.go(SetVariableRequest("x", 1))
    simulation.go(AGAIN)
    assert simulation.of(StagesDone)


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        (RerunAllRequest("failed", agent="b"), ["s/take@b#2"]),
        (RerunAllRequest("failed", job="take", stage="s", agent="a"), ["s/take@a#2"]),
        (RerunAllRequest("failed", instances=(named("s/take@b"), named("s/take@b"))), ["s/take@b#2"]),
    ],
)
def test_a_part_of_what_failed_alone(asked: RerunAllRequest, again: list[str]) -> None:
    simulation = taking()
    before = len(simulation.started())
    simulation.go(asked)
    assert simulation.started()[before:] == again


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (RerunAllRequest("failed", agent="c"), "nothing stands failed in agent c"),
        (RerunAllRequest("failed", stage="s", job="first"), "nothing stands failed in stage s job first"),
        (
            RerunAllRequest("failed", instances=(named("s/first@a"),), go=True),
            "s/first@a: it does not stand failed, or its stage is over",
        ),
        (RerunAllRequest("failed", instances=(named("s/last@a"), named("t/x@a"))), "2 rows: it has not run"),
    ],
)
def test_what_is_not_failed_never_runs_and_opens_nothing(asked: RerunAllRequest, message: str) -> None:
    simulation = taking()
    before = simulation.started()
    simulation.go(asked)
    assert simulation.of(RequestRefused)[-1].message == message
    assert simulation.started() == before
    assert not simulation.of(RunResumed, RerunBegun)


def test_what_is_refused_does_not_stop_the_rest() -> None:
    simulation = taking("a b c")
    simulation.go(AgentLossReport("b", "gone"))
    simulation.go(SetVariableRequest("stock", 1))
    simulation.go(AGAIN)
    begun = simulation.of(RerunBegun)[0]
    assert begun.instances == ["s/take@a", "s/take@c"]
    assert begun.left_out == {"s/take@b": "agent b is lost"}
    assert begun.message == "2 instances run again on 2 agents; left out: s/take@b: agent b is lost"
    assert "s/last@a ok" in simulation.ended()
    simulation.go(AGAIN)
    assert said(simulation) == "s/take@b: agent b is lost"


def test_what_runs_again_already_is_not_run_twice() -> None:
    simulation = taking()
    simulation.answer = lambda sent: None
    simulation.go(RerunAllRequest("failed", agent="a"))
    simulation.go(RerunAllRequest("failed", instances=(named("s/take@a"), named("s/take@b"))))
    assert said(simulation) == "1 instance runs again on 1 agent; left out: s/take@a: it runs right now"
    simulation.go(AGAIN)
    assert said(simulation) == "nothing stands failed: 2 run again right now"
    assert len(simulation.pending) == 2


def test_what_is_tried_again_by_itself_or_is_held_is_left_alone() -> None:
    simulation = console(scenario(stage("s", job("j", {"argv": "0"}, retries=1)), stage("t", job("k"))))
    simulation.go(RerunAllRequest("failed", instances=(named("s/j@a"),)))
    assert said(simulation) == "s/j@a: it is tried again by itself"
    simulation = console(scenario(stage("s", job("j"))), start_paused=True)
    simulation.go(RerunAllRequest("failed", instances=(named("s/j@a"),)))
    assert said(simulation) == "s/j@a: it is held, and has not failed"


def test_a_run_that_ends_or_has_not_begun_its_stages_says_so() -> None:
    simulation = taking()
    simulation.answer = lambda sent: None
    simulation.feed(StopRequest("operator", 130))
    simulation.feed(AGAIN)
    assert said(simulation) == "the run is stopping"


def test_when_all_is_done_nothing_has_failed_any_more() -> None:
    simulation = taking()
    for agent in "ab":
        simulation.go(SkipRequest(named(f"s/take@{agent}")))
    simulation.go(AGAIN)
    assert simulation.of(StagesDone) == []  # refused, and the gate stays shut
    assert said(simulation) == "nothing stands failed"


def test_a_stage_that_asks_before_it_runs_still_asks() -> None:
    given = scenario(
        stage("s", job("take", {"argv": "{{ vars.stock }}"})),
        stage("t", job("k"), ask_confirmation=True),
        variables={"stock": 0},
    )
    simulation = console(given, confirm="ask")
    simulation.go(SetVariableRequest("stock", 1))
    simulation.go(AGAIN)
    assert simulation.started()[-1] == "s/take@a#2"
    simulation.go(AGAIN)
    assert simulation.engine.course.asked == "t"
    simulation.go(ConfirmRequest("t", answer=True))
    assert simulation.started()[-1] == "t/k@a#1"


def test_failures_run_again_as_many_at_a_time_as_the_stage_allows() -> None:
    items = ItemsSpec((("1..6",),))
    given = scenario(stage("s", job("j", {"argv": "0"}, items=items, run_items="concurrent"), max_concurrency=2))
    simulation = console(given)
    for _ in range(4):  # each time two more fail, and the gate shuts
        simulation.go(RerunAllRequest("failed", instances=(named("s/j@a[1]"),), go=True))
    assert simulation.engine.instances.count("undecided") == 6
    simulation.answer = lambda sent: None
    simulation.go(AGAIN)
    assert len(simulation.pending) == 2
    while simulation.pending:
        assert len(simulation.pending) == min(2, simulation.engine.instances.count("running", "undecided"))
        simulation.go(report(simulation.pending.pop(min(simulation.pending)).attempt, "ok"))
    assert simulation.of(StagesDone)


def test_what_is_decided_while_it_waits_for_a_place_gives_it_on() -> None:
    given = scenario(stage("s", job("j", {"argv": "0"}), job("k"), max_concurrency=1), agents="a b c")
    simulation = console(given)
    for agent in "ab":
        simulation.go(RerunAllRequest("failed", instances=(named(f"s/j@{agent}"),), go=True))
    simulation.answer = lambda sent: None
    simulation.go(PauseRequest())
    simulation.go(AGAIN)
    assert len(simulation.pending) == 1
    waiting = sorted(i.id for i in simulation.engine.instances.in_state("undecided"))
    simulation.go(SkipRequest(waiting[0]))
    simulation.go(report(simulation.pending.pop(min(simulation.pending)).attempt, "ok"))
    assert [name for name in simulation.pending if name.startswith(str(waiting[1]))]


def test_a_failure_that_an_edit_repaired_runs_with_its_new_text() -> None:
    simulation = console(scenario(stage("s", job("j", {"argv": "0"}), job("k")), agents="a b"))
    simulation.go(EditReport(scenario(stage("s", job("j", {"argv": "1"}), job("k")), agents="a b")))
    simulation.go(AGAIN)
    assert simulation.of(StagesDone)
    assert sorted(simulation.ended()[2:]) == ["s/j@a ok", "s/j@b ok", "s/k@a ok", "s/k@b ok"]
