"""What this machine's interfaces allow a server to bind."""

from __future__ import annotations

import _socket

from octogram_agentd.network.endpoint import EVERY_INTERFACE


def host_here(bind: str) -> str:
    """Give the host to bind on this machine, where there may be no IPv6."""
    return every_interface() if bind in EVERY_INTERFACE else bind


def every_interface() -> str:
    """Give the host that means every interface: `::`, which takes IPv4 in, or `0.0.0.0` where it would not."""
    try:
        sock = _socket.socket(_socket.AF_INET6, _socket.SOCK_STREAM)
    except OSError:
        return "0.0.0.0"
    try:
        sock.bind(("::", 0))
        takes_both = not sock.getsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY)
    except OSError:
        takes_both = False
    finally:
        sock.close()
    return "::" if takes_both else "0.0.0.0"
