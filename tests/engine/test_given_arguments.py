"""Arguments that the operator gives an instance: used by its next attempt, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from simulation import Simulation, job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import ArgumentsSet, JobFinished, JobStarted, RequestRefused, WarningGiven
from octogram_tui.engine.stimuli import (
    AttemptReport,
    EditReport,
    GoRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
)
from octogram_tui.engine.timers import RetryDue

J = named("s/j@a")


def failing(sent: SendJob) -> AttemptReport:
    is_right = sent.arguments.get("argv") == "right"
    return report(sent.attempt, "ok", {}) if is_right else report(sent.attempt, "failed", error={"kind": "exit"})


def run_of(*jobs: Any, answer: Any = failing, **options: Any) -> Simulation:
    given = scenario(stage("s", *jobs), variables={"x": "wrong"})
    return Simulation(given, answer, on_failure="pause", keep_alive=True, **options).begin()


def refusals(run: Simulation) -> list[str]:
    return [event.message for event in run.of(RequestRefused)]


def test_a_failure_runs_again_with_what_it_was_given_and_only_then() -> None:
    run = run_of(job("j", {"argv": "{{ vars.x }}", "cwd": "{{ vars.x }}/d"}))
    run.go(SetArgumentsRequest(J, {"argv": "still wrong"}))
    assert [(e.instance, e.arguments, e.by) for e in run.of(ArgumentsSet)] == [(J, {"argv": "still wrong"}, "operator")]
    run.go(RerunRequest("s", instance=J))
    run.go(RerunRequest("s", instance=J))
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    run.go(RerunRequest("s", instance=J))
    started = [(e.arguments["argv"], e.arguments["cwd"], e.edited) for e in run.of(JobStarted)]
    assert started == [
        ("wrong", "wrong/d", []),
        ("still wrong", "wrong/d", ["argv"]),
        ("wrong", "wrong/d", []),
        ("right", "wrong/d", ["argv"]),
    ]
    assert run.of(JobFinished)[-1].state == "ok"


def test_what_is_held_begins_with_it_and_the_item_beside_it_does_not() -> None:
    run = run_of(job("j", {"argv": "right"}), job("k", {"argv": "right"}), start_paused=True)
    run.go(SetArgumentsRequest(J, {"extra": [1, None, {"a": "{{ vars.x }}"}]}))
    run.go(StepRequest())
    run.go(GoRequest())
    assert [e.arguments for e in run.of(JobStarted)] == [
        {"argv": "right", "extra": [1, None, {"a": "{{ vars.x }}"}]},  # no template is expanded in it
        {"argv": "right"},
    ]


def test_given_one_after_the_other_they_are_all_used_and_taken_back_none_is() -> None:
    run = run_of(job("j", {"argv": "wrong"}))
    run.go(SetArgumentsRequest(J, {"one": 1}))
    run.go(SetArgumentsRequest(J, {"two": 2}))
    assert run.of(ArgumentsSet)[-1].arguments == {"one": 1, "two": 2}
    run.go(SetArgumentsRequest(J, remove=True))
    assert run.of(ArgumentsSet)[-1].arguments == {}
    run.go(RerunRequest("s", instance=J))
    assert run.of(JobStarted)[-1].edited == []
    run.go(SetArgumentsRequest(J, remove=True))
    assert refusals(run) == ["s/j@a was given no arguments"]


def test_what_is_tried_again_by_itself_is_tried_with_it_too() -> None:
    run = run_of(job("j", {"argv": "wrong"}, retries=1), start_paused=True)
    run.go(SetArgumentsRequest(J, {"argv": "other"}))
    run.go(GoRequest())
    run.fire(RetryDue(J))
    run.go(RerunRequest("s", instance=J))
    assert [e.arguments["argv"] for e in run.of(JobStarted)] == ["other", "other", "wrong"]


def test_a_template_that_cannot_be_expanded_is_replaced_and_its_job_runs() -> None:
    run = run_of(job("j", {"argv": "{{ vars.nobody }}"}))
    assert run.started() == []
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    run.go(RerunRequest("s", instance=J))
    assert run.ended() == ["s/j@a failed", "s/j@a ok"]


def test_a_stage_that_runs_again_uses_it_for_the_row_that_has_it() -> None:
    run = run_of(job("j", {"argv": "right"}), answer=lambda sent: report(sent.attempt, "ok", {}))
    run.go(SetArgumentsRequest(J, {"argv": "by hand"}))
    run.go(RerunRequest("s"))
    assert [e.arguments["argv"] for e in run.of(JobStarted)] == ["right", "by hand"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (SetArgumentsRequest(J, {"no": 1}), "there is no argument `no`"),
        (SetArgumentsRequest(J, {}), "say which arguments, and what they are to be"),
        (SetArgumentsRequest(named("s/k@a"), {"argv": ""}), "s/k@a has not come to the gate yet"),
        (SetArgumentsRequest(named("no/no@no"), {"argv": ""}), "no/no@no has not come to the gate yet"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(asked: SetArgumentsRequest, said: str) -> None:
    run = run_of(job("j", {"argv": "wrong"}), job("k"))
    run.go(asked)
    assert refusals(run) == [said]
    assert not run.engine.instances.given


def test_what_runs_is_not_given_any() -> None:
    run = run_of(job("j", {"argv": "wrong"}), answer=lambda sent: None)
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    assert refusals(run) == ["s/j@a runs right now"]


def test_an_edit_keeps_them_unless_nothing_takes_them_any_more() -> None:
    run = run_of(job("j", {"argv": "wrong"}))
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    run.go(EditReport(scenario(stage("s", job("j", {"argv": "edited", "cwd": "d"})), variables={"x": "wrong"})))
    assert run.engine.instances.given
    run.go(EditReport(scenario(stage("s", job("other")), variables={"x": "wrong"})))
    assert run.of(ArgumentsSet)[-1].arguments == {}
    assert run.of(ArgumentsSet)[-1].by == "scenario"
    assert "s/j@a was given are forgotten: the edited scenario has it no more" in run.of(WarningGiven)[-1].message


def test_what_ran_with_them_is_not_stale_once_the_file_says_the_same() -> None:
    run = run_of(job("j", {"argv": "{{ vars.x }}"}))
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    run.go(RerunRequest("s", instance=J))
    run.go(EditReport(scenario(stage("s", job("j", {"argv": "right"})), variables={"x": "wrong"})))
    assert not run.engine.instances.stale
    run.go(EditReport(scenario(stage("s", job("j", {"argv": "other"})), variables={"x": "wrong"})))
    assert list(run.engine.instances.stale) == [J]


def test_skipped_it_keeps_them_for_an_attempt_to_come() -> None:
    run = run_of(job("j", {"argv": "{{ vars.x }}"}))
    run.go(SetArgumentsRequest(J, {"argv": "right"}))
    run.go(SkipRequest(J))
    run.go(SetVariableRequest("x", "other"))
    run.go(RerunRequest("s"))
    assert run.of(JobStarted)[-1].edited == ["argv"]
