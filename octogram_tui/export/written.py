"""Where an export goes: a file in place of nothing or of an export, whole or not at all, or the standard output."""

from __future__ import annotations

import mmap
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from octogram_tui import filing, streams
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
    """Write texts, to the standard output without a path; gives how many bytes. Raises JournalError."""
    if path is None:
        return streams.print_all(_batches(pieces))
    with tempfile.TemporaryFile(prefix="octogram-export-") as draft:
        try:
            size = sum(draft.write(batch) for batch in _batches(pieces))
            draft.flush()
        except OSError as error:
            raise no_room(error) from error
        # Not closed by hand: whoever writes may still have a part of it when that fails.
        data = memoryview(mmap.mmap(draft.fileno(), size, access=mmap.ACCESS_READ))
        try:
            filing.write_whole(path, data)
        except OSError as error:
            raise JournalError(f"cannot write {path}: {error.strerror}") from error
    return size


def _batches(pieces: Iterable[str]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece.encode("utf-8", "replace")
        if len(waiting) >= BATCH:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def name_of(run: str, ending: str) -> Path:
    """Name the file of an export in the working directory."""
    return Path(f"{os.path.basename(run) or 'run'}{ending}")
