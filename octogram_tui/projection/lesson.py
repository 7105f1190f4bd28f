"""The lesson of the demo: which step is next, told by what happened in the run, never by which keys were pressed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId

VARIABLE = "air"
ENOUGH = 100

Step = Literal["start", "pause", "go", "watch", "edit", "redo", "wait", "continue", "on", "end"]

DEEDS = ("paused it", "repaired it", "ran again what had failed", "went on")

ORDER: tuple[Step, ...] = ("start", "pause", "go", "edit", "redo", "end")
"""The steps that count; the others stand between them."""


class Teaching(NamedTuple):
    """What is said at a step: `{name of an action}` stands for its key."""

    number: int  # of the steps that count; 0 for one between them
    says: str


SAYS: dict[Step, str] = {
    "start": "This run is held before its first stage: nothing has happened yet. {pause or go} lets it go.",
    "pause": "Three divers get dressed, a piece each second. {pause or go} pauses: what is at work ends, "
    "and nothing new begins.",
    "go": "The plan shows what comes next. {step over} lets one job through; {pause or go} lets the run go on.",
    "watch": "In a moment something will fail. You need not do anything.",
    "edit": "diver_2 failed, and everything is still alive. Above it says why: `air` is too small. "
    "{edit} sets a variable: make it 200.",
    "redo": "Now `air` is enough. {rerun failed} runs again what failed, nothing else, and lets the run go on.",
    "wait": "It is tried again.",
    "continue": "It went well this time. {pause or go} lets the run go on.",
    "on": "The run goes on to its end.",
}


class Lesson:
    """The fold."""

    def __init__(self) -> None:
        self.is_skipped = False
        self._paused_by = ""
        self._was_started = False
        self._did: set[str] = set()
        self._failed: set[InstanceId] = set()
        self._again: set[InstanceId] = set()
        self._has_failed = False
        self._has_air = False
        self._is_over = False
        self._exit_code = 0

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.RunPaused():
                self._paused_by = event.reason
                if event.reason == "operator":
                    self._did.add("paused it")
            case ev.RunResumed():
                self._was_started = True
                if event.mode != "step":
                    self._paused_by = ""
                    if self._has_failed:
                        self._did.add("went on")
            case ev.VariableChanged() if event.name == VARIABLE and self._was_started:
                self._has_air = _is_enough(event.value)
                if self._has_air:
                    self._did.add("repaired it")
            case ev.JobStarted():
                self._was_started = True
                if event.why == "rerun":
                    self._again.add(event.instance)
                    self._failed.discard(event.instance)
            case ev.JobFinished() if not event.will_retry:
                if event.state == "failed":
                    self._failed.add(event.instance)
                    self._has_failed = True
                elif event.instance in self._again:
                    self._did.add("ran again what had failed")
                self._again.discard(event.instance)
            case ev.StagesDone() | ev.RunFinished() | ev.StopRequested():
                self._is_over = True
                self._exit_code = getattr(event, "exit_code", self._exit_code)

    @property
    def step(self) -> Step:
        """Which step is next."""
        if self._is_over:
            return "end"
        if self._failed:
            return "redo" if self._has_air else "edit"
        if self._again:
            return "wait"
        if self._paused_by:
            if self._has_failed:
                return "continue"
            return "go" if self._was_started else "start"
        if self._has_failed:
            return "on"
        if not self._was_started:
            return "start"
        return "watch" if "paused it" in self._did else "pause"

    @property
    def teaching(self) -> Teaching | None:
        """Say what is to be said now; None once nobody wants to be taught."""
        if self.is_skipped:
            return None
        step = self.step
        number = ORDER.index(step) + 1 if step in ORDER else 0
        return Teaching(number, self._end() if step == "end" else SAYS[step])

    def _end(self) -> str:
        then = "`octogram-tui` alone shows what else there is. {leave} leaves."
        if not self._did or self._exit_code:
            return f"The demo is over. It can be run again at any time: octogram-tui demo. {then}"
        *others, last = (deed for deed in DEEDS if deed in self._did)
        did = f"{', '.join(others)} and {last}" if others else last
        return f"That is all of it: you {did}. It is the same with fifty machines. {then}"


def _is_enough(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= ENOUGH
