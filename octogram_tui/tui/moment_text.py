"""A moment of a run in words: an event's number, a time since the start or of the day, or a stage's name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from octogram_tui.cuts import quoted
from octogram_tui.engine.events import StageStarted
from octogram_tui.errors import ExitCode, OctogramError

if TYPE_CHECKING:
    from octogram_tui.tui.model import Model

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
_OF_DAY = re.compile(r"@(\d\d?):(\d\d)(?::(\d\d(?:\.\d+)?))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d[T ].*")

HOW = "a number of an event, a time since the start (90s, 2m30s, 12:30), one of the day (@14:05), or a stage"


class MomentUnknown(OctogramError):
    """A text that names no moment of the run."""

    exit_code = ExitCode.USAGE


def moment_of(text: str, model: Model) -> int:
    """Give the number of the event that a text names. Raises MomentUnknown.

    `start` and `end`; a number; `90s`, `2m30s`, `12:30` or `1:02:05` since the start; `@14:05` or `@14:05:30` of the
    day, or a whole RFC 3339 time; else a stage: its name, or the beginning of one.
    """
    text = text.strip()
    if text in ("start", "end", "now"):
        return 1 if text == "start" else model.head.seq
    if text.isdecimal():
        return int(text)
    stage = _stage(text, model)
    if stage is not None:
        return stage
    at_s = _time(text, model)
    if at_s is None:
        raise MomentUnknown(f"{quoted(text, 60)} is no moment of this run", hint=HOW)
    return model.head.seq if at_s >= model.head.at_s else max(1, model.time.seq_at(at_s))


def _stage(text: str, model: Model) -> int | None:
    """Find where a stage began for the first time; an exact name goes before the beginning of one."""
    begun: dict[str, int] = {}
    for seq in model.time.ticks.of["stage"].seqs:
        event = model.time.event(seq)
        if isinstance(event, StageStarted):
            begun.setdefault(event.stage, seq)
    if text in begun:
        return begun[text]
    found = [seq for name, seq in begun.items() if text and name.lower().startswith(text.lower())]
    return found[0] if found else None


def _time(text: str, model: Model) -> float | None:
    if _DAY.fullmatch(text):
        return _since_start(text, model)
    if (found := _CLOCK.fullmatch(text)) is not None:
        return int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3])
    if (found := _OF_DAY.fullmatch(text)) is not None:
        return _of_day(int(found[1]), int(found[2]), float(found[3] or 0), model)
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + float(found[3] or 0)


def _since_start(text: str, model: Model) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if model.started_s is None:
        return None
    return (moment if moment.tzinfo else moment.astimezone()).timestamp() - model.started_s


def _of_day(hour: int, minute: int, second: float, model: Model) -> float | None:
    """Give the first such time of the day, here, that is not before the start."""
    if model.started_s is None or hour > 23 or minute > 59 or second >= 60:
        return None
    start = datetime.fromtimestamp(model.started_s, UTC).astimezone()
    moment = start.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(seconds=second)
    if moment < start.replace(microsecond=0):
        moment += timedelta(days=1)
    return moment.timestamp() - model.started_s
