"""The channel between orchestrator and agent: one JSON object a line. The one file that both sides use.

Messages that must not be lost are numbered (`seq`, from 1, each direction for itself) and kept by the sender until
acknowledged; after a reattachment the sender repeats what the other side has not seen. Log lines are not numbered:
they may be dropped, and then say how many were. Knows no sockets, no jobs.
"""

from __future__ import annotations

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
OUTPUT_CREDIT_BYTES = 256 * 1024  # how much log text may be under way before the orchestrator has taken some

MESSAGES: Dict[str, Tuple[str, str, Dict[str, str]]] = {
    # type: (direction, meaning, fields)
    "hello": (
        "to agent",
        "the first message of an attachment",
        {
            "proto": "[major, minor] of the sender",
            "run": "the run's name",
            "agent": "the agent's name",
            "epoch": "counts attachments from 1; a lower one than seen before is refused",
            "lease_s": "seconds without an orchestrator after which the daemon stops everything and ends",
            "rx": "the highest seq seen from the agent so far; the agent repeats what follows",
            "address": "the agent's address as the scenario gives it: what other agents use to reach it",
            "env": "environment variables for everything that the agent starts",
            "procedures": "the user's own procedure files: list of {path, source}",
            "keep": "whether the home directory stays when the run ends",
            "bind": "the host that servers of this agent bind, IPv6 without brackets; `::`, `0.0.0.0`: every interface",
        },
    ),
    "run": (
        "to agent",
        "execute an attempt, once",
        {
            "seq": "number",
            "id": "the attempt's name",
            "procedure": "its procedure",
            "args": "expanded arguments",
            "timeout_s": "after which the attempt is ended as failed (kind `timeout`); absent: none",
        },
    ),
    "cancel": (
        "to agent",
        "end an attempt and everything that it started",
        {"seq": "number", "id": "the attempt's name", "reason": "for the log"},
    ),
    "stop": (
        "to agent",
        "stop every process, answer `stopped`, and end",
        {"seq": "number", "grace_s": "between TERM and KILL", "keep": "whether the home directory stays"},
    ),
    "tail": (
        "to agent",
        "ask for more of a process's log than was sent",
        {"request": "echoed in the answer", "process": "its name, or the attempt's", "bytes": "how much of the end"},
    ),
    "credit": ("to agent", "output that has been taken", {"bytes": "as counted in the lines received"}),
    "ack": ("both", "everything up to `seq` has arrived and is safe", {"seq": "number"}),
    "hb": ("both", "a sign of life; the orchestrator's renews the lease", {"n": "counts up"}),
    "welcome": (
        "from agent",
        "the answer to hello",
        {
            "proto": "[major, minor]",
            "agent": "name",
            "pid": "of the daemon",
            "home": "absolute path",
            "host": "the machine's own name",
            "python": "version",
            "build": "the bundle's content hash",
            "boot": "the machine's boot id",
            "cpus": "count",
            "rx": "the highest seq seen from the orchestrator",
            "running": "names of the attempts under way",
        },
    ),
    "reject": (
        "from agent",
        "the answer to a hello that cannot be",
        {"code": "proto, epoch_stale, wrong_run", "detail": "for people"},
    ),
    "output": (
        "from agent",
        "log lines of an attempt or a process; never numbered",
        {
            "id": "the attempt's name, or empty for a process that outlived its attempt",
            "process": "the process's name, for supervised ones",
            "stream": "stdout, stderr or log",
            "lines": "texts without line ends, undecodable bytes as U+FFFD",
            "dropped": "lines left out before these",
            "bytes": "what this counts against the credit",
        },
    ),
    "progress": ("from agent", "one line that says how far an attempt is", {"id": "attempt", "text": "the line"}),
    "service": (
        "from agent",
        "a service came up or went down",
        {
            "seq": "number",
            "id": "the attempt that started it",
            "kind": "node, dal_node, rollup_node, baker, http, process, prometheus",
            "name": "its name on this agent",
            "ports": "map of names to numbers: rpc, metrics, net, http, ...",
            "state": "up or down",
            "reason": "why it is down: exit status and last lines",
        },
    ),
    "finished": (
        "from agent",
        "the end of an attempt",
        {
            "seq": "number",
            "id": "the attempt's name",
            "state": "ok, failed or cancelled",
            "result": "JSON or null",
            "error": "{kind, message, hint, detail} when it did not end well",
            "duration_s": "seconds",
        },
    ),
    "log": (
        "from agent",
        "the answer to tail",
        {"request": "as asked", "lines": "texts", "size_bytes": "of the whole log", "error": "when there is none"},
    ),
    "stopped": (
        "from agent",
        "the answer to stop: the last numbered message",
        {"seq": "number", "remaining": "processes that could not be ended: list of {pid, name, state}"},
    ),
}
"""Every message: the page PROTOCOL.md is made from this table."""


class WireError(Exception):
    """What came is not a line of this protocol."""


def encode(message: Message) -> bytes:
    """Give the line of a message, its end included. Raises ValueError for NaN and infinities, TypeError for no JSON."""
    return (_encode(message) + "\n").encode("ascii")


def decode(line: bytes) -> Message:
    """Read one line. Raises WireError when it is not one JSON object with a text `t`, or too long, or too deep."""
    if len(line) > MAX_LINE_BYTES:
        raise WireError("a line of %d bytes is over the limit of %d" % (len(line), MAX_LINE_BYTES))
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH:
        raise WireError("a line is nested deeper than %d" % MAX_DEPTH)
    try:
        message = _decode(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON: %s" % error) from None
    if not isinstance(message, dict) or not isinstance(message.get("t"), str):
        raise WireError("not a message: %.80r" % line)
    return message


def _refuse_constant(name: str) -> float:
    raise ValueError("%s is not allowed" % name)


def _refuse_value(value: object) -> object:
    raise TypeError("a %s is not JSON" % type(value).__name__)


class _Rules:
    """How the scanner reads: the attributes that it looks for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: Dict[str, str] = {}


def _codec() -> Tuple[Callable[[Any], str], Callable[[str], Any]]:
    """Choose how to write and read JSON text."""
    if _json is None:
        import json  # type: ignore[unreachable]

        writer = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
        return writer, lambda text: json.loads(text, parse_constant=_refuse_constant)
    scan: Any = _json.make_scanner(_Rules())  # type: ignore[arg-type]

    def write(value: Any) -> str:
        encoder = _json.make_encoder(
            {}, _refuse_value, _json.encode_basestring_ascii, None, ":", ",", False, False, False
        )
        return "".join(encoder(value, 0))

    def read(text: str) -> Any:
        text = text.strip(" \t\r\n")
        try:
            value, end = scan(text, 0)
        except StopIteration:
            raise ValueError("no value in %.80r" % text) from None
        if end != len(text):
            raise ValueError("more than one value")
        return value

    return write, read


_encode, _decode = _codec()


def depth(line: bytes) -> int:
    """Count how deep the brackets of a JSON text nest, strings left out."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in line:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x7B, 0x5B):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (0x7D, 0x5D):
            depth -= 1
    return deepest


class LineFramer:
    """Bytes in, messages out, however the bytes are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> List[Message]:
        """Take what arrived and give the messages that are complete. Raises WireError; the stream is then of no use."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise WireError("a line is over the limit of %d bytes" % MAX_LINE_BYTES)
        return [decode(line) for line in lines]
