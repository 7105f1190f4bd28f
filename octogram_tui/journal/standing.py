"""How a run stands that has not ended: whether it goes on or waits for somebody, and how much of it stands failed.

Read from the end of its journal, so that a list of runs costs no more for long ones. What only an older part of a
journal would say is not known here: whoever wants all of it opens the run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.journal import codec
from octogram_tui.model.ids import InstanceId

TAIL_BYTES = 4 * 1024 * 1024
_TELLING = re.compile(
    rb'"type":"(?:run_paused|run_resumed|confirmation_asked|confirmation_given|stages_done|stage_started|'
    rb'stop_requested|job_finished|job_started|run_started)"'
)

Course = Literal["running", "paused", "waiting", "done", "stopping"]


class Standing(NamedTuple):
    """Where a run is. course: `waiting` for an answer, `done` with its stages; reason: of a pause or a stop."""

    course: Course = "running"
    reason: str = ""
    failures: int = 0  # instances that stand failed
    at_s: float = 0.0  # of the last event

    @property
    def says(self) -> str:
        """Say it in a few words."""
        match self.course:
            case "paused" if self.reason == "failure":
                return "paused at a failure"
            case "paused" if self.reason == "start":
                return "paused before its start"
            case "paused":
                return "paused"
            case "waiting":
                return f"asks before stage {self.reason}"
            case "done":
                return "done, its agents are up"
            case course:
                return course

    @property
    def wants_operator(self) -> bool:
        """Whether nothing goes on until somebody comes."""
        return self.course in ("paused", "waiting")


def standing_of(journal: Path) -> Standing:
    """Read the end of a journal; of one that cannot be read nothing is known."""
    try:
        with journal.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            lines = file.read().split(b"\n")[:-1]  # what follows the last line end is cut short
    except OSError:
        return Standing()
    fold = _Fold()
    last: ev.Event | None = None
    for line in lines:
        if _TELLING.search(line, 0, 200) and (event := _event(line)) is not None:
            fold.apply(event)
    for line in reversed(lines):
        if (last := _event(line)) is not None:
            break
    return fold.standing(last.at_s if last is not None else 0.0)


def _event(line: bytes) -> ev.Event | None:
    try:
        return codec.decode(line)
    except (ValueError, TypeError, KeyError):
        return None


class _Fold:
    """What the telling events come to."""

    def __init__(self) -> None:
        self._course: Course = "running"
        self._reason = ""
        self._asked: dict[str, None] = {}
        self._failed: set[InstanceId] = set()

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.JobFinished():
                if event.state == "failed" and not event.will_retry and not event.is_tolerated:
                    self._failed.add(event.instance)
                else:
                    self._failed.discard(event.instance)
            case ev.JobStarted():
                self._failed.discard(event.instance)
            case ev.RunPaused():
                self._course, self._reason = "paused", event.reason
            case ev.RunResumed():
                self._course, self._reason = ("paused", "step") if event.mode == "step" else ("running", "")
            case ev.ConfirmationAsked():
                self._asked[event.stage] = None
            case ev.ConfirmationGiven():
                self._asked.pop(event.stage, None)
            case ev.StagesDone():
                self._course, self._reason = "done", ""
            case ev.StageStarted() if self._course == "done":
                self._course = "running"
            case ev.StopRequested():
                self._course, self._reason = "stopping", event.by

    def standing(self, at_s: float) -> Standing:
        """Give what they have come to."""
        if self._asked and self._course in ("running", "paused"):
            return Standing("waiting", next(iter(self._asked)), len(self._failed), at_s)
        return Standing(self._course, self._reason, len(self._failed), at_s)
