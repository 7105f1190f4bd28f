"""The channel between orchestrator and agent: one JSON object a line, written and read by both sides with this module.

Messages that must not be lost are numbered (`seq`, from 1, each direction for itself) and kept by the sender until
acknowledged; after a reattachment the sender repeats what the other side has not seen. Log lines are not numbered:
they may be dropped, and then say how many were. Which messages there are stands in messages.py. Knows no sockets.
"""

from __future__ import annotations

from octogram_agentd.cuts import beginning, quoted

try:
    # The C parts of the standard library's json, without the package around them: its imports would double the time
    # that a daemon takes to start.
    import _json
except ImportError:
    _json = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    Message = Dict[str, Any]

MAX_LINE_BYTES = 256 * 1024  # both ways, except for results, see MAX_RESULT_BYTES
MAX_RESULT_BYTES = 192 * 1024  # a larger result fails its job with `result_too_large`: never cut short silently
MAX_DEPTH = 32
OUTPUT_CREDIT_BYTES = 256 * 1024  # how much log text may be under way at most before the orchestrator says more
LINE_OVERHEAD_BYTES = 4  # of each line, beside its text, as it counts against the credit


class WireError(Exception):
    """What came is not a line of this protocol."""


def encode(message: Message) -> bytes:
    """Give the line of a message, its end included. Raises ValueError for NaN and infinities, TypeError for no JSON."""
    return (_encode(message) + "\n").encode("ascii")


def decode(line: bytes, names_files: bool = False) -> Message:
    """Read one line. Raises WireError when it is not one JSON object with a text `t`, or too long, or too deep.

    names_files: a file's name may hold bytes that are no text, as halves of characters.
    """
    if len(line) > MAX_LINE_BYTES:
        raise WireError("a line of %d bytes is over the limit of %d" % (len(line), MAX_LINE_BYTES))
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
        raise WireError("a line is nested deeper than %d" % MAX_DEPTH)
    try:
        message = _decode(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON: %s" % error) from None
    if not isinstance(message, dict) or not isinstance(message.get("t"), str):
        raise WireError("not a message: %s" % quoted(line, 80))
    if (b"\\ud" in line or b"\\uD" in line) and not names_files and not _is_text(message):
        raise WireError("half a character: %s" % quoted(line, 80))
    return message


def _is_text(value: Any) -> bool:
    """Whether all texts of a JSON value can be written: one with a lone surrogate would end whoever prints it."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
        return True
    if isinstance(value, dict):
        return all(_is_text(key) and _is_text(one) for key, one in value.items())
    return not isinstance(value, list) or all(map(_is_text, value))


def _refuse_constant(name: str) -> float:
    raise ValueError("%s is not allowed" % name)


def _finite(digits: str) -> float:
    """Read a number with a point or an exponent: one that is too large for a float would become an infinity."""
    value = float(digits)
    if value - value != 0.0:
        raise ValueError(beginning(digits, 40) + " is too large a number")
    return value


def _refuse_value(value: object) -> object:
    raise TypeError("a %s is not JSON" % type(value).__name__)


class _Rules:
    """How the scanner reads: the attributes that it looks for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = staticmethod(_finite)
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: Dict[str, str] = {}


def _codec() -> Tuple[Callable[[Any], str], Callable[[str], Any]]:
    """Choose how to write and read JSON text."""
    if _json is None:
        import json  # type: ignore[unreachable]

        writer = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
        return writer, lambda text: json.loads(text, parse_float=_finite, parse_constant=_refuse_constant)
    scan: Any = _json.make_scanner(_Rules())  # type: ignore[arg-type]

    # Without a note of each container that it is in, which would be another encoder for each message.
    encoder: Any = _json.make_encoder(
        None, _refuse_value, _json.encode_basestring_ascii, None, ":", ",", False, False, False
    )

    def write(value: Any) -> str:
        try:
            return "".join(encoder(value, 0))
        except RecursionError:
            raise ValueError("Circular reference, or nested too deeply") from None

    def read(text: str) -> Any:
        text = text.strip(" \t\r\n")
        try:
            value, end = scan(text, 0)
        except StopIteration:
            raise ValueError("no value in %s" % quoted(text, 80)) from None
        if end != len(text):
            raise ValueError("more than one value")
        return value

    return write, read


_encode, _decode = _codec()


_TO_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def depth(line: bytes) -> int:
    """Count how deep the brackets of a JSON text nest, strings left out; no further than what is too deep.

    Without a look at each byte: what is left of the text when strings and all else are gone loses its innermost
    brackets again and again, as often as they are deep.
    """
    if b"\\" in line:
        line = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = b"".join(line.split(b'"')[::2]).translate(_TO_ONE_KIND, _NO_BRACKETS)
    for level in range(MAX_DEPTH + 1):
        fewer = left.replace(b"[]", b"")
        if len(fewer) == len(left):  # none are left, or they are not closed, which is no JSON
            return level + left.count(b"[")
        left = fewer
    return MAX_DEPTH + 1


class LineFramer:
    """Bytes in, messages out, however the bytes are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> List[Message]:
        """Take what arrived and give the messages that are complete. Raises WireError; the stream is then of no use."""
        return [decode(line, names_files=True) for line in self.cut(data)]

    def cut(self, data: bytes) -> List[bytes]:
        """Take what arrived and give the lines that are complete. Raises WireError for one that is too long."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise WireError("a line is over the limit of %d bytes" % MAX_LINE_BYTES)
        return lines
