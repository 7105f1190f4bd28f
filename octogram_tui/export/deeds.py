"""What was done to a run, and what befell it beside its jobs: pauses, edits, breakpoints, losses, warnings."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.engine import events as ev
from octogram_tui.export.bounds import DEED_CHARACTERS, DEEDS
from octogram_tui.projection.stale import went_back
from octogram_tui.projection.telling import told
from octogram_tui.projection.ticks import OPERATOR, kind_of
from octogram_tui.projection.value_text import plural, value


class Deed(NamedTuple):
    """One of them. who: operator, a breakpoint, the run ...; level: information, warning or error."""

    at_s: float
    who: str
    text: str
    level: str = "information"


class Deeds:
    """The fold: the first of them, and the last."""

    def __init__(self) -> None:
        self._first: list[Deed] = []
        self._last: deque[Deed] = deque(maxlen=DEEDS // 2)
        self.count = 0
        self._stage_runs = False

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.StageStarted | ev.StageFinished):
            self._stage_runs = isinstance(event, ev.StageStarted)
        if isinstance(event, ev.JobFinished) and event.reason != OPERATOR:
            return  # as nearly all
        deed = deed_of(event)
        if deed is None or (isinstance(event, ev.ServiceAnnounced) and not self._stage_runs):
            return  # at the end everything that goes on is stopped
        self.count += 1
        (self._first if len(self._first) < DEEDS - DEEDS // 2 else self._last).append(deed)

    @property
    def all(self) -> list[Deed]:
        """Those that are kept, in order."""
        return [*self._first, *self._last]

    @property
    def left_out(self) -> int:
        """How many are missing, in the middle."""
        return self.count - len(self._first) - len(self._last)


_OF_AGENTS = {
    ev.AgentFailed: "could not be started",
    ev.AgentLost: "is lost",
    ev.AgentSuspect: "is not heard of",
}


def deed_of(event: ev.Event) -> Deed | None:
    """Tell of an event, None where it is an ordinary part of a run."""
    found = _told(event)
    if found is None:
        return None
    who, text, *level = found
    return Deed(event.at_s, who, beginning(text, DEED_CHARACTERS), *level)


def _told(event: ev.Event) -> tuple[str, ...] | None:
    match event:
        case ev.RunPaused():
            if event.reason == "breakpoint":
                return None  # that it was met has just been told
            return event.reason, f"paused the run{_more(event.message)}"
        case ev.RunResumed():
            what = f"let through: {event.what}" if event.mode == "step" else "let the run go on"
            return OPERATOR, what + (f", on {event.agent}" if event.agent else "")
        case ev.AgentHeld():
            return event.reason, f"held agent {event.agent}{_more(event.message)}"
        case ev.AgentReleased():
            return OPERATOR, f"let agent {event.agent} go on"
        case ev.ArgumentsSet():
            given = ", ".join(f"{name} = {value(each)}" for name, each in event.arguments.items())
            return event.by, f"gave {event.instance} other arguments: {given or 'those of its text again'}"
        case ev.VariableChanged() if event.by == OPERATOR:
            stale = f"; {plural(event.stale, 'row')} became stale" if event.stale else ""
            what = f"removed {event.name}" if event.removed else f"set {event.name} = {value(event.value)}"
            return OPERATOR, what + stale
        case ev.BreakpointSet():
            if event.by == "run":
                return None  # what `on_failure: pause` is
            return event.by, f"set breakpoint {event.number}: {event.when} {event.pattern}{_more(event.condition)}"
        case ev.BreakpointRemoved():
            return event.reason, f"removed breakpoint {event.number}"
        case ev.BreakpointMet():
            at = f" at {event.instance or event.row}" if event.instance or event.row else ""
            return f"breakpoint {event.number}", f"{'wrote' if event.is_log else 'stopped'}{at}{_more(event.message)}"
        case ev.RerunBegun():
            return OPERATOR, event.message or f"had everything that is {event.which} run again"
        case ev.CourseMovedBack():
            return OPERATOR, went_back(event)
        case ev.ConfirmationAsked():
            return "run", f"stage {event.stage} waited for a confirmation"
        case ev.ConfirmationGiven():
            return event.by, f"answered {'yes' if event.answer else 'no'} to stage {event.stage}"
        case ev.ScenarioReloaded():
            return OPERATOR, f"edited the scenario: {'; '.join(event.changes) or 'no change'}"
        case ev.ScenarioRejected():
            said = "; ".join(f"line {each.get('line', 0)}: {each.get('message', '')}" for each in event.problems[:3])
            return OPERATOR, f"saved an edit that is wrong, the old text stayed{_more(said)}", "warning"
        case ev.JobStarted() if event.why == "rerun":
            return OPERATOR, f"had {event.instance} run again, attempt {event.attempt}"
        case ev.RunTakenUp():
            return "run", f"went on in another process, after {event.down_s:.1f}s without one", "warning"
        case ev.JobInDoubt():
            return "run", f"{event.instance}: nobody knows how it ended{_more(event.reason)}", "warning"
        case ev.AgentFailed() | ev.AgentLost() | ev.AgentSuspect():
            level = "warning" if isinstance(event, ev.AgentSuspect) else "error"
            return f"agent {event.agent}", f"{_OF_AGENTS[type(event)]}{_more(event.message)}", level
        case ev.AgentStopped() if not event.is_clean:
            return f"agent {event.agent}", f"did not confirm that nothing is left{_more(event.message)}", "error"
        case ev.ServiceAnnounced() if event.state == "down" and event.reason:
            return f"agent {event.agent}", f"{event.name} is down{_more(event.reason)}"
        case ev.WarningGiven() | ev.RequestRefused():
            return "run", event.message, "warning"
        case ev.StopRequested():
            return event.by, f"stopped the run{', without grace' if event.force else ''}"
        case ev.StagesDone():
            return "run", "every stage had ended; the agents were kept alive"
    if kind_of(event) == "act":
        return OPERATOR, told(event)
    return None


def _more(text: str) -> str:
    return f": {text}" if text else ""
