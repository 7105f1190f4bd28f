"""Where a run is to stop, and which agents are held or let go by themselves: folded from events."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.projection.breakpoints import BreakpointList, Listed
from octogram_tui.projection.places import is_about
from octogram_tui.projection.rows import Row


class AgentHold(NamedTuple):
    """What was said of one agent, whatever the others do: it is held, or let go."""

    is_held: bool
    reason: str = ""
    message: str = ""


class Stops:
    """The fold. `version` grows when something that is drawn at rows or lines is another."""

    def __init__(self) -> None:
        self.breakpoints = BreakpointList()
        self.agents: dict[str, AgentHold] = {}
        self.mode = "all"  # what a breakpoint or a failure holds: all, or the agent alone
        self.met: ev.BreakpointMet | None = None  # the latest that stopped something
        self._version = 0

    @property
    def version(self) -> tuple[int, int]:
        """Another one when something changed."""
        return self._version, self.breakpoints.version

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self.breakpoints.apply(event)
        match event:
            case ev.BreakpointMet() if not event.is_log:
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
        self._version += 1

    # What is drawn

    @property
    def held_agents(self) -> list[str]:
        """The agents that are held by themselves."""
        return [name for name, hold in self.agents.items() if hold.is_held]

    def at(self, row: Row) -> list[Listed]:
        """Give the breakpoints that one looks for at a row."""
        return [each for each in self.breakpoints.listed if is_about(each.pattern, row)]

    def just_at(self, pattern: str, when: str) -> Listed | None:
        """Give the breakpoint of exactly one place and point."""
        for each in self.breakpoints.listed:
            if each.breakpoint.when == when and str(each.pattern) == pattern and not each.breakpoint.name:
                return each
        return None


def is_plain(listed: Listed) -> bool:
    """Whether nothing was typed for it: it is set again by one key."""
    given = listed.breakpoint
    return not (given.condition or given.hits or given.log or given.name or given.is_once)
