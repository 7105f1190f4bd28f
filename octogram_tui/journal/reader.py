"""Reads a journal, or a file that `--events` wrote, back into events, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from octogram_tui.engine.events import Event, RunFinished
from octogram_tui.errors import DamagedJournal, JournalError
from octogram_tui.journal import codec, seal

SALVAGE = "`octogram-tui journal salvage RUN` makes a journal of what comes before the damage"

TAIL_BYTES = 256 * 1024
"""How much of a journal's end is read to see how the run ended."""


def read(path: Path) -> Iterator[Event]:
    """Give the events of a file one by one; raises what `read_lines` does."""
    for line in read_lines(path):
        if isinstance(line, Event):
            yield line


def read_lines(path: Path) -> Iterator[Event | dict[str, Any]]:
    """Give the events of a file one by one, and between them, as objects, what the run was fed (inputs.py).

    A last line that is cut short (the machine went down while it was written) is left out.
    Raises DamagedJournal, with the line's number, for anything else that is not as it was written, and JournalError for
    a file that cannot be read or is of a version that is not known here.
    """
    number = 0
    last_seq = 0
    is_sealed = False
    crc = 0  # of what was read
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                if is_sealed:
                    crc = seal.follow(line, crc)
                record = codec.load(line)
                if number == 1:
                    version = _check_version(path, record)
                    if record.get("type") == codec.HEADER_TYPE:
                        if is_sealed := version >= codec.SEALED_FROM or seal.NAME in record:
                            crc = seal.follow(line, 0)
                        continue
                if record.get("type") == codec.INPUT_TYPE:
                    yield record
                    continue
                event = codec.from_dict(record)
                if event.seq <= last_seq:
                    raise ValueError(f"event {event.seq} comes after event {last_seq}")
                last_seq = event.seq
                yield event
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
    except ValueError as error:
        reason = f"not JSON ({error.msg})" if isinstance(error, json.JSONDecodeError) else str(error)
        raise damaged(path, number, reason, is_sealed=is_sealed) from error
    if number == 0:
        raise JournalError(f"{path} is empty: no run was written to it")


def last_event(path: Path) -> Event | None:
    """Give the last whole event of a file by looking at its end only; None when there is none.

    An end of a run that cannot be read is not passed over: it is given as an event that is not known.
    """
    try:
        with path.open("rb") as file:
            size_bytes = file.seek(0, 2)
            file.seek(max(0, size_bytes - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines[:-1]):  # what follows the last line end is nothing, or cut short
        try:
            record = codec.load(line)
        except ValueError:
            continue
        try:
            return codec.from_dict(record)
        except ValueError:
            if record.get("type") == RunFinished.TYPE:
                return codec.UnknownEvent(name=RunFinished.TYPE)
    return None


def ending(path: Path) -> RunFinished | None:
    """Give the event that closes a run, when the journal has it."""
    last = last_event(path)
    return last if isinstance(last, RunFinished) else None


def _check_version(path: Path, record: dict[str, Any]) -> int:
    """Give the version of a file's format by its first line. Raises ValueError, or JournalError for a newer one."""
    version = record.get("v")
    if not isinstance(version, int):
        raise ValueError("the first line does not say the version of the format")
    known = codec.JOURNAL_VERSION if record.get("type") == codec.HEADER_TYPE else codec.FORMAT_VERSION
    if version > known:
        raise newer(path, version, known, record)
    return version


def damaged(path: Path, number: int, reason: str, *, is_sealed: bool) -> DamagedJournal:
    """Say what is wrong with a line, and what helps."""
    hint = f"the lines before it can be read with: head -n {number - 1} {path}" if number > 1 else ""
    return DamagedJournal(
        f"{path}:{number}: not a journal, or a damaged one: {reason}", hint=SALVAGE if is_sealed else hint
    )


def newer(path: Path, version: int, known: int, record: dict[str, Any]) -> JournalError:
    """Say that a file is of a version that is not known yet. record: its first line."""
    return JournalError(
        f"{path} is written in version {version} of the format, and this program knows {known}",
        hint=f"read it with a newer octogram-tui ({record.get('program') or record.get('version') or 'unknown'})",
    )
