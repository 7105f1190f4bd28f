"""Events as plain sentences, in the words of a plain log; and what they need somebody for, each time that changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TextIO

from octogram_tui.engine import events as ev
from octogram_tui.projection.breakpoints import BreakpointList
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe
from octogram_tui.prompt.outlet import Outlet
from octogram_tui.report.plainlog import Style
from octogram_tui.report.progress import Progress
from octogram_tui.tui.format import plural, value
from octogram_tui.tui.model import Model
from octogram_tui.tui.needs import Need, needs_of

TYPED = {
    "pause or go": "go",
    "continue": "c",
    "step": "s",
    "step over": "n",
    "rerun failed": "retry",
    "rerun": "rerun ROW",
    "edit variable": "set NAME = VALUE",
    "edit arguments": "args ROW NAME=VALUE",
    "edit scenario": "edit",
    "skip": "skip",
    "open": "show",
    "first failure": "info failures",
    "leave": "quit",
    "stop": "stop",
    "help": "help",
}
"""What is typed for the keys that the console's banner names."""


class Teller:
    """Tells what happens. What the plain log has words for it tells; the rest, which is the debugger's, is here."""

    def __init__(self, model: Model, outlet: Outlet, stream: TextIO, style: Style) -> None:
        self._model = model
        self._outlet = outlet
        self._progress = Progress(stream, style)
        self.breakpoints = BreakpointList()
        self._needed: tuple[str, str] | None = None
        self._says: dict[type[ev.Event], Callable[[Any], str]] = {
            ev.RunResumed: self._resumed,
            ev.AgentHeld: lambda event: f"agent {event.agent} is held ({event.reason}) {event.message}".rstrip(),
            ev.AgentReleased: lambda event: f"agent {event.agent} goes on",
            ev.HoldModeChosen: lambda event: f"breakpoints and failures hold {_held(event.mode)}",
            ev.BreakpointSet: self._set,
            ev.BreakpointRemoved: lambda event: f"breakpoint {event.number} is gone",
            ev.BreakpointMet: _met,
            ev.ArgumentsSet: _arguments,
            ev.CourseMovedBack: lambda event: (
                f"back to the beginning of {event.stage}: {plural(event.restored, 'variable')} as they were then,"
                f" {plural(event.stale, 'instance')} stale; what was done on the agents stays"
            ),
            ev.JobStale: lambda event: f"{event.stage}/{event.job} is stale: {event.reason}" if event.reason else "",
            ev.RerunBegun: lambda event: event.message,
        }

    def tell(self, events: Sequence[ev.Event]) -> None:
        """Tell of a batch, and then, when that is something new, what the run needs somebody for."""
        for event in events:
            self.breakpoints.apply(event)
            if not self._progress.tells(event):
                say = self._says.get(type(event))
                said = say(event) if say is not None else ""
                if said:
                    self._outlet.say(safe(said))
            self._progress.apply([event])
        self.tell_needs()

    def _resumed(self, event: ev.RunResumed) -> str:
        if self._model.board.phase >= Phase.STOPPING:
            return ""  # what was held is let go of, to end
        if event.mode == "go":
            return f"agent {event.agent} goes on" if event.agent else "the run goes on"
        return f"step: {event.what}" if event.what else ""

    def _set(self, event: ev.BreakpointSet) -> str:
        """Say what a breakpoint is for, but for those that were there when the run began."""
        listed = self.breakpoints.by_number.get(event.number)
        if listed is None or event.by != "operator":
            return ""
        return f"breakpoint {listed.number}: {listed.words}{'' if listed.breakpoint.is_on else ', off'}"

    def list_breakpoints(self) -> list[str]:
        """List them, and how each stands."""
        listed = [f"{each.number}: {each.words}; {each.standing}" for each in self.breakpoints.listed]
        return [safe(line) for line in listed] or ["there are no breakpoints"]

    def tell_needs(self) -> None:
        """Say what somebody is needed for, once."""
        if self._model.is_back:  # what was needed then is past; it is told at `now`
            return
        board = self._model.board
        needs = needs_of(self._model, is_lost=self._model.is_lost, closed=set()) if board.seq else []
        urgent = [need for need in needs if need.kind != "info" and board.phase < Phase.STOPPING]
        key = (urgent[0].message, urgent[0].more) if urgent else None
        if key != self._needed:
            self._needed = key
            if urgent:
                self._outlet.say(*need_lines(urgent[0]))

    def close(self) -> None:
        """Sum the run up."""
        self._progress.close()


def need_lines(need: Need) -> list[str]:
    """Say what is the matter, and what can be typed."""
    lines = [f"* {safe(need.message)}"]
    if need.more:
        lines.append(f"  {safe(need.more)}")
    if need.tip:
        lines.append(f"  hint: {safe(need.tip)}")
    words = [_typed(need, action, what) for action, what in need.hints]
    offers = [word for word in words if word]
    return [*lines, *([f"  type {', '.join(offers)}"] if offers else [])]


def _typed(need: Need, action: str, what: str) -> str:
    if need.kind == "asks" and action == "pause or go":
        return "`yes` or `no`"
    word = TYPED.get(action)
    return f"`{word}` ({what})" if word and what not in (word, action) else f"`{word}`" if word else ""


def _held(mode: str) -> str:
    return "everything" if mode == "all" else "the agent alone where they are met"


def _met(event: ev.BreakpointMet) -> str:
    where = event.row or str(event.instance or "")
    return f"{where}: {event.message}" if event.is_log else f"breakpoint {event.number} at {where}: {event.message}"


def _arguments(event: ev.ArgumentsSet) -> str:
    given = ", ".join(f"{name} = {value(entry)}" for name, entry in event.arguments.items())
    return f"the next attempt of {event.instance} has {given or 'the arguments of the text again'}"
