"""Where something listens: a host and a port, and the ways to write them. Nothing else puts the two together.

What is bound where is decided by the agent's address alone, the one that the other agents are told:

    the agent's address        its servers listen on      and it reaches them at
    none, localhost            127.0.0.1                  127.0.0.1
    127.x.y.z, ::1             that address               that address
    anything else              every interface            127.0.0.1

Only an agent with an address that other machines can use lets them in: `AGENT://NAME` of another agent, a Prometheus
elsewhere and the operator's browser have to reach its nodes (RPC, peers, metrics), file server and Prometheus. It is
every interface, not just that address, since the address by which others find a machine need not be one of its own
(NAT); the file server looks whether it is one (`interfaces.hosts_of_one`), and listens there alone. What nobody else is
to reach (the daemon's own socket, what an agent's programs say to each other) is never bound here.

Texts only: both sides use it, and so does the engine. What this machine's interfaces are is asked in `interfaces`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

LOOPBACK = "127.0.0.1"
EVERY_INTERFACE = ("::", "0.0.0.0", "")
LARGEST_PORT = 65535
_LOCAL_NAMES = ("localhost", "ip6-localhost", "ip6-loopback")


class Endpoint:
    """A host (a name or a number, IPv6 without brackets) and a port."""

    __slots__ = ("host", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = without_brackets(host)
        self.port = port

    @classmethod
    def parse(cls, text: str, port: Optional[int] = None) -> Endpoint:
        """Read HOST:PORT, [V6]:PORT or a port alone (of this machine: the host is empty).

        port: what a missing one means; HOST, [V6] and V6 are then taken too. Raises ValueError.
        """
        host, number = cut(text)
        if port is None and host == text:
            host, number = "", text
        if port is not None and (host == text or _is_bare_v6(text)):
            host, number = text, str(port)
        elif not (number.isascii() and number.isdigit()) or not 0 < int(number) <= LARGEST_PORT:
            raise ValueError("it needs a port (1 to 65535)")
        if "[" in host or "]" in host:
            if not _is_bare_v6(host[1:-1]) or host[0] + host[-1] != "[]":
                raise ValueError("between brackets it needs an IPv6 address, as in [::1]:80")
        elif ":" in host:
            if port is None or not _is_bare_v6(host):
                raise ValueError("it needs brackets around an IPv6 address, as in [::1]:80")
        elif any(letter in " /@?#" or not letter.isprintable() for letter in host):
            raise ValueError("it needs a host and nothing else before the port")
        return cls(host, int(number))

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
        """The beginning of its URLs: `http://[::1]:80`; the `%` of an IPv6 zone is escaped there (RFC 6874)."""
        return "http://%s" % Endpoint(self.host.replace("%", "%25"), self.port)


def cut(text: str) -> Tuple[str, str]:
    """Cut HOST:PORT where the port begins, and judge neither of the two; a text without a colon is all host."""
    host, colon, number = text.rpartition(":")
    return (text, "") if not colon or text.endswith("]") else (host, number)


def without_brackets(host: str) -> str:
    """Give a host as programs take it: an IPv6 address may be written in brackets."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def as_url(text: str) -> str:
    """Give the URL that a text means: HOST:PORT/PATH without a scheme was one for the original."""
    return text if "://" in text else "http://%s" % text


def _is_bare_v6(text: str) -> bool:
    """Tell whether a text is written as an IPv6 address, with or without a zone (`fe80::1%eth0`)."""
    number, percent, zone = text.partition("%")
    groups = number.split(":")
    whole = 7 if "." in groups[-1] else 8  # the last two may be an IPv4 address
    if "::" in number:
        fits = len(groups) <= whole + 1 and number.count("::") == 1 and ":::" not in number
    else:
        fits = len(groups) == whole
    last = groups.pop() if whole == 7 else ""
    are_numbers = all(len(each) <= 4 and not each.strip("0123456789abcdefABCDEF") for each in groups)
    return fits and are_numbers and not last.strip("0123456789.") and bool(zone) == bool(percent)


def host_to_bind(address: Optional[str]) -> str:
    """Decide for an agent's address which host its servers bind; `::` stands for every interface."""
    bare = without_brackets(address or "localhost")
    if bare.lower() in _LOCAL_NAMES:
        return LOOPBACK
    if is_loopback(bare):
        return bare
    return "::"


def host_to_reach(bind: str) -> str:
    """Give the host at which this machine meets what listens on `bind`."""
    return LOOPBACK if bind in EVERY_INTERFACE else bind


def is_loopback(host: str) -> bool:
    """Tell whether a host means, on every machine, that machine itself."""
    bare = without_brackets(host).lower()
    if ":" in bare:
        is_one = bare.endswith("1") and bare.replace("0", "").replace(":", "") == "1"
        return is_one or bare.startswith("::ffff:127.")
    return bare in _LOCAL_NAMES or (bare.startswith("127.") and bare.replace(".", "").isdigit())


def why_not_for_others(host: str) -> str:
    """Say why other machines cannot be told a host, whatever the network; empty when they can."""
    bare = without_brackets(host).lower()
    if is_loopback(bare):
        return "means each machine itself"
    if bare in EVERY_INTERFACE:
        return "means every interface of a machine, not a machine"
    if bare.startswith("169.254.") or (":" in bare and bare[:3] in ("fe8", "fe9", "fea", "feb")):
        return "is link-local: only neighbours know it, each by an interface name of its own"
    return ""
