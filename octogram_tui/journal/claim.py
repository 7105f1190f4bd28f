"""Which run a directory of the user's choice belongs to, from before the run's journal is there.

Whoever makes a run holds a file in the directory locked until its journal is there: of two that are started at once
one is refused before it has written anything. What is in the file names the run.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from octogram_tui.errors import DirectoryTaken

CLAIM = "run.lock"

_held: dict[str, int] = {}
"""Descriptors of what this process has claimed: let go when it ends, however it does."""


def claim(directory: Path, run: str) -> None:
    """Claim a directory for a run. Raises DirectoryTaken, OSError."""
    fd = os.open(directory / CLAIM, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken(directory) from None
        except OSError:
            pass  # a file system without locks: the journal itself is made by one of them only
        os.ftruncate(fd, 0)
        os.write(fd, f"{run}\n".encode())
    except BaseException:
        os.close(fd)
        raise
    _held[os.fspath(directory)] = fd


def release(directory: Path) -> None:
    """Let go of a directory: its journal is there now, or nothing of the run is."""
    fd = _held.pop(os.fspath(directory), None)
    if fd is not None:
        os.close(fd)


def is_of(directory: Path, run: str) -> bool:
    """Tell whether a directory is not another run's."""
    try:
        return (directory / CLAIM).read_text(errors="replace").strip() in ("", run)
    except OSError:
        return True


def taken(directory: Path) -> DirectoryTaken:
    """Say that a directory has a run already."""
    return DirectoryTaken(f"{directory} already holds a run", hint="give an empty directory to --run-dir")
