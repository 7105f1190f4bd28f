"""Paths in URLs, and back. A path is any bytes but NUL; in a URL most of them are written `%XX`.

    a path of an agent's file server   the orchestrator quotes it (engine/services.py), `unquoted` undoes that here
    a URL that a user wrote            `sendable` leaves it as it is, but for what cannot be sent at all

Nothing else quotes or unquotes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

_HEX = b"0123456789abcdefABCDEF"
_UNSENDABLE = frozenset(range(0x21)) | frozenset(range(0x7F, 0x100))


def unquoted(path: bytes) -> bytes:
    """Give the path that part of a URL names. A `%` without two digits of hexadecimal is a `%`."""
    first, *rest = path.split(b"%")
    parts = [first]
    for part in rest:
        if len(part) >= 2 and part[0] in _HEX and part[1] in _HEX:
            parts.append(bytes((int(part[:2], 16),)) + part[2:])
        else:
            parts.append(b"%" + part)
    return b"".join(parts)


def sendable(url: str) -> str:
    """Give a URL in ASCII: spaces, control characters and other scripts quoted, all else as it was written.

    Raises ValueError for lone surrogates that stand for no byte.
    """
    start, host, rest = _split(url)
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if rest.isascii() and rest.isprintable() and " " not in rest:
        return start + host + rest
    quoted = ("%%%02X" % byte if byte in _UNSENDABLE else chr(byte) for byte in rest.encode("utf-8", "surrogateescape"))
    return start + host + "".join(quoted)


def _split(url: str) -> Tuple[str, str, str]:
    """Give the scheme with its `://`, the host with its port, and the rest of a URL."""
    scheme, separator, rest = url.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return scheme + separator, rest[:end], rest[end:]
