"""Until when the process of a run lived: it touches a file as often as it gives its agents a sign of life.

From that, and from the lease, follows until when what a crashed run has left may still live.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

ALIVE = "alive"
CLEANED = "cleaned"
EVERY_S = 5.0


def touch(run_dir: Path, name: str = ALIVE, *, not_before_s: float = 0.0) -> None:
    """Say that the process lives. A disk that refuses costs nothing but that knowledge."""
    with contextlib.suppress(OSError):
        fd = os.open(run_dir / name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.utime(fd)
            if os.fstat(fd).st_mtime < not_before_s:  # the clock was set back
                os.utime(fd, (not_before_s, not_before_s))
        finally:
            os.close(fd)


def last_s(run_dir: Path, journal: str) -> float:
    """Give the latest time (of the clock on the wall) at which the process is known to have lived; 0 when unknown."""
    found = 0.0
    for name in (ALIVE, journal):
        with contextlib.suppress(OSError):
            found = max(found, (run_dir / name).stat().st_mtime)
    return found


def begin(run_dir: Path) -> None:
    """Say that a process has the run from now on: whatever was proven of the one before is not so any more."""
    with contextlib.suppress(OSError):
        (run_dir / CLEANED).unlink(missing_ok=True)  # by its time alone it might be newer: clocks are set back
    touch(run_dir)


def note_cleaned(run_dir: Path, journal: str) -> None:
    """Note that nothing is left of a run: every machine has proven it."""
    touch(run_dir, CLEANED, not_before_s=last_s(run_dir, journal))


def cleaned_s(run_dir: Path, journal: str) -> float:
    """Give when that was proven; 0 where it was not, or where the run has gone on since."""
    with contextlib.suppress(OSError):
        found = (run_dir / CLEANED).lstat().st_mtime
        return found if found >= last_s(run_dir, journal) else 0.0
    return 0.0
