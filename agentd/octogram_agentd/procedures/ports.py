"""TCP ports of this machine: is one free, and who holds it."""

from __future__ import annotations

import os
import socket

from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Set

_LISTENING = "0A"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of any address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection that lingers does not count
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Name the process that listens on a port, as `NAME (pid N)`; empty when that cannot be seen."""
    sockets = _listeners(port)
    if not sockets:
        return ""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            descriptors = os.listdir("/proc/%s/fd" % pid)
        except OSError:
            continue  # gone, or not ours to see
        for descriptor in descriptors:
            try:
                target = os.readlink("/proc/%s/fd/%s" % (pid, descriptor))
            except OSError:
                continue
            if target in sockets:
                return "%s (pid %s)" % (_program(pid), pid)
    return ""


def _listeners(port: int) -> Set[str]:
    """Give the sockets, as /proc names them, that listen on a port."""
    found: Set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        for row in rows:
            if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port:
                found.add("socket:[%s]" % row[9])
    return found


def _program(pid: str) -> str:
    try:
        with open("/proc/%s/comm" % pid) as text:
            return text.read().strip()
    except OSError:
        return "a process"


def taken(port: int, what: str) -> ProcedureFailed:
    """Make the error for a port that somebody else has; `what` names it, for people."""
    who = holder(port)
    return ProcedureFailed(
        "port %d (%s) is in use%s" % (port, what, " by %s" % who if who else ""),
        kind="port",
        hint="choose another port, or leave the port out to get a free one",
        port=port,
        holder=who,
    )


def number(value: Any, what: str) -> int:
    """Read a port as a scenario may write it: 8732 or '8732'. Raises ProcedureFailed."""
    try:
        port = int(str(value))
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise ProcedureFailed("%s: %r is not a port (1 to 65535)" % (what, value), kind="refused")
    return port
