"""Doing again with the variables as they were, from here on, and going on as if all of it had gone well."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobStarted, RequestRefused, RerunBegun, WarningGiven
from octogram_tui.engine.stimuli import (
    AttemptReport,
    BreakRequest,
    EditReport,
    GoRequest,
    RerunAllRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipAllRequest,
    SkipRequest,
    StepRequest,
)
from octogram_tui.model.scenario import ItemsSpec, Scenario

READS = {"argv": "{{ vars.x }}"}
OF_LIST = ItemsSpec((("{{ vars.list }}",),))


def console(given: Scenario, answer: Any = None, **options: Any) -> Simulation:
    return Simulation(given, answer, on_failure="pause", keep_alive=True, **options).begin()


def sent(run: Simulation, since: int = 0) -> list[tuple[str, object]]:
    """What was started, and with what."""
    return [(str(e.instance), e.arguments.get("argv")) for e in run.of(JobStarted)[since:]]


def refusals(run: Simulation) -> list[str]:
    return [event.message for event in run.of(RequestRefused)]


def failing(*names: str) -> Any:
    def answer(sent: SendJob) -> AttemptReport:
        is_bad = any(str(sent.attempt).startswith(name) for name in names)
        return report(sent.attempt, "failed", error={"kind": "exit"}) if is_bad else report(sent.attempt, "ok", {})

    return answer


# -- with the variables as they were


def test_what_ended_well_runs_again_as_it_did_and_is_as_stale_as_before() -> None:
    run = console(scenario(stage("s", job("j", READS)), agents="a b", variables={"x": 1}))
    run.go(SetVariableRequest("x", 2))
    run.go(RerunRequest("s", "j", "a", inputs="then"))
    assert sent(run, 2) == [("s/j@a", "1")]
    assert sorted(map(str, run.engine.instances.stale)) == ["s/j@a", "s/j@b"]
    run.go(RerunRequest("s", "j", "a"))
    assert sent(run, 3) == [("s/j@a", "2")]
    run.go(RerunRequest("s", "j", "a", inputs="then"))
    assert sent(run, 4) == [("s/j@a", "2")]  # as the latest attempt read it, not the first


def test_a_failure_runs_again_in_place_as_it_did() -> None:
    run = console(scenario(stage("s", job("j", READS), job("k", READS)), variables={"x": 1}), failing("s/j"))
    run.go(SetVariableRequest("x", 2))
    run.go(RerunRequest("s", instance=named("s/j@a"), inputs="then"))
    run.answer = failing()
    run.go(RerunAllRequest("failed", inputs="then", go=True))
    assert sent(run) == [("s/j@a", "1"), ("s/j@a", "1"), ("s/j@a", "1"), ("s/k@a", "2")]


def test_names_that_are_computed_and_items_are_as_they_were() -> None:
    items = job("items", {"argv": "{{ var('x' ~ '') }}{{ item }}"}, items=OF_LIST)
    run = console(scenario(stage("s", items), variables={"x": 1, "list": ["u", "v"]}))
    run.go(SetVariableRequest("x", 2))
    run.go(SetVariableRequest("list", ["w"]))
    run.go(RerunRequest("s", "items", "a", named("s/items@a[v]"), inputs="then"))
    assert sent(run, 2) == [("s/items@a[v]", "1v")]
    run.go(RerunRequest("s", inputs="then"))
    assert sent(run, 3) == [("s/items@a[u]", "1u"), ("s/items@a[v]", "1v")]
    run.go(RerunRequest("s"))
    assert sent(run, 5) == [("s/items@a[w]", "2w")]


def test_a_text_that_was_edited_meanwhile_is_the_one_of_now_with_the_values_of_then() -> None:
    run = console(scenario(stage("s", job("j", READS)), variables={"x": 1, "y": 1}))
    run.go(EditReport(scenario(stage("s", job("j", {"argv": "{{ vars.x }}{{ vars.y }}"})), variables={"x": 1, "y": 1})))
    run.go(SetVariableRequest("x", 2))
    run.go(SetVariableRequest("y", 2))
    run.go(RerunRequest("s", "j", inputs="then"))
    assert sent(run, 1) == [("s/j@a", "12")]  # nobody read y before


def test_all_that_is_stale_runs_again_as_it_did() -> None:
    run = console(scenario(stage("s", job("j", READS), job("k")), variables={"x": 1}))
    run.go(SetVariableRequest("x", 2))
    run.go(RerunAllRequest("stale", inputs="then"))
    assert sent(run, 2) == [("s/j@a", "1")]


def test_what_was_read_is_told_by_the_event_up_to_which_it_was_so() -> None:
    run = console(scenario(stage("s", job("j", READS)), variables={"x": 1}))
    run.go(SetVariableRequest("x", 2))
    changed = run.events[-1].seq
    run.go(RerunRequest("s", "j", inputs="then"))
    assert 0 < run.of(JobStarted)[-1].seen < changed


def test_what_it_read_is_not_kept_of_a_row_that_was_skipped_and_that_is_said() -> None:
    run = console(scenario(stage("s", job("j", READS)), variables={"x": 1}), failing("s/j"))
    run.go(SkipRequest(named("s/j@a")))
    run.go(GoRequest())
    run.go(RerunRequest("s", "j", inputs="then"))
    assert run.of(WarningGiven)[-1].message == ("s/j@a runs with the variables of now: what it read before is not kept")


# -- from here on


def three_stages(**more: Any) -> Scenario:
    return scenario(
        stage("s", job("j"), job("k", items=ItemsSpec((("1..3",),)))),
        stage("t", job("m", READS), job("when", when="vars.x > 5")),
        stage("u", job("n")),
        agents="a b",
        variables={"x": 1, **more},
    )


@pytest.mark.parametrize(
    ("asked", "started"),
    [
        (RerunRequest("t", "m", "b", from_here=True), ["t/m@b", "u/n@b"]),
        (RerunRequest("t", from_here=True), ["t/m@a", "t/m@b", "u/n@a", "u/n@b"]),
        (RerunRequest("s", instance=named("s/k@a[2]"), from_here=True), ["s/k@a[2]", "s/k@a[3]", "t/m@a", "u/n@a"]),
        (RerunRequest("u", "n", from_here=True), ["u/n@a", "u/n@b"]),
    ],
)
def test_from_here_is_the_row_and_what_comes_after_it_on_the_same_agents(
    asked: RerunRequest, started: list[str]
) -> None:
    run = console(three_stages())
    before = len(run.of(JobStarted))
    run.go(asked)
    assert [name for name, _ in sent(run, before)] == started
    assert run.of(RerunBegun)[-1].which == "from here"
    assert not refusals(run)


def test_stages_follow_each_other_and_what_was_passed_over_is_decided_anew() -> None:
    run = console(three_stages())
    run.go(SetVariableRequest("x", 9))
    run.answer = lambda sent: None
    before = len(run.of(JobStarted))
    run.go(RerunRequest("t", "m", "a", from_here=True))
    assert [name for name, _ in sent(run, before)] == ["t/m@a"]
    run.go(RerunRequest("t", "m", "a", from_here=True))
    assert refusals(run) == ["t/m@a runs right now"]
    run.answer = lambda sent: report(sent.attempt, "ok", {})
    run.go(report("t/m@a#2"))
    assert [name for name, _ in sent(run, before)] == ["t/m@a", "t/when@a", "u/n@a"]


def test_in_a_run_that_is_under_way_it_goes_as_far_as_it_has_come() -> None:
    run = console(three_stages(), failing("t/m@b"))
    run.answer = failing()
    before = len(run.of(JobStarted))
    run.go(RerunRequest("s", "k", "b", from_here=True))
    assert [name for name, _ in sent(run, before)] == ["s/k@b[1]", "s/k@b[2]", "s/k@b[3]", "t/m@b"]
    run.go(GoRequest())
    assert [name for name, _ in sent(run, before + 4)] == ["u/n@a", "u/n@b"]  # what has not run comes anyway


def test_nothing_has_run_from_there() -> None:
    run = console(three_stages(), start_paused=True)
    run.go(RerunRequest("u", "n", "a", from_here=True))
    assert refusals(run) == ["it has not run yet"]


# -- skipping all


def test_all_failures_of_a_job_are_skipped_and_the_others_stay() -> None:
    run = console(three_stages(), failing("s/j"))
    run.go(SkipAllRequest("failed", agent="a"))
    assert [i.id.agent for i in run.engine.instances.in_state("undecided")] == ["b"]
    run.go(SkipAllRequest("failed", agent="a"))
    assert refusals(run) == ["nothing stands failed in agent a"]
    run.go(SkipAllRequest("failed"))
    run.go(GoRequest())
    assert run.ended().count("s/j@a skipped") == run.ended().count("s/j@b skipped") == 1


def test_what_is_held_is_skipped_and_what_comes_to_the_gate_by_that_is_not() -> None:
    run = console(three_stages(), start_paused=True)
    run.go(StepRequest())
    run.go(SkipAllRequest("held", instances=(named("s/j@b"), named("s/j@a"))))
    assert run.of(WarningGiven)[-1].message == "not skipped, since it is not held: s/j@a"
    assert run.ended()[-1] == "s/j@b skipped"
    run.go(SkipAllRequest("held"))
    held = sorted(str(i.id) for i in run.engine.instances.in_state("held"))
    assert held == ["s/k@a[2]", "s/k@b[2]"]


# -- what is held after its attempt


@pytest.mark.parametrize("from_here", [False, True])
def test_what_is_held_after_its_attempt_runs_again_in_its_place_with_what_it_is_given(from_here: bool) -> None:
    run = console(scenario(stage("s", job("j", READS), job("k")), variables={"x": 1}), start_paused=True)
    run.go(BreakRequest("s/j", when="after", is_once=True))
    run.go(GoRequest())
    run.go(SetArgumentsRequest(named("s/j@a"), {"argv": "by hand"}))
    run.go(RerunRequest("s", "j", "a", named("s/j@a"), from_here=from_here))
    assert not refusals(run)
    run.go(GoRequest())
    assert sent(run) == [("s/j@a", "1"), ("s/j@a", "by hand"), ("s/k@a", None)]
    assert run.engine.phase == "idle"


def test_what_is_held_after_its_attempt_goes_on_when_all_that_is_held_is_skipped() -> None:
    run = console(three_stages(), start_paused=True)
    run.go(BreakRequest("s/j@a", when="after", is_once=True))
    run.go(GoRequest())
    run.go(SkipAllRequest("held", job="j"))
    assert not refusals(run)
    assert "s/j@a skipped" not in run.ended()
