"""Addresses to listen on, as Octez writes them: `host:port`, `[v6]:port`, `:port`, `host`."""

from __future__ import annotations

import errno
import ipaddress
import socket


class CannotListen(Exception):
    """There is no listening at an address: `reason` in the system's words, and of which kind it is."""

    def __init__(self, address: str, reason: str, *, is_taken: bool = False, is_unknown: bool = False) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason
        self.is_taken = is_taken
        self.is_unknown = is_unknown  # a name that no resolver knows


def parse(text: str, default_port: int) -> tuple[str, int]:
    """Cut an address into host and port, and refuse what the real programs refuse: `::1:80`. Raises ValueError."""
    host, port_text = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise ValueError(f"invalid address '{text}'")
        port_text = rest[1:]
    elif text.count(":") == 1:
        host, port_text = text.split(":")
    elif "]" in text or text.count(":") > 1:
        raise ValueError(f"invalid address '{text}': IPv6 addresses must be bracketed")
    if port_text and not port_text.isdigit():
        raise ValueError(f"invalid port in '{text}'")
    port = int(port_text) if port_text else default_port
    if port > 65535:
        raise ValueError(f"invalid port in '{text}'")
    return host or "::", port


def shown(host: str, port: int) -> str:
    """Write an address as it is read: `host:port`, `[v6]:port`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def checked(text: str) -> str:
    """Take an address to listen on. Raises ValueError."""
    parse(text, 0)
    return text


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    return host in ("localhost", "::1") or host.startswith("127.")


def point(text: str) -> str:
    """Take an address of digits, as the DAL node does: no names. Raises ValueError."""
    host, _ = parse(text, 0)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"invalid address '{text}': '{host}' is not an IP address") from None
    return text


def peer(text: str) -> tuple[str, int]:
    """Cut a peer's address, after which `#` and its identity may stand. Raises ValueError."""
    return parse(text.partition("#")[0], 0)


def listen(host: str, port: int, backlog: int = 256) -> socket.socket:
    """Open a listening socket. Raises CannotListen with the system's reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise CannotListen(
            shown(host, port),
            error.strerror or str(error),
            is_taken=error.errno == errno.EADDRINUSE,
            is_unknown=isinstance(error, socket.gaierror),
        ) from None
    return listener
