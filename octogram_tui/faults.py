"""Places where a test can have this process fail: `hit(name)` does nothing until a fault is planted there.

OCTOGRAM_FAULT names one: `NAME`, `NAME:N` (the Nth time that it is come by, from 1) or `NAME:N:ACTION`. ACTION is
`kill` (SIGKILL; the default), `stop` (SIGSTOP) or an errno's name (`ENOSPC`), which is raised as OSError.
OCTOGRAM_FAULT_COUNTS names a file that takes a line for each place that is come by, so that a test finds out how many
there are.
"""

from __future__ import annotations

import errno
import os
import signal

_planted = os.environ.get("OCTOGRAM_FAULT", "")
_counts = os.environ.get("OCTOGRAM_FAULT_COUNTS", "")
_passed: dict[str, int] = {}

IS_IDLE = not (_planted or _counts)
"""Whether nothing is planted: where every microsecond counts, ask this first."""


def hit(name: str) -> None:
    """Come by a place. Raises OSError where a test wants that, or does not return at all."""
    if IS_IDLE:
        return
    count = _passed[name] = _passed.get(name, 0) + 1
    if _counts:
        fd = os.open(_counts, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(fd, f"{name}:{count}\n".encode())
        os.close(fd)
    wanted, _, rest = _planted.partition(":")
    number, _, action = rest.partition(":")
    if name != wanted or count != int(number or 1):
        return
    if action in ("", "kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        code = getattr(errno, action)
        raise OSError(code, os.strerror(code))
