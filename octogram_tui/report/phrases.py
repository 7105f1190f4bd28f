"""How plain lines speak of durations, instances and states. Pure."""

from __future__ import annotations

import json
import re

SHOWN_VALUE = 200
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


def value(given: object) -> str:
    """Write a variable's value as JSON, which is how the language writes it too, and not all of a long one."""
    text = json.dumps(given, ensure_ascii=False)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}... ({len(text)} characters)"


def item_of(stage: str, job: str, agent: str, key: str) -> str:
    """Give the item's text in an instance's key, which is what tells apart the instances of one job on one agent."""
    rest = key.removeprefix(f"{stage}/{job}@{agent}")
    return rest[1:-1] if rest.startswith("[") and rest.endswith("]") else ""


def case_name(stage: str, job: str, agent: str, key: str) -> str:
    """Name an instance within its stage: `job [agent] (item)`."""
    item = item_of(stage, job, agent, key)
    return f"{job} [{agent}] ({item})" if item else f"{job} [{agent}]"


_HASH_COMMAND = re.compile(r"##(?=\[|vso\[)")


def disarmed(text: str) -> str:
    """Break what CI services take for a command wherever in a line it stands; `::command::` needs a line's start."""
    return _HASH_COMMAND.sub("# #", text) if "##" in text else text
