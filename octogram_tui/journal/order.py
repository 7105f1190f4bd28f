"""In which order runs were made: one name a line in a file beside them. Clocks jump; a list that only grows does not.

Runs that it does not name (of former versions, or when it was lost) were made before all others.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

ORDER = ".order"


def append(runs_dir: Path, run: str) -> None:
    """Let a run be the newest. Raises OSError."""
    with _held(runs_dir) as fd:
        os.lseek(fd, 0, os.SEEK_END)
        os.write(fd, f"{run}\n".encode())


def places(runs_dir: Path) -> dict[str, int]:
    """Give the place of each run, from 0 on."""
    try:
        names = (runs_dir / ORDER).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return {}
    return {name: place for place, name in enumerate(names) if name}


def forget(runs_dir: Path, gone: Iterable[str]) -> None:
    """Leave out runs that are not there any more."""
    left_out = set(gone)
    with contextlib.suppress(OSError), _held(runs_dir) as fd:
        kept = [name for name in places(runs_dir) if name not in left_out]
        os.ftruncate(fd, 0)
        os.write(fd, "".join(f"{name}\n" for name in kept).encode())


@contextlib.contextmanager
def _held(runs_dir: Path) -> Iterator[int]:
    """Open the list for nobody but us; what is written then is written whole."""
    fd = os.open(runs_dir / ORDER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)
