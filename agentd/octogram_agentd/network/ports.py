"""TCP ports of this machine: one that is free, whether one is, and who holds it."""

from __future__ import annotations

import _socket
import os

from octogram_agentd.network.interfaces import every_interface
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Set

_LISTENING = "0A"
FIRST_PORT = 15000


class FreshPorts:
    """Gives out TCP ports, none twice.

    They are taken from below the range that the system uses for outgoing connections, where nobody sits down on
    them between their being given out and their being used.
    """

    def __init__(self) -> None:
        self._given: Set[int] = set()
        self._end = 0

    def fresh(self) -> int:
        """Give a port that nobody listens on now. Raises ProcedureFailed kind `port`."""
        if not self._end:
            self._end = _first_outgoing_port()
        for _ in range(1000):
            port = FIRST_PORT + int.from_bytes(os.urandom(4), "little") % (self._end - FIRST_PORT)
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        raise ProcedureFailed("no TCP port is free", kind="port")


def _first_outgoing_port() -> int:
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first = int(file.read().split()[0])
    except (OSError, ValueError):
        first = 32768
    return first if first > FIRST_PORT + 1000 else 65536


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of any address now, of either family."""
    everywhere = every_interface()
    family = _socket.AF_INET6 if ":" in everywhere else _socket.AF_INET
    probe = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        probe.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)  # a connection that lingers does not count
        probe.bind((everywhere, port))
    except OSError:
        return False
    finally:
        probe.close()
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
