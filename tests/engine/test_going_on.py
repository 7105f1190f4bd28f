"""`--keep-going`: who goes on after a failure, who does not, and what that costs the run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, job, named, report, scenario, stage
from test_failures import fails
from world import World

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, RequestRefused, RunFinished, StageFinished, WarningGiven
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AttemptReport,
    BackRequest,
    GoRequest,
    RerunAllRequest,
    RerunRequest,
)
from octogram_tui.engine.timers import RetryDue, StageOver
from octogram_tui.model.scenario import ItemsSpec


def run(it: object, answer: object, **options: object) -> Simulation:
    return Simulation(it, answer, on_failure="keep_going", **options).begin()  # type: ignore[arg-type]


def one(name: str) -> object:
    """Answer: the attempts of one instance fail."""

    def answer(sent: SendJob) -> AttemptReport | None:
        if str(sent.attempt).startswith(name):
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt, "ok", {"n": 1})

    return answer


def test_others_go_on_to_the_end_and_the_exit_code_is_that_of_the_failure() -> None:
    it = scenario(
        stage("one", job("bad"), job("after")),
        stage("two", job("j")),
        stage("collect", job("logs"), always=True),
        agents="a b",
    )
    simulation = run(it, one("one/bad@a"))
    assert sorted(simulation.ended()) == [
        "collect/logs@a ok",
        "collect/logs@b ok",
        "one/after@b ok",
        "one/bad@a failed",
        "one/bad@b ok",
        "two/j@b ok",
    ]
    assert simulation.cancelled == []
    assert [(e.stage, e.state) for e in simulation.of(StageFinished)] == [
        ("one", "failed"),
        ("two", "ok"),
        ("collect", "ok"),
    ]
    assert [e.message for e in simulation.of(WarningGiven)] == ["stage two goes on without a (one/bad@a)"]
    assert simulation.exit_code == 1


def test_a_job_that_says_abort_still_ends_the_run() -> None:
    it = scenario(stage("s", job("bad", on_failure="abort"), job("after")), agents="a b")
    simulation = run(it, one("s/bad@a"))
    assert "s/after@b ok" not in simulation.ended()
    assert simulation.exit_code == 1


def test_what_is_concurrent_on_the_agent_itself_goes_on() -> None:
    items = ItemsSpec((("x", "y", "z"),))
    it = scenario(
        stage("s", job("bad"), job("beside"), run_jobs="concurrent"),
        stage("t", job("many", items=items, run_items="concurrent"), job("after"), on="b"),
        stage("u", job("row", items=items), job("after"), on="c"),
        agents="a b c",
    )
    failing = ("s/bad@a", "t/many@b[y]", "u/row@c[y]")

    def answer(sent: SendJob) -> AttemptReport:
        state = "failed" if str(sent.attempt).partition("#")[0] in failing else "ok"
        return report(sent.attempt, state, error={"kind": "exit", "message": "no"} if state == "failed" else None)

    ended = run(it, answer).ended()
    assert "s/beside@a ok" in ended
    assert [line for line in ended if line.startswith(("t/", "u/"))] == [
        "t/many@b[x] ok",
        "t/many@b[y] failed",
        "t/many@b[z] ok",
        "u/row@c[x] ok",
        "u/row@c[y] failed",
    ]


def test_without_an_agent_that_is_left_the_run_ends() -> None:
    it = scenario(stage("one", job("bad")), stage("two", job("j")), stage("c", job("logs"), always=True), agents="a b")
    simulation = run(it, fails("bad"))
    assert sorted(simulation.ended()) == ["c/logs@a ok", "c/logs@b ok", "one/bad@a failed", "one/bad@b failed"]
    end = simulation.events[-1]
    assert isinstance(end, RunFinished)
    assert (end.reason, end.exit_code) == ("no agent is left to go on with", 1)


def test_what_fails_in_the_clean_up_is_not_why_the_run_ended() -> None:
    it = scenario(stage("one", job("j")), stage("c", job("bad"), always=True), agents="a b")
    simulation = run(it, fails("bad"))
    end = simulation.events[-1]
    assert isinstance(end, RunFinished)
    assert (end.reason, end.exit_code) == ("", 1)


def test_what_needs_what_failed_is_passed_over_and_is_no_failure_of_its_own() -> None:
    it = scenario(
        stage("build", job("make", register="built"), job("publish", register="url_{{ agent.name }}"), on="a"),
        stage("use", job("get", {"argv": "{{ vars.url_a }}"}), job("more"), on="b"),
        stage("look", job("ask", when="vars.built.n == 1"), on="c"),
        stage("walk", job("each", items=ItemsSpec((("{{ vars.built.n }}",),))), on="d"),
        stage("when", job("j"), when="vars.built.n == 1"),
        stage("last", job("j"), on="e"),
        agents="a b c d e",
    )
    simulation = run(it, one("build/make@a"))
    skipped = {str(e.instance): e.reason for e in simulation.of(JobFinished) if e.state == "skipped"}
    assert skipped == {
        "use/get@b": "it needs vars.url_a, which is not set: build/make@a",
        "look/ask@c": "it needs vars.built, which is not set: build/make@a",
        "walk/each@d": "it needs vars.built, which is not set: build/make@a",
    }
    assert simulation.ended()[-1] == "last/j@e ok"
    assert "use/more@b ok" not in simulation.ended()
    assert simulation.exit_code == 1


def test_a_template_that_is_wrong_by_itself_is_still_one() -> None:
    it = scenario(stage("one", job("bad"), on="a"), stage("two", job("j", {"x": "{{ vars.typo }}"})), agents="a b")
    simulation = run(it, one("one/bad"))
    assert "two/j@b failed" in simulation.ended()
    assert simulation.exit_code == 3


def test_a_lost_agent_is_left_behind() -> None:
    it = scenario(stage("one", job("slow")), stage("two", job("j")), agents="a b")
    simulation = Simulation(it, lambda sent: None, on_failure="keep_going").begin()
    simulation.go(AgentLossReport("a", "the machine went down", 7))
    simulation.go(report("one/slow@b#1"))
    simulation.go(report("two/j@b#1"))
    assert simulation.ended() == ["one/slow@a failed", "one/slow@b ok", "two/j@b ok"]
    assert simulation.exit_code == 7


def test_retries_come_first() -> None:
    it = scenario(stage("s", job("flaky", retries=1), job("after")), agents="a b")
    simulation = run(it, fails("flaky", times=1))
    for agent in "ab":
        simulation.fire(RetryDue(named(f"s/flaky@{agent}")))
    assert simulation.exit_code == 0


def test_in_a_console_what_failed_and_is_run_again_takes_part_again() -> None:
    it = scenario(stage("one", job("bad")), stage("two", job("slow"), on="b"), stage("three", job("j")), agents="a b")
    is_mended: list[bool] = []

    def answer(sent: SendJob) -> AttemptReport | None:
        name = str(sent.attempt)
        if name.startswith("two/slow"):
            return None
        if name.startswith("one/bad@a") and not is_mended:
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt)

    simulation = run(it, answer, keep_alive=True)
    is_mended.append(True)
    simulation.go(RerunAllRequest("failed"))
    assert [each.message for each in simulation.of(RequestRefused)] == [
        "nothing stands failed: the run went on after one/bad@a, which `rerun` runs again by name"
    ]
    simulation.go(RerunRequest("one", "bad", "a"))
    simulation.go(report("two/slow@b#1"))
    assert "three/j@a ok" in simulation.ended()


def test_going_back_lets_everybody_take_part_again() -> None:
    it = scenario(stage("one", job("j")), stage("two", job("bad")), agents="a b")
    count: list[int] = []

    def answer(sent: SendJob) -> AttemptReport:
        if str(sent.attempt) == "two/bad@a#1":
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        count.append(1)
        return report(sent.attempt)

    simulation = run(it, answer, keep_alive=True)
    simulation.go(BackRequest("one"))
    simulation.go(GoRequest())
    assert simulation.started()[-2:] == ["two/bad@a#2", "two/bad@b#2"]


# -- the time of a stage ----------------------------------------------------------------------------------------------


def slow(sent: SendJob) -> AttemptReport | None:
    """Answer: what is called slow lasts."""
    return None if "/slow@" in str(sent.attempt) else report(sent.attempt)


@pytest.mark.parametrize(("on_failure", "last"), [("abort", []), ("keep_going", ["three/j@b"])])
def test_a_stage_that_lasts_too_long_is_ended_with_its_own_exit_code(on_failure: str, last: list[str]) -> None:
    it = scenario(
        stage("one", job("slow"), job("after"), on="a", timeout_s=5.0),
        stage("three", job("j")),
        stage("collect", job("logs"), always=True),
        agents="a b",
    )
    simulation = Simulation(it, slow, on_failure=on_failure).begin()
    assert simulation.timers == {StageOver("one"): 5.0}
    simulation.at_s += 5.0
    simulation.fire(StageOver("one"))
    assert simulation.cancelled == ["one/slow@a#1"]
    assert [str(e.instance) for e in simulation.of(JobFinished) if e.instance.stage == "three"] == last
    assert simulation.of(StageFinished)[0].state == "failed"
    assert "collect/logs@a ok" in simulation.ended()
    assert simulation.exit_code == 8
    assert "stage one has lasted its 5 s" in [e.message for e in simulation.of(WarningGiven)]


def test_a_stage_that_ends_in_time_needs_no_timer_any_more() -> None:
    simulation = run(scenario(stage("one", job("j"), timeout_s=5.0), stage("two", job("slow"))), slow)
    assert simulation.timers == {}


def test_an_always_stage_has_its_time_too() -> None:
    it = scenario(stage("one", job("bad")), stage("c", job("slow"), always=True, timeout_s=2.0))
    answers = fails("bad")
    simulation = Simulation(it, lambda sent: slow(sent) and answers(sent)).begin()  # type: ignore[operator]
    simulation.at_s += 2.0
    simulation.fire(StageOver("c"))
    assert (simulation.cancelled, simulation.exit_code) == (["c/slow@a#1"], 8)


def test_time_in_which_the_run_stands_still_does_not_count() -> None:
    it = scenario(stage("one", job("bad"), job("after"), timeout_s=5.0))
    simulation = Simulation(it, fails("bad", times=1), on_failure="pause").begin()  # type: ignore[arg-type]
    simulation.at_s += 5.0
    simulation.fire(StageOver("one"))
    assert simulation.timers == {StageOver("one"): pytest.approx(5.0, abs=0.1)}
    simulation.at_s += 3600.0
    simulation.go(RerunRequest("one", "bad", "a"))
    simulation.go(GoRequest())
    assert simulation.exit_code == 0


# -- any scenario, any failures, and its journal ---------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_fails_all_that_is_independent_ran_and_the_journal_gives_the_same(data: st.DataObject) -> None:
    agents = "a b c".split()
    stages = []
    for number in range(data.draw(st.integers(1, 3))):
        jobs = [
            job(f"j{n}", {"x": "1"}, retries=data.draw(st.integers(0, 1))) for n in range(data.draw(st.integers(1, 3)))
        ]
        order = data.draw(st.sampled_from(["sequential", "concurrent"]))
        stages.append(stage(f"s{number}", *jobs, run_jobs=order, on=data.draw(st.sampled_from([".*", "a|b", "c"]))))
    it = scenario(*stages, agents=" ".join(agents))
    bad = data.draw(st.sets(st.sampled_from([f"{s.key}/{j.key}@{a}" for s in stages for j in s.jobs for a in agents])))

    def answer(sent: SendJob) -> AttemptReport:
        if str(sent.attempt).partition("#")[0] in bad:
            return report(sent.attempt, "failed", error={"kind": "exit", "message": "no"})
        return report(sent.attempt)

    world = World(it, answer, on_failure="keep_going", look_ahead=data.draw(st.booleans())).begin()
    while retries := [timer for timer in world.timers if isinstance(timer, RetryDue)]:
        world.fire(retries[0])
    failed = {str(e.instance) for e in world.of(JobFinished) if e.state == "failed" and not e.will_retry}
    ran = {str(e.instance) for e in world.of(JobFinished)}
    expected, broken = set(), set()
    for each in stages:
        there = [
            a
            for a in agents
            if a not in broken and (each.with_agents[0].source == ".*" or a in each.with_agents[0].source)
        ]
        for agent in there:
            for spec in each.jobs:
                name = f"{each.key}/{spec.key}@{agent}"
                expected.add(name)
                if name in bad:
                    broken.add(agent)
                    if each.run_jobs == "sequential":
                        break
        if len(broken) == len(agents):
            break
    assert ran == expected
    assert failed == expected & bad
    assert world.exit_code == (1 if failed else 0)
    world.restored(world.lines[: len(world.lines) * 2 // 3])  # raises where anything comes out otherwise
    world.checked()
