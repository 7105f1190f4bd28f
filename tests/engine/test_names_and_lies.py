"""Names that look like ours, agents that speak for others, ends that nobody asked for: all of them are seen through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    EntryRegistered,
    JobFinished,
    JobOutput,
    JobProgress,
    WarningGiven,
)
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    GoRequest,
    OutputReport,
    ProgressReport,
    RerunRequest,
    SetVariableRequest,
)
from octogram_tui.engine.timers import WaitOver
from octogram_tui.model.ids import AgentName, AttemptId, ErrandId, InstanceId, JobKey, StageKey
from octogram_tui.model.scenario import AgentSpec, ItemsSpec


def never(_: SendJob) -> AttemptReport | None:
    """Agents that take jobs and do not answer by themselves."""
    return None


@pytest.mark.parametrize("name", ["prometheus", "prometheus-start", ":prometheus-start"])
def test_a_stage_may_be_called_like_what_the_run_does_itself(name: str) -> None:
    given_ = replace(
        scenario(stage(name, job("start"), job("targets"))),
        prometheus_agent=AgentSpec(AgentName("watch"), transport="local"),
    )
    simulation = Simulation(given_).begin()
    assert [(e.instance.job, e.state) for e in simulation.of(JobFinished)] == [("start", "ok"), ("targets", "ok")]
    assert simulation.exit_code == 0


@pytest.mark.fault(76)
def test_an_agent_cannot_speak_for_another() -> None:
    simulation = Simulation(scenario(stage("s", job("j")), agents="evil good"), never).begin()
    own = AttemptId.parse("s/j@good#1")
    simulation.go(report(own, "ok", by="evil"))
    simulation.go(report(own, "failed", by="evil"))
    simulation.go(OutputReport("evil", own, ["FORGED"]))
    simulation.go(ProgressReport("evil", own, "FORGED"))
    simulation.go(report(ErrandId("prometheus-start", "good", 1), by="evil"))
    assert simulation.of(JobFinished, JobOutput, JobProgress) == []
    assert [(e.agent, e.message) for e in simulation.of(WarningGiven)] == [
        ("evil", "agent evil reported about s/j@good#1: not believed")
    ]
    simulation.go(report(own, "ok"))
    assert simulation.ended() == ["s/j@good ok"]


def test_what_has_not_begun_has_no_lines() -> None:
    simulation = Simulation(scenario(stage("s", job("j"), job("k"))), never).begin()
    for name in ("s/j@a#2", "s/k@a#1", "s/nothing@a#1"):
        simulation.go(OutputReport("a", AttemptId.parse(name), ["FORGED"]))
    simulation.go(OutputReport("a", AttemptId.parse("s/j@a#1"), ["true"]))
    assert [event.lines for event in simulation.of(JobOutput)] == [["true"]]


@pytest.mark.parametrize("policy", ["abort", "pause"])
def test_an_end_that_nobody_asked_for_is_a_failure(policy: str) -> None:
    given_ = scenario(stage("s", job("j"), job("k")))
    simulation = Simulation(given_, lambda sent: report(sent.attempt, "cancelled"), on_failure=policy).begin()
    [end] = simulation.of(JobFinished)
    assert (end.state, end.failure.kind) == ("failed", "cancelled")
    assert "nobody had asked for that" in end.failure.message
    assert simulation.exit_code == (1 if policy == "abort" else None)


def test_results_of_items_whose_texts_hold_brackets_are_kept_apart() -> None:
    items = ItemsSpec((("a[1", "b[1", "x]", "#", "@/", "[1"),))
    simulation = Simulation(
        scenario(stage("s", job("j", items=items, register="all"))),
        lambda sent: report(sent.attempt, "ok", str(sent.attempt)),
    ).begin()
    names = ["a[1", "b[1", "x]", "#", "@/", "[1"]
    assert [event.entry for event in simulation.of(EntryRegistered)] == names
    assert simulation.engine.core.variables["all"] == {
        name: str(named("s/j@a")._replace(item=name)) + "#1" for name in names
    }


@settings(max_examples=40)
@given(st.lists(st.text(alphabet="/@[]#·,: ~\\ab", min_size=1, max_size=8), min_size=1, max_size=4, unique=True))
def test_a_run_with_hostile_names_ends_well(names: list[str]) -> None:
    jobs = tuple(replace(job("j", items=ItemsSpec((tuple(names),))), key=JobKey(n), name=n) for n in names)
    stages = [replace(stage("s", *jobs), key=StageKey(n), name=n) for n in names]
    simulation = Simulation(scenario(*stages)).begin()
    assert simulation.exit_code == 0
    ends = simulation.of(JobFinished)
    assert len({e.instance for e in ends}) == len(ends)
    assert [InstanceId.parse(str(e.instance)) for e in ends] == [e.instance for e in ends]


@pytest.mark.parametrize(
    ("own", "of_job", "expected_s"),
    [(None, None, 60), (5, None, 5), (5, 3.0, 3), (3, 5.0, 3), (0, 5.0, 0), (None, 90.0, 60)],
)
def test_a_wait_for_an_expression_lasts_as_long_as_the_shorter_limit(
    own: float | None, of_job: float | None, expected_s: float
) -> None:
    waiter = job("w", {"expression": "false", "timeout": own}, where="expression", timeout_s=of_job)
    simulation = Simulation(scenario(stage("s", waiter))).begin()
    assert simulation.timers[WaitOver(AttemptId(named("s/w@a"), 1))] == expected_s


def test_items_that_could_not_be_drawn_are_drawn_anew_by_a_rerun() -> None:
    given_ = scenario(stage("s", job("j", items=ItemsSpec((("1..{{ vars.n }}",),)))))
    simulation = Simulation(given_, on_failure="pause", keep_alive=True).begin()
    simulation.go(SetVariableRequest("n", 2))
    simulation.go(RerunRequest("s", "j", "a", named("s/j@a")))
    assert simulation.ended() == ["s/j@a failed", "s/j@a skipped"]
    simulation.go(GoRequest())
    assert simulation.ended()[2:] == ["s/j@a[1] ok", "s/j@a[2] ok"]


ENDS = st.sampled_from(["ok", "ok", "failed", "cancelled", "lost"])


@settings(max_examples=80)
@given(st.lists(ENDS, min_size=1, max_size=12), st.sampled_from(["abort", "continue"]), st.integers(0, 1))
def test_a_green_run_has_nothing_that_did_not_succeed(ends: list[str], policy: str, retries: int) -> None:
    """Whatever agents answer: exit 0 means that each instance was ok, skipped, or tolerated by the scenario."""
    queue = list(ends)
    work = job("j", items=ItemsSpec((("1..3",),)), retries=retries, on_failure=policy)
    simulation = Simulation(scenario(stage("s", work), stage("t", job("k")), agents="a b"), never).begin()
    while simulation.exit_code is None:
        if simulation.timers:
            simulation.fire(next(iter(simulation.timers)))
            continue
        name, sent = next(iter(simulation.pending.items()))
        end = queue.pop(0) if queue else "ok"
        del simulation.pending[name]
        if end == "lost":
            for other in [n for n, s in simulation.pending.items() if s.agent == sent.agent]:
                del simulation.pending[other]
            simulation.go(AgentLossReport(sent.agent, "gone"))
        else:
            simulation.go(report(sent.attempt, end))
    last = {e.instance: e for e in simulation.of(JobFinished)}
    if simulation.exit_code == 0:
        assert all(e.state in ("ok", "skipped") or e.is_tolerated for e in last.values())
        assert "lost" not in ends[: len(ends) - len(queue)]
