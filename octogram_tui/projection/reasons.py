"""Why things are as they are, as far as events tell: who asked for what, what holds a row, what one was passed over by.

A fold beside the board, which has how things are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.job_text import NO_TEXT, JobText, Reading, reading_of

KEPT_RERUNS = 200


class Rerun(NamedTuple):
    """Somebody had something run again. instances: which; None: the whole stage."""

    at_s: float
    words: str
    stage: str = ""
    instances: frozenset[str] | None = None

    def concerns(self, key: InstanceId) -> bool:
        """Whether an instance was meant."""
        return self.stage in ("", key.stage) and (self.instances is None or str(key) in self.instances)


class Passed(NamedTuple):
    """What `when` passed over: what it read, by which text. seq: the event that told it."""

    seq: int
    reading: Reading
    text: JobText = NO_TEXT


class Reasons:
    """The fold."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.held: dict[InstanceId, ev.JobHeld] = {}
        self.met: dict[InstanceId, ev.BreakpointMet] = {}  # the breakpoint that holds a row, or did last
        self.passed: dict[InstanceId, Passed] = {}
        self.given: dict[InstanceId, ev.ArgumentsSet] = {}  # for the next attempt
        self.by_hand_seq = 0  # the latest event by which the operator set a variable: what is held sees it
        self.paused: ev.RunPaused | None = None
        self._reruns: deque[Rerun] = deque(maxlen=KEPT_RERUNS)

    def apply(self, event: ev.Event) -> None:
        """Take one event in; the board has it already."""
        fold = _FOLDS.get(type(event))
        if fold is not None:
            fold(self, event)

    def rerun_of(self, key: InstanceId, at_s: float) -> Rerun | None:
        """Find what made an instance run again at a time."""
        return next((each for each in reversed(self._reruns) if each.at_s <= at_s and each.concerns(key)), None)

    def _held(self, event: ev.JobHeld) -> None:
        self.held[event.instance] = event

    def _started(self, event: ev.JobStarted) -> None:
        if self.held or self.passed or self.given:  # mostly there is nothing
            for kept in (self.held, self.passed, self.given):
                kept.pop(event.instance, None)

    def _finished(self, event: ev.JobFinished) -> None:
        if self.held:
            self.held.pop(event.instance, None)
        if event.state == "skipped" and event.reason.startswith("when:"):
            job = self._board.jobs.get((event.stage, event.job))
            text = job.text if job is not None else NO_TEXT
            self.passed[event.instance] = Passed(event.seq, reading_of(event), text)

    def _met(self, event: ev.BreakpointMet) -> None:
        if event.instance is not None and not event.is_log:
            self.met[event.instance] = event

    def _arguments_set(self, event: ev.ArgumentsSet) -> None:
        if event.arguments:
            self.given[event.instance] = event
        else:
            self.given.pop(event.instance, None)

    def _changed(self, event: ev.VariableChanged) -> None:
        if event.by == "operator":
            self.by_hand_seq = event.seq

    def _paused(self, event: ev.RunPaused) -> None:
        self.paused = event

    def _resumed(self, event: ev.RunResumed) -> None:
        if event.mode == "go" and not event.agent:
            self.paused = None

    def _rerun_begun(self, event: ev.RerunBegun) -> None:
        words = f"you had all that {'failed' if event.which == 'failed' else 'is ' + event.which} run again"
        self._reruns.append(Rerun(event.at_s, words, instances=frozenset(event.instances)))

    def _stage_started(self, event: ev.StageStarted) -> None:
        if event.rerun:
            self._reruns.append(Rerun(event.at_s, "you had its whole stage run again", event.stage))

    def _moved_back(self, event: ev.CourseMovedBack) -> None:
        self._reruns.append(Rerun(event.at_s, f"you went back to the beginning of stage {event.stage}"))


_FOLDS: dict[type[ev.Event], Callable[[Reasons, Any], None]] = {
    ev.JobHeld: Reasons._held,
    ev.JobStarted: Reasons._started,
    ev.JobFinished: Reasons._finished,
    ev.BreakpointMet: Reasons._met,
    ev.ArgumentsSet: Reasons._arguments_set,
    ev.VariableChanged: Reasons._changed,
    ev.RunPaused: Reasons._paused,
    ev.RunResumed: Reasons._resumed,
    ev.RerunBegun: Reasons._rerun_begun,
    ev.StageStarted: Reasons._stage_started,
    ev.CourseMovedBack: Reasons._moved_back,
}
"""Of the class, so that the fold can be copied with what it knows and nothing else."""
