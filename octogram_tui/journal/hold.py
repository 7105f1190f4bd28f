"""Holds the journal of a run whose process is gone, so that nobody goes on with the run meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from octogram_tui.errors import JournalError
from octogram_tui.journal.writer import lock


@contextlib.contextmanager
def held(journal: Path) -> Iterator[None]:
    """Hold a journal as its writer would. Raises RunGoesOn when somebody has it.

    With one that is missing nobody goes on. A file system without locks leaves it unknown, as everywhere.
    """
    fd = _open(journal)
    try:
        if fd >= 0:
            with contextlib.suppress(OSError):
                lock(journal, fd)
        yield
    finally:
        if fd >= 0:
            os.close(fd)


def _open(journal: Path) -> int:
    for flags in (os.O_RDWR, os.O_RDONLY):  # some file systems lock only what can be written
        try:
            return os.open(journal, flags | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1
        except OSError as error:
            if flags == os.O_RDONLY or error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise JournalError(f"cannot open the journal {journal}: {error.strerror}") from error
    return -1
