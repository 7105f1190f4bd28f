"""Is anybody there: trying to connect, without blocking the daemon."""

from __future__ import annotations

import _socket
import errno

from octogram_agentd.kernel import Future

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from octogram_agentd.kernel import Kernel


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


def numbers_of(host: str) -> List[str]:
    """Give the addresses of a host; blocks while names are looked up. Raises OSError."""
    import socket

    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))
