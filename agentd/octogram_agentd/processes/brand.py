"""A number that whatever descends from this process inherits and cannot lose by accident: a limit that limits nothing.

A new session and an empty environment leave it alone. It is the soft limit of the time that a process of real-time
priority may run without a pause, in microseconds: any of these numbers stands for more than sixty thousand years.
"""

from __future__ import annotations

import os

LEAST = 1 << 61
_LINE = b"Max realtime timeout"


def brand() -> int:
    """Take a new number; 0 where the system allows none."""
    number = LEAST | int.from_bytes(os.urandom(7), "little")
    try:
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
        if hard != resource.RLIM_INFINITY and hard < number:
            return 0
        resource.setrlimit(resource.RLIMIT_RTTIME, (number, hard))
    except (ImportError, AttributeError, OSError, ValueError):
        return 0
    return number if brand_of(os.getpid()) == number else 0


def brand_of(pid: int) -> int:
    """Give the number that a process has, whoever's it is; 0 when it has none, or is gone."""
    try:
        with open("/proc/%d/limits" % pid, "rb", 0) as file:
            text = file.read(4096)
    except OSError:
        return 0
    start = text.find(_LINE)
    words = text[start + len(_LINE) :].split(None, 1) if start >= 0 else []
    return int(words[0]) if words and words[0].isdigit() and int(words[0]) >= LEAST else 0
