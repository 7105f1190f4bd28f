"""How plain lines speak of durations, instances and states. Pure."""

from __future__ import annotations

import json
import re

from octogram_tui.model.ids import InstanceId

VERSION = 1
"""Of the documents that are made for programs: `v`, another one when a member comes to mean another thing."""
SHOWN_VALUE = 200
SHOWN_PAUSE_S = 0.05
GLYPHS = {"ok": "✓", "failed": "✗", "skipped": "-", "cancelled": "~", "retry": "↻", "warning": "!"}
WORDS = {"ok": "ok", "failed": "FAIL", "skipped": "skip", "cancelled": "stop", "retry": "again", "warning": "warn"}
COLORS = {"ok": "32", "failed": "31;1", "skipped": "2", "cancelled": "33", "retry": "33", "warning": "33"}


def duration(seconds: float) -> str:
    """Say how long, in at most three digits and a unit or two: 0.04s, 12.3s, 1m03s, 2h05m."""
    if seconds < 9.995:
        return f"{seconds:.2f}s"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    if seconds < 3599.5:
        return f"{int(seconds + 0.5) // 60}m{int(seconds + 0.5) % 60:02}s"
    minutes = int(seconds / 60 + 0.5)
    return f"{minutes // 60}h{minutes % 60:02}m"


def lasted(seconds: float, paused_s: float) -> str:
    """Say how long something took: how long it worked, and for how long it was held, where it was."""
    if paused_s < SHOWN_PAUSE_S:
        return duration(seconds)
    return f"{duration(max(0.0, seconds - paused_s))}, and {duration(paused_s)} held"


def outcome_of(exit_code: int | None) -> str:
    """Give `ok`, `failed`, or `unfinished` when nobody knows."""
    return "unfinished" if exit_code is None else "failed" if exit_code else "ok"


def value(given: object) -> str:
    """Write a variable's value as JSON, which is how the language writes it too, and not all of a long one."""
    text = json.dumps(given, ensure_ascii=False)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}... ({len(text)} characters)"


def case_name(instance: InstanceId) -> str:
    """Name an instance within its stage: `job [agent] (item)`."""
    name = f"{instance.job} [{instance.agent}]"
    return name if instance.item is None else f"{name} ({instance.item})"


_COLOUR = r"\x1b\[[0-9;:]*m"
_HASH_COMMAND = re.compile(rf"#(?=(?:{_COLOUR})*#(?:{_COLOUR}|\w)*\[)")
_OPENING = re.compile(rf"((?:{_COLOUR}|\s)*)(?=::|(?:---|\+\+\+|~~~|\^\^\^)(?:\s|$))")


def disarmed(text: str) -> str:
    """Break what CI services take for a command wherever in a line it stands: `##[`, `##vso[`, `##teamcity[`.

    Whatever the service is: it need not have told us of itself, as inside of a container.
    """
    return _HASH_COMMAND.sub("# ", text) if "#" in text else text


def unobeyed(line: str) -> str:
    """Give a whole line that begins with no command: `::word::` of GitHub, a group's header of Buildkite."""
    if line.lstrip()[:1] not in _SIGNS:
        return line
    found = _OPENING.match(line)
    return line if found is None else f"{found[1]}| {line[found.end() :]}"


_SIGNS = frozenset(":-+~^\x1b")
