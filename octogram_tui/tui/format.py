"""How states, times and values read: pure functions, so that every pane says the same in the same way."""

from __future__ import annotations

from typing import Any, NamedTuple

from octogram_agentd.network.endpoint import Endpoint
from octogram_tui.projection.breakpoints import Listed
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.value_text import block, clock, duration, plural, stamp, value

__all__ = ["AGENT_LOOKS", "LOOKS", "Look", "block", "clock", "duration", "kind", "place", "plural", "stamp", "value"]


class Look(NamedTuple):
    """A state as people see it: a sign, the sign where only ASCII can be drawn, a word, and the name of its style."""

    sign: str
    ascii_sign: str
    word: str
    style: str


LOOKS: dict[State, Look] = {
    State.PENDING: Look("◦", ".", "pending", "pending"),
    State.HELD: Look("∎", "p", "held", "held"),
    State.RUNNING: Look("▸", ">", "running", "running"),
    State.RETRYING: Look("↻", "r", "retrying", "retrying"),
    State.OK: Look("✓", "v", "ok", "ok"),
    State.FAILED: Look("✗", "x", "failed", "failed"),
    State.TOLERATED: Look("✗", "x", "failed, tolerated", "tolerated"),
    State.SKIPPED: Look("»", "s", "skipped", "skipped"),
    State.CANCELLED: Look("⊝", "c", "cancelled", "cancelled"),
    State.STALE: Look("~", "~", "stale", "stale"),
    State.LOST: Look("⊘", "/", "agent lost", "lost"),
}

AGENT_LOOKS: dict[AgentState, Look] = {
    AgentState.WAITING: Look("◦", ".", "waiting", "pending"),
    AgentState.STARTING: Look("▸", ">", "starting", "running"),
    AgentState.READY: Look("✓", "v", "ready", "ok"),
    AgentState.SUSPECT: Look("↻", "r", "not heard of", "retrying"),
    AgentState.FAILED: Look("✗", "x", "not started", "failed"),
    AgentState.LOST: Look("⊘", "/", "lost", "lost"),
    AgentState.STOPPED: Look("∎", "-", "stopped", "skipped"),
    AgentState.UNCLEAN: Look("✗", "x", "not clean", "failed"),
}

AT_BREAKPOINT = Look("◉", "b", "at a breakpoint", "held")

PLAIN = Look("◉", "b", "stops", "held")
CONDITIONAL = Look("◍", "?", "stops at times", "held")
LOGS = Look("◊", "l", "writes a text", "accent")
OFF = Look("◌", "o", "off", "faint")
BREAK_LOOKS = (PLAIN, CONDITIONAL, LOGS, OFF)


def break_look(listed: Listed) -> Look:
    """Choose how a breakpoint is drawn."""
    given = listed.breakpoint
    if not given.is_on:
        return OFF
    if given.log:
        return LOGS
    return CONDITIONAL if given.condition or given.hits or given.name else PLAIN


def place(address: str, port: int, *, scheme: str = "http://") -> str:
    """Write where something listens, as a browser takes it."""
    return f"{scheme}{Endpoint(address or 'localhost', port)}"


def kind(given: Any) -> str:
    """Name the type of a value, for people."""
    if given is None:
        return "nothing (null)"
    if isinstance(given, bool):
        return "a truth value"
    if isinstance(given, (int, float)):
        return "a number"
    if isinstance(given, str):
        return "a text"
    return f"a list of {len(given)}" if isinstance(given, list) else "a map" if isinstance(given, dict) else "a value"


def clock_of(at_s: float, whole: float) -> str:
    """Write a moment as the scale needs it: with tenths where the whole is short."""
    return f"{at_s:.1f}s" if whole < 20 else clock(at_s)
