"""Which exit code a run ends with, when several things went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from octogram_tui.errors import ExitCode

SIGNAL_CODES = (ExitCode.TERMINATED, ExitCode.INTERRUPTED, ExitCode.HANGUP)

PRECEDENCE = (
    ExitCode.NOT_CLEANED,
    ExitCode.BUG,
    ExitCode.IO,
    *SIGNAL_CODES,
    ExitCode.NOT_TRUSTED,
    ExitCode.NOT_STARTED,
    ExitCode.UNREACHABLE,
    ExitCode.AGENT_LOST,
    ExitCode.TIME_LIMIT,
    ExitCode.HELD,
    ExitCode.SCENARIO,
    ExitCode.JOB_FAILED,
)
"""The first of these that applies is the exit code. What is not clean dominates: the user has to act."""


def exit_code(causes: Iterable[int]) -> int:
    """Give the exit code for everything that happened."""
    seen = set(causes) - {ExitCode.OK}
    for code in PRECEDENCE:
        if code in seen:
            return int(code)
    return int(max(seen, default=ExitCode.OK))
