"""How times, counts and values read: pure functions, so that console, reports and prompt say the same the same way."""

from __future__ import annotations

import json

from octogram_tui.projection.text import safe

VALUE_CHARACTERS = 400


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


def plural(count: int, noun: str) -> str:
    """Say how many: 1 job, 2 jobs, 1 234 jobs."""
    shown = f"{count:,}".replace(",", " ")
    return f"{shown} {noun}" if count == 1 else f"{shown} {noun}s"


def value(given: object) -> str:
    """Write a value on one line: texts as they are where that is clear, all else as JSON."""
    if isinstance(given, str) and given and given == given.strip() and not _reads_as_other(given):
        return safe(given, limit=VALUE_CHARACTERS)
    try:
        text = json.dumps(given, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(given)
    return safe(text, limit=VALUE_CHARACTERS)


def block(given: object, *, indent: int = 0) -> list[str]:
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
