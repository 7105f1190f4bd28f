"""A daemon's data directory: one process at a time."""

from __future__ import annotations

import fcntl
import os

from .lifecycle import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, TextIO

# Kept open for the life of the process: the locks go with it.
_HELD: List[TextIO] = []


def lock(directory: str) -> None:
    """Take the directory for this process, making it. Raises Failure when another process has it."""
    os.makedirs(directory, exist_ok=True)
    stream = open(os.path.join(directory, "lock"), "w", encoding="utf-8")  # noqa: SIM115
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise Failure(f"The data directory {directory} is locked by another process") from None
    _HELD.append(stream)
