"""Small files of ours that hold one JSON value each, read with care: anybody may have put anything in their place."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

MOST_BYTES = 16 << 20


def is_path(text: str) -> bool:
    """Tell whether the system takes a text for a path, or a part of one."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def load(path: Path) -> Any:
    """Give what a file holds. Raises OSError, also for a pipe, which would never end, and ValueError."""
    data = read(path, MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError("it is too large")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read(path: Path, most: int) -> bytes:
    """Give the first bytes of a file, `most` at most. Raises OSError, also for what is no file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is no file", os.fspath(path))
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(fd)
