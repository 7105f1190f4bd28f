"""The demo's lesson follows what happens in the run, in whatever way the operator got there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.lesson import SAYS, Lesson
from octogram_tui.tui.keymap import ACTIONS

DIVE = InstanceId("dive", "look for pearls", "diver_2")

START: list[ev.Event] = [ev.RunStarted(run="r", scenario="demo.yml"), ev.RunPaused(reason="start")]
GO: list[ev.Event] = [ev.RunResumed(), ev.JobStarted(instance=InstanceId("dress", "j", "diver_1"), attempt=1)]
PAUSE: list[ev.Event] = [ev.RunPaused(reason="operator")]
FAIL: list[ev.Event] = [
    ev.JobStarted(instance=DIVE, attempt=1),
    ev.JobFinished(instance=DIVE, attempt=1, state="failed"),
    ev.RunPaused(reason="failure"),
]
EDIT: list[ev.Event] = [ev.VariableChanged(name="air", value=200, by="operator")]
AGAIN: list[ev.Event] = [ev.JobStarted(instance=DIVE, attempt=2, why="rerun")]
WELL: list[ev.Event] = [ev.JobFinished(instance=DIVE, attempt=2, state="ok")]
ON: list[ev.Event] = [ev.RunResumed()]
END: list[ev.Event] = [ev.StagesDone(exit_code=0)]


def taught(*parts: Sequence[ev.Event]) -> Lesson:
    lesson = Lesson()
    for part in parts:
        for event in part:
            lesson.apply(event)
    return lesson


@pytest.mark.parametrize(
    ("parts", "step"),
    [
        ([START], "start"),
        ([START, GO], "pause"),
        ([START, GO, PAUSE], "go"),
        ([START, GO, PAUSE, [ev.RunResumed(mode="step")]], "go"),
        ([START, GO, PAUSE, ON], "watch"),
        ([START, GO, FAIL], "edit"),  # nobody paused: that is no reason to wait for it
        ([START, GO, PAUSE, ON, FAIL], "edit"),
        ([START, GO, FAIL, [ev.VariableChanged(name="other", value=200)]], "edit"),
        ([START, GO, FAIL, [ev.VariableChanged(name="air", value=5)]], "edit"),
        ([START, GO, FAIL, [ev.VariableChanged(name="air", value="200")]], "edit"),
        ([START, GO, FAIL, [ev.VariableChanged(name="air", value=True)]], "edit"),
        ([START, GO, FAIL, EDIT], "redo"),
        ([START, GO, FAIL, [ev.VariableChanged(name="air", value=200, by="scenario")]], "redo"),  # by the file
        ([START, GO, FAIL, EDIT, AGAIN], "wait"),
        ([START, GO, FAIL, EDIT, AGAIN, WELL], "continue"),
        ([START, GO, FAIL, EDIT, ON, AGAIN, WELL], "on"),  # what goes on by itself
        ([START, GO, FAIL, AGAIN, [ev.JobFinished(instance=DIVE, attempt=2, state="failed")]], "edit"),
        ([START, GO, FAIL, EDIT, AGAIN, WELL, ON], "on"),
        ([START, GO, FAIL, EDIT, AGAIN, WELL, ON, END], "end"),
        ([START, GO, [ev.StopRequested(by="operator")]], "end"),
    ],
)
def test_the_step_is_told_by_what_happened(parts: list[list[ev.Event]], step: str) -> None:
    assert taught(*parts).step == step


def test_at_the_end_it_says_what_was_learnt_and_nothing_else() -> None:
    whole = taught(START, GO, PAUSE, ON, FAIL, EDIT, ON, AGAIN, WELL, END).teaching
    assert whole is not None
    assert "you paused it, repaired it, ran again what had failed and went on" in whole.says
    some = taught(START, GO, FAIL, EDIT, AGAIN, WELL, END).teaching
    assert some is not None
    assert "you repaired it and ran again what had failed" in some.says
    stopped: list[ev.Event] = [ev.RunFinished(exit_code=130)]
    for parts in ([START, stopped], [START, GO, FAIL, EDIT, stopped]):
        broken_off = taught(*parts).teaching
        assert broken_off is not None
        assert broken_off.says.startswith("The demo is over.")


def test_who_wants_no_lesson_gets_none() -> None:
    lesson = taught(START)
    lesson.is_skipped = True
    assert lesson.teaching is None


def test_it_names_actions_that_there_are() -> None:
    names = {action.name for action in ACTIONS}
    for says in SAYS.values():
        for part in says.split("{")[1:]:
            assert part.partition("}")[0] in names


def test_a_job_that_fails_in_between_and_is_tried_again_is_no_failure() -> None:
    retried = ev.JobFinished(instance=DIVE, attempt=1, state="failed", will_retry=True)
    assert taught(START, GO, [retried]).step == "pause"
