"""Places where a test can have the daemon or its guard fail: `hit(name)` does nothing until a fault is planted there.

OCTOGRAM_AGENT_FAULT names one: `NAME`, `NAME:N` (the Nth time that a process comes by it, from 1) or `NAME:N:ACTION`.
ACTION is `kill` (SIGKILL; the default), `stop` (SIGSTOP) or an errno's name (`ENOSPC`), which is raised as OSError.
OCTOGRAM_AGENT_FAULT_COUNTS names a file that takes a line for each place that is come by.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

_planted = os.environ.get("OCTOGRAM_AGENT_FAULT", "")
_counts = os.environ.get("OCTOGRAM_AGENT_FAULT_COUNTS", "")
_passed: Dict[str, int] = {}

IS_IDLE = not (_planted or _counts)


def hit(name: str) -> None:
    """Come by a place. Raises OSError where a test wants that, or does not return at all."""
    if IS_IDLE:
        return
    count = _passed[name] = _passed.get(name, 0) + 1
    if _counts:
        fd = os.open(_counts, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(fd, b"%s:%d\n" % (name.encode(), count))
        os.close(fd)
    wanted, _, rest = _planted.partition(":")
    number, _, action = rest.partition(":")
    if name == wanted and count == int(number or 1):
        _act(action)


def _act(action: str) -> None:
    if action in ("", "kill", "stop"):
        from octogram_agentd import signals

        os.kill(os.getpid(), signals.STOP if action == "stop" else signals.KILL)
        return
    import errno

    code = getattr(errno, action)
    raise OSError(code, os.strerror(code))
