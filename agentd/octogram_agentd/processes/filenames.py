"""Names of files of ours."""

from __future__ import annotations

import os

RECORD = "processes"  # what a daemon has started
NAME_BYTES = 255  # what file systems allow


def fitting(start: str, name: str) -> str:
    """Put something before a file's name; of one that would be too long then, the end is kept."""
    rest = os.fsencode(name)[-(NAME_BYTES - len(os.fsencode(start))) :]
    return start + os.fsdecode(rest)
