"""Where a run is to stop, and which agents are held or let go by themselves: folded from events."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.places import is_about, read
from octogram_tui.projection.rows import Row


class BreakpointRow(NamedTuple):
    """A breakpoint that there is, and how often it was met. message: of the latest time that it was met."""

    number: int
    breakpoint: Breakpoint
    pattern: Pattern
    times: int = 0
    message: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether nothing was typed for it: it is set again by one key."""
        given = self.breakpoint
        return not (given.condition or given.hits or given.log or given.name or given.is_once)


class AgentHold(NamedTuple):
    """What was said of one agent, whatever the others do: it is held, or let go."""

    is_held: bool
    reason: str = ""
    message: str = ""


class Stops:
    """The fold. `version` grows when something that is drawn at rows or lines is another."""

    def __init__(self) -> None:
        self.by_number: dict[int, BreakpointRow] = {}
        self.agents: dict[str, AgentHold] = {}
        self.mode = "all"  # what a breakpoint or a failure holds: all, or the agent alone
        self.met: ev.BreakpointMet | None = None  # the latest that stopped something
        self.version = 0

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.BreakpointSet():
                self._set(event)
            case ev.BreakpointRemoved():
                self.by_number.pop(event.number, None)
            case ev.BreakpointMet():
                row = self.by_number.get(event.number)
                if row is not None:
                    self.by_number[event.number] = row._replace(times=event.count, message=event.message)
                if not event.is_log:
                    self.met = event
            case ev.AgentHeld():
                self.agents[event.agent] = AgentHold(True, event.reason, event.message)
            case ev.AgentReleased() if event.follows:
                self.agents.pop(event.agent, None)
            case ev.AgentReleased():
                self.agents[event.agent] = AgentHold(False)
            case ev.HoldModeChosen():
                self.mode = event.mode
            case _:
                return
        self.version += 1

    def _set(self, event: ev.BreakpointSet) -> None:
        number = event.number
        given = Breakpoint(
            event.pattern,
            event.when,  # type: ignore[arg-type]
            event.name,
            event.condition,
            event.hits,
            event.log,
            event.is_once,
            not event.is_off,
        )
        row = BreakpointRow(number, given, read(event.pattern) or Pattern())
        before = self.by_number.get(number)
        if before is not None:  # changed: what came of it stays
            row = row._replace(times=before.times, message=before.message)
        self.by_number[number] = row

    # What is drawn

    @property
    def held_agents(self) -> list[str]:
        """The agents that are held by themselves."""
        return [name for name, hold in self.agents.items() if hold.is_held]

    def at(self, row: Row) -> list[BreakpointRow]:
        """Give the breakpoints that one looks for at a row."""
        return [each for each in self.by_number.values() if is_about(each.pattern, row)]

    def just_at(self, pattern: str, when: str) -> BreakpointRow | None:
        """Give the breakpoint of exactly one place and point."""
        for each in self.by_number.values():
            if each.breakpoint.when == when and str(each.pattern) == pattern:
                return each
        return None
