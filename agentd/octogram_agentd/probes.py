"""Is it there yet: waiting for a process to be ready, and for ports."""

from __future__ import annotations

import _socket
import errno
import os

from octogram_agentd.kernel import Future
from octogram_agentd.procedures.base import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Set

    from octogram_agentd.attempt import Attempt
    from octogram_agentd.kernel import Kernel
    from octogram_agentd.supervised import Supervised

FIRST_PORT = 15000
LAST_LINES = 20
SHORTEST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5


class Ports:
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
            if port not in self._given and _is_free(port):
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


def _is_free(port: int) -> bool:
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        sock.bind(("0.0.0.0", port))
        return True
    except OSError:
        return False
    finally:
        sock.close()


async def is_listening(kernel: Kernel, address: str, port: int, timeout_s: float = 1.0) -> bool:
    """Try to connect, without blocking; `address` is a number."""
    family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
    try:
        sock = _socket.socket(family, _socket.SOCK_STREAM)
    except OSError:
        return False
    try:
        sock.setblocking(False)
        number = sock.connect_ex((address, port))
        if number == errno.EINPROGRESS:
            writable = Future(kernel)
            kernel.watch(sock.fileno(), on_write=writable.set)
            timer = kernel.later(timeout_s, writable.set)
            try:
                await writable
            finally:
                timer.cancel()
                kernel.unwatch(sock.fileno())
            number = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
            if number == 0:
                try:
                    sock.getpeername()
                except OSError:
                    return False  # the time was over first
        return bool(number == 0)
    finally:
        sock.close()


async def wait_ready(
    attempt: Attempt,
    process: Supervised,
    log: Optional[str],
    port: Optional[int],
    http: Optional[str],
    file: Optional[str],
    timeout_s: float,
) -> str:
    """Wait for the first sign; the contract is Context.wait_ready's."""
    import re
    import time

    if log is None and port is None and http is None and file is None:
        raise ProcedureFailed("no sign of readiness is given", kind="argument", hint="give log, port, http or file")
    kernel = process.changed.kernel
    try:
        pattern = re.compile(log) if log is not None else None
    except re.error as error:
        raise ProcedureFailed("not a regular expression: %s: %s" % (log, error), kind="argument") from None
    found: List[str] = []
    reader = kernel.spawn(_search(process, pattern, found), "readiness") if pattern is not None else None
    deadline_s = time.monotonic() + timeout_s
    pause_s = SHORTEST_PAUSE_S
    try:
        while True:
            if found:
                return found[0]
            if port is not None:
                for address in _addresses(attempt.bind):
                    if await is_listening(kernel, address, port):
                        return "port %d" % port
            if file is not None and os.path.exists(attempt.path(file)):
                return "file %s" % file
            if http is not None and await _answers(attempt, http, deadline_s - time.monotonic()):
                return "http %s" % http
            if not process.is_running:
                if reader is not None:
                    await reader
                    if found:
                        return found[0]
                raise _not_ready(
                    process,
                    "%s ended with exit status %s before it was ready" % (process.name, process.exit_code),
                    "exit",
                )
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise _not_ready(process, "%s was not ready within %g s" % (process.name, timeout_s), "timeout")
            await process.changed.wait(min(pause_s, left_s))
            pause_s = min(pause_s * 1.3, LONGEST_PAUSE_S)
    finally:
        if reader is not None:
            reader.cancel()


async def _search(process: Supervised, pattern: Any, found: List[str]) -> None:
    async for line in process.new_lines():
        if pattern.search(line):
            found.append("log %s" % line[:1000])
            process.changed.fire()
            return


async def _answers(attempt: Attempt, url: str, left_s: float) -> bool:
    try:
        response = await attempt.http("GET", url, timeout_s=max(0.1, min(2.0, left_s)))
    except ProcedureFailed:
        return False
    return response.status < 400


def _addresses(bind: str) -> List[str]:
    """Give the addresses at which what listens on `bind` can be met from here."""
    from octogram_agentd.network.endpoint import host_to_reach

    return list(dict.fromkeys([host_to_reach(bind), "127.0.0.1", "::1"]))


def _not_ready(process: Supervised, message: str, kind: str) -> ProcedureFailed:
    return ProcedureFailed(message, kind=kind, exit_code=process.exit_code, last_lines=process.tail(LAST_LINES))
