"""Where a run is to stop, and which agents are held or let go by themselves: folded from events."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.overrides import Overrides
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
        self.overrides = Overrides()  # which agents are held, or go, whatever it is for all
        self._messages: dict[str, str] = {}
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
                self.overrides.set(event.agent, event.reason or "operator")
                self._messages[event.agent] = event.message
            case ev.AgentReleased():
                self.overrides.set(event.agent, None if event.follows else "")
            case ev.HoldModeChosen():
                self.mode = event.mode
            case _:
                return
        self._version += 1

    # What is drawn

    @property
    def held_agents(self) -> list[str]:
        """The agents that are held by themselves: names, and texts with `*`."""
        return list(self.overrides.held())

    def hold_of(self, agent: str) -> AgentHold | None:
        """What was said of an agent alone, or of some that it is among; None when it is with it as with all."""
        word = self.overrides.of(agent)
        text = self.overrides.rule_of(agent)
        return None if word is None else AgentHold(word != "", word, self._messages.get(text, "") if word else "")

    @property
    def agents(self) -> dict[str, AgentHold]:
        """What was said of single agents, or of those that fit a text with `*`, and still is so."""
        held = {text: AgentHold(True, why, self._messages.get(text, "")) for text, why in self.overrides.held().items()}
        return held | {text: AgentHold(False) for text in self.overrides.all_with("")}

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
