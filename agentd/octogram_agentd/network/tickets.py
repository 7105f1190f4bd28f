"""Tickets: what lets whoever has a URL of an agent's file server have that one file, and no other.

    http://10.0.0.7:15022/~TICKET/book.tar.gz

A server has a key of its own, which nobody is told but the run. A ticket is made of the key and one path, so a URL is
good for the file that the scenario has named, as long as the server lives; nothing else of the directory can be had
with it. It stands in the path, where every program that takes a URL leaves it alone. Both sides use it, and so does the
engine.
"""

from __future__ import annotations

from octogram_agentd.network.urls import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

LENGTH = 64
_SIGN = "~"
_HEX = frozenset("0123456789abcdef")


def new_key() -> str:
    """Make a server's key, of 256 bits."""
    import os

    return os.urandom(32).hex()


def ticket_for(key: str, path: bytes) -> str:
    """Give the ticket for a path below the served directory; dots and slashes that say nothing do not count."""
    import hashlib
    import hmac

    return hmac.new(key.encode("ascii"), b"/".join(parts_of(path)), hashlib.sha256).hexdigest()


def is_ticket_for(key: str, path: bytes, shown: str) -> bool:
    """Tell whether a ticket is the right one, in a time that does not tell how much of it is."""
    import hmac

    return hmac.compare_digest(ticket_for(key, path).encode("ascii"), shown.encode("ascii", "replace"))


def parts_of(path: bytes) -> Tuple[bytes, ...]:
    """Give the names that lead to a file of the served directory."""
    return tuple(part for part in path.split(b"/") if part not in (b"", b"."))


def with_ticket(url: str, key: str) -> str:
    """Give the URL of a file (`http://HOST:PORT/PATH`) with its ticket; one without a key needs none."""
    start, path = _cut(url)
    if not key:
        return url
    if path.startswith("/"):
        path = path[1:]
    end = min((at for at in map(path.find, "?#") if at >= 0), default=len(path))
    named = unquoted(path[:end].encode("utf-8", "surrogateescape"))
    return "%s/%s%s/%s" % (start, _SIGN, ticket_for(key, named), path)


def without_ticket(url: str) -> str:
    """Give a URL as it is shown and kept: a ticket is for whoever makes the request, and for no log."""
    start, path = _cut(url)
    return start + taken_off(path)[1] if _SIGN in path[:2] else url


def taken_off(path: str) -> Tuple[str, str]:
    """Part the path of a request from its ticket, which is empty when there is none."""
    end = 2 + LENGTH
    if path[:2] == "/" + _SIGN and path[end : end + 1] in ("/", "") and _HEX.issuperset(path[2:end]):
        return path[2:end], path[end:] or "/"
    return "", path


def _cut(url: str) -> Tuple[str, str]:
    """Cut a URL where its path begins."""
    at = url.find("/", url.find("://") + 3) if "://" in url else 0
    if at < 0:
        at = min((found for found in map(url.find, "?#") if found >= 0), default=len(url))
    return url[:at], url[at:]
