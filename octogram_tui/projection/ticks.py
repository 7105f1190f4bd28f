"""The moments of a run that one wants to go to: stages, failures, what the operator did, reloads, losses.

By kind, and as bare numbers: a run may have a million of them. What a tick is about, its event tells.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Literal, get_args

from octogram_tui.engine import events as ev

TickKind = Literal["stage", "failure", "act", "reload", "loss"]
KINDS: tuple[TickKind, ...] = get_args(TickKind)

OPERATOR = "operator"
NO_TICKS = frozenset({"job_output", "job_progress", "job_held", "agent_load", "service_announced"})
"""Most events are of these types, and none of them is a tick: they need not be shown to the fold."""


class Moments:
    """The ticks of one kind, in order."""

    __slots__ = ("at_s", "seqs")

    def __init__(self) -> None:
        self.seqs = array("Q")
        self.at_s = array("d")

    def __len__(self) -> int:
        return len(self.seqs)

    def add(self, event: ev.Event) -> None:
        """Take one in."""
        self.seqs.append(event.seq)
        self.at_s.append(event.at_s)

    def before(self, seq: int) -> int | None:
        """Give the last before an event."""
        place = bisect_left(self.seqs, seq)
        return self.seqs[place - 1] if place else None

    def after(self, seq: int) -> int | None:
        """Give the first after an event."""
        place = bisect_right(self.seqs, seq)
        return self.seqs[place] if place < len(self.seqs) else None

    def is_between(self, start_s: float, end_s: float) -> bool:
        """Whether there is one in a stretch of time, its end left out."""
        place = bisect_left(self.at_s, start_s)
        return place < len(self.at_s) and self.at_s[place] < end_s


class Ticks:
    """The fold."""

    def __init__(self) -> None:
        self.of: dict[TickKind, Moments] = {kind: Moments() for kind in KINDS}
        self.version = 0

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        kind = kind_of(event)
        if kind is not None:
            self.of[kind].add(event)
            self.version += 1


def kind_of(event: ev.Event) -> TickKind | None:
    """Say which kind of tick an event is; None of most."""
    if isinstance(event, ev.JobStarted):
        return "act" if event.why == "rerun" else None
    if isinstance(event, ev.JobFinished):
        if event.state == "failed":
            return None if event.will_retry else "failure"
        return "act" if event.state == "skipped" and event.reason == OPERATOR else None
    kind = _ALWAYS.get(type(event))
    if kind is not None:
        return kind
    match event:
        case ev.RunPaused() | ev.AgentHeld() | ev.BreakpointRemoved():
            return "act" if event.reason == OPERATOR else None
        case ev.BreakpointSet() | ev.ArgumentsSet() | ev.ConfirmationGiven() | ev.StopRequested():
            return "act" if event.by == OPERATOR else None
        case ev.VariableChanged():
            return "act" if event.by == OPERATOR else None
    return None


_ALWAYS: dict[type[ev.Event], TickKind] = {
    ev.StageStarted: "stage",
    ev.AgentFailed: "failure",
    ev.AgentLost: "loss",
    ev.RunTakenUp: "loss",
    ev.ScenarioReloaded: "reload",
    ev.ScenarioRejected: "reload",
    **dict.fromkeys((ev.RunResumed, ev.RerunBegun, ev.AgentReleased, ev.HoldModeChosen, ev.CourseMovedBack), "act"),
}
