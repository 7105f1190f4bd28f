"""What this machine's interfaces allow a server to bind."""

from __future__ import annotations

import _socket

from octogram_agentd.network.endpoint import EVERY_INTERFACE, LOOPBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def host_here(bind: str) -> str:
    """Give the host to bind on this machine, where there may be no IPv6."""
    return every_interface() if bind in EVERY_INTERFACE else bind


def hosts_of_one(bind: str, address: str) -> List[str]:
    """Give what a server binds that only those need who are told `address`, and this machine itself.

    That is the address alone, where it is a number and one of this machine's own. Else (a name, which others may look
    up differently; NAT) it is what everything binds.
    """
    if bind not in EVERY_INTERFACE:
        return [bind]
    family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
    try:
        _socket.inet_pton(family, address)  # a zone (`%eth0`) is each machine's own
        sock = _socket.socket(family, _socket.SOCK_STREAM)
    except OSError:
        return [bind]
    try:
        sock.bind((address, 0))
    except OSError:
        return [bind]
    finally:
        sock.close()
    return [address, LOOPBACK]


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
