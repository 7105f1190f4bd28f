"""How states, times and values read: pure functions, so that every pane says the same in the same way."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from octogram_agentd.network.endpoint import Endpoint
from octogram_tui.projection.breakpoints import Listed
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.text import safe

VALUE_CHARACTERS = 400


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

PLAIN = Look("◉", "b", "stops", "held")
CONDITIONAL = Look("◍", "?", "stops at times", "held")
LOGS = Look("◊", "l", "writes, and goes on", "accent")
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


def duration(seconds: float | None) -> str:
    """Say how long: 0.4s, 41.0s, 1m03s, 2h05m, 3d04h; empty when it is not known."""
    if seconds is None:
        return ""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def clock(seconds: float) -> str:
    """Say how long as a clock does: 4:31, 1:02:05."""
    whole = int(max(0.0, seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def stamp(at_s: float) -> str:
    """Say when, since the start of the run: 00:41.220, 1:02:05.001."""
    seconds, milliseconds = divmod(round(max(0.0, at_s) * 1000), 1000)
    shown = f"{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
    return shown if seconds < 3600 else f"{seconds // 3600}:{shown}"


def place(address: str, port: int, *, scheme: str = "http://") -> str:
    """Write where something listens, as a browser takes it."""
    return f"{scheme}{Endpoint(address or 'localhost', port)}"


def plural(count: int, noun: str) -> str:
    """Say how many: 1 job, 2 jobs, 1 234 jobs."""
    shown = f"{count:,}".replace(",", " ")
    return f"{shown} {noun}" if count == 1 else f"{shown} {noun}s"


def value(given: Any) -> str:
    """Write a value on one line: texts as they are where that is clear, all else as JSON."""
    if isinstance(given, str) and given and given == given.strip() and not _reads_as_other(given):
        return safe(given, limit=VALUE_CHARACTERS)
    try:
        text = json.dumps(given, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(given)
    return safe(text, limit=VALUE_CHARACTERS)


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


def block(given: Any, *, indent: int = 0) -> list[str]:
    """Write a value over several lines, in the manner of YAML; not cut, and safe to show."""
    pad = "  " * indent
    if isinstance(given, dict) and given:
        lines: list[str] = []
        for name, entry in given.items():
            if (isinstance(entry, (dict, list)) and entry) or (isinstance(entry, str) and "\n" in entry.strip("\n")):
                lines += [f"{pad}{safe(name)}:", *block(entry, indent=indent + 1)]
            else:
                lines.append(f"{pad}{safe(name)}: {value(entry)}")
        return lines
    if isinstance(given, list) and given:
        lines = []
        for entry in given:
            first, *rest = block(entry, indent=indent + 1)
            lines += [f"{pad}- {first.lstrip()}", *rest]
        return lines
    if isinstance(given, str) and "\n" in given.strip("\n"):
        return [pad + safe(line) for line in given.strip("\n").split("\n")]
    return [pad + value(given)]


def _reads_as_other(text: str) -> bool:
    """Whether a text, written bare, would be taken for a number, a truth value or nothing."""
    if text in ("true", "false", "null"):
        return True
    try:
        float(text)
    except ValueError:
        return text[0] in "\"'{["
    return True
