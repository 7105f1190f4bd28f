"""Which daemon it was: a name that no other one has, and by which the next one on its machine sees whether it lives."""

from __future__ import annotations

import os

from octogram_agentd.processes.membership import see
from octogram_agentd.processes.record import boot_id


def new() -> str:
    """Name this process."""
    seen = see(os.getpid())
    parts = (os.getpid(), seen.start if seen is not None else 0, os.urandom(8).hex(), boot_id(), host())
    return ":".join(map(str, parts))


def host() -> str:
    """Give the machine's name as a text: who named it may have used any bytes."""
    return os.uname().nodename.encode("utf-8", "replace").decode()


def has_ended(birth: str) -> bool:
    """Tell whether the daemon of a name is certainly gone: False also when that cannot be known from here."""
    pid, start, _random, boot, at = (birth.split(":", 4) + [""] * 5)[:5]
    if at != host() or not (pid.isascii() and pid.isdigit() and len(pid) < 20) or not boot:
        return False
    if boot != boot_id():
        return True
    try:
        seen = see(int(pid))
    except OSError:
        return False
    return seen is None or str(seen.start) != start
