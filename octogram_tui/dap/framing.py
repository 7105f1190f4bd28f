"""How messages travel: a header with the length in bytes, an empty line, then an object of JSON. Bounded both ways."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn

from octogram_tui.errors import ExitCode, OctogramError

MOST_HEADER_BYTES = 4096
MOST_BODY_BYTES = 16 << 20
END_OF_HEADER = b"\r\n\r\n"

FIELDS = ("content-length", "content-type")
"""All that a header may hold. Who lets more pass can be talked to by any page in a browser, which sends headers too."""

_LENGTH = re.compile(r"[0-9]{1,10}")


class FramingError(OctogramError):
    """What came cannot be taken apart into messages, and neither can what follows it."""

    exit_code = ExitCode.USAGE


class BodyError(OctogramError):
    """One message is no object of JSON; those after it can be read."""

    exit_code = ExitCode.USAGE


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Give the next message, None at the end. The reader's limit bounds the header.

    Raises FramingError, after which nothing can be read any more, and BodyError.
    """
    try:
        header = await reader.readuntil(END_OF_HEADER)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise FramingError("the client hung up within the header of a message") from None
    except asyncio.LimitOverrunError:
        raise FramingError(f"a header has more than {MOST_HEADER_BYTES} bytes: this is not the protocol") from None
    except ConnectionError:
        return None
    length = _length_of(header)
    try:
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        raise FramingError("the client hung up within a message") from None
    return _object_of(body)


def _length_of(header: bytes) -> int:
    """Read the one field that counts. Raises FramingError."""
    if len(header) > MOST_HEADER_BYTES:
        raise FramingError(f"a header has more than {MOST_HEADER_BYTES} bytes: this is not the protocol")
    lengths = []
    for line in header[: -len(END_OF_HEADER)].decode("ascii", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name.lower() not in FIELDS:
            raise FramingError("a header is none of the protocol's: every message begins with `Content-Length: BYTES`")
        if name.lower() == "content-length":
            lengths.append(value.strip())
    if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        raise FramingError("a header does not say `Content-Length: BYTES`, once")
    length = int(lengths[0])
    if length > MOST_BODY_BYTES:
        raise FramingError(f"a message of {length} bytes: there are at most {MOST_BODY_BYTES}")
    return length


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BodyError("a message is not JSON in UTF-8, and is left out") from None
    if not isinstance(found, dict):
        raise BodyError("a message is no object of JSON, and is left out")
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError


def framed(message: dict[str, Any]) -> bytes:
    """Write a message. All of it is ASCII, so that no reader can stumble over half of a surrogate pair."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
