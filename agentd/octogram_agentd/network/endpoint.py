"""Where something listens: a host and a port, and the ways to write them. Nothing else puts the two together.

What is bound where is decided by the agent's address alone, the one that the scenario gives:

    the agent's address        its servers listen on      and it reaches them at
    none, localhost            127.0.0.1                  127.0.0.1
    127.x.y.z, ::1             that address               that address
    anything else              every interface            127.0.0.1

Only an agent with an address that other machines can use lets them in: `AGENT://NAME` of another agent, a Prometheus
elsewhere and the operator's browser have to reach its nodes (RPC, peers, metrics), file server and Prometheus. It is
every interface, not just that address, since the address by which SSH finds a machine need not be one of its own (NAT).
What nobody else is to reach (the daemon's own socket, what an agent's programs say to each other) is never bound here.
"""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

LOOPBACK = "127.0.0.1"
EVERY_INTERFACE = ("::", "0.0.0.0", "")


class Endpoint:
    """A host (a name or a number, IPv6 without brackets) and a port."""

    __slots__ = ("host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        self.port = port

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read HOST:PORT, [V6]:PORT or a port alone (of this machine: the host is empty). Raises ValueError."""
        host, _, port = text.rpartition(":")
        is_bracketed = host.startswith("[") and host.endswith("]")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("it needs a port (1 to 65535)")
        if ":" in host and not is_bracketed:
            raise ValueError("it needs brackets around an IPv6 address, as in [::1]:80")
        return cls(host, int(port))

    def __str__(self) -> str:
        return ("[%s]:%d" if ":" in self.host else "%s:%d") % (self.host, self.port)

    def __repr__(self) -> str:
        return "Endpoint(%r, %d)" % (self.host, self.port)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoint) and (self.host, self.port) == (other.host, other.port)

    def __hash__(self) -> int:
        return hash((self.host, self.port))

    @property
    def url(self) -> str:
        """The beginning of its URLs: `http://[::1]:80`."""
        return "http://%s" % self


def host_to_bind(address: Optional[str]) -> str:
    """Decide for an agent's address which host its servers bind; `::` stands for every interface."""
    bare = (address or "localhost").strip("[]")
    if bare == "localhost":
        return LOOPBACK
    if is_loopback(bare):
        return bare
    return "::"


def host_here(bind: str) -> str:
    """Give the host to bind on this machine, where there may be no IPv6."""
    return every_interface() if bind in EVERY_INTERFACE else bind


def host_to_reach(bind: str) -> str:
    """Give the host at which this machine meets what listens on `bind`."""
    return LOOPBACK if bind in EVERY_INTERFACE else bind


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


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
