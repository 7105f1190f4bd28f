"""Where an export goes: a file in place of nothing or of an export, whole or not at all, or the standard output."""

from __future__ import annotations

import mmap
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from octogram_tui import filing
from octogram_tui.errors import JournalError, UsageError
from octogram_tui.export.document import FORMAT
from octogram_tui.export.page import MARK
from octogram_tui.export.store import no_room

HEAD_BYTES = 4096
_MARKS = (MARK.encode(), f'"format":"{FORMAT}"'.encode(), b'{"otherData":{"exporter":"octogram-tui', b"<testsuites")
"""What the beginning of an export has, whichever it is."""
BATCH = 64 * 1024


def check_target(path: Path, *, force: bool) -> None:
    """See that a file may be written, and is no work of somebody else's. Raises UsageError, or JournalError."""
    try:
        found = filing.check_writable(path)
        if found is None or force or not stat.S_ISREG(found.st_mode) or not found.st_size:
            return
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from error
    if not any(mark in head for mark in _MARKS):
        raise UsageError(
            f"{path} is there, and is no report of ours", hint="give another name with -o, or overwrite it with --force"
        )


def write(path: Path | None, pieces: Iterable[str]) -> int:
    """Write texts, to standard output without a path; gives how many bytes. Raises JournalError, BrokenPipeError."""
    if path is None:
        return _print(pieces)
    size = 0
    with tempfile.TemporaryFile(prefix="octogram-export-") as draft:
        try:
            for piece in pieces:
                size += draft.write(piece.encode("utf-8", "replace"))
            draft.flush()
        except OSError as error:
            raise no_room(error) from error
        with mmap.mmap(draft.fileno(), size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            try:
                filing.write_whole(path, data)
            except OSError as error:
                raise JournalError(f"cannot write {path}: {error.strerror}") from error
    return size


def _print(pieces: Iterable[str]) -> int:
    size = 0
    out = sys.stdout.buffer
    sys.stdout.flush()
    waiting = bytearray()
    for piece in pieces:
        waiting += piece.encode("utf-8", "replace")
        if len(waiting) >= BATCH:
            size += len(waiting)
            out.write(waiting)
            waiting.clear()
    size += len(waiting)
    out.write(waiting)
    out.flush()
    return size


def name_of(run: str, ending: str) -> Path:
    """Name the file of an export in the working directory."""
    return Path(f"{os.path.basename(run) or 'run'}{ending}")
