"""What is to be sent: numbered messages kept until acknowledged, log lines within a credit. Knows no sockets.

Results never wait for log lines: what is numbered goes first. Log lines that the credit does not cover are kept up
to a bound, the newest of each source, and the rest is counted.
"""

from __future__ import annotations

from octogram_agentd.wire.lines import MAX_LINE_BYTES, OUTPUT_CREDIT_BYTES, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    Source = Tuple[str, str, str]  # attempt, process, stream

KEPT_BYTES = 64 * 1024  # of each source, while there is no credit
KEPT_SOURCES = 256
MESSAGE_CHARACTERS = 32 * 1024  # of one output message, so that results can get in between
LINE_OVERHEAD_BYTES = 4


class _Waiting:
    __slots__ = ("dropped", "lines", "size_bytes")

    def __init__(self) -> None:
        self.lines: List[str] = []
        self.size_bytes = 0
        self.dropped = 0


class Outbox:
    """Both queues of one daemon; a connection takes from it what can be sent now."""

    def __init__(self) -> None:
        self.sent = 0  # the highest number given
        self._kept: Dict[int, bytes] = {}
        self._ready: List[bytes] = []
        self._output: Dict[Source, _Waiting] = {}
        self._credit_bytes = OUTPUT_CREDIT_BYTES
        self._is_attached = False
        self.printed_bytes = 0  # of all output sent so far, as counted in its messages
        self._taken_bytes = 0  # of it what the other side is known to have
        self._untaken: List[Tuple[int, int, List[bytes]]] = []  # printed_bytes with it, its own bytes, its lines

    @property
    def unacknowledged(self) -> int:
        """How many numbered messages the other side has not confirmed."""
        return len(self._kept)

    @property
    def confirmed(self) -> int:
        """The highest number that need not be sent again."""
        return next(iter(self._kept), self.sent + 1) - 1

    def attach(self, seen: int, taken_bytes: int = -1) -> None:
        """Begin again with a new connection, whose other side has seen everything up to a number.

        taken_bytes: so much of the output it has too, and is given again what was under way; -1: that is not known.
        """
        self._is_attached = True
        self._credit_bytes = OUTPUT_CREDIT_BYTES
        self._ready = []
        self._take_note(self.printed_bytes if taken_bytes < 0 else taken_bytes)
        for _end, size_bytes, lines in self._untaken:
            self._ready += lines
            self._credit_bytes -= size_bytes
        left = MESSAGE_CHARACTERS  # what was printed meanwhile comes before its result, unless it is much
        for source, waiting in list(self._output.items()):
            if waiting.size_bytes <= left:
                left -= waiting.size_bytes
                self._ready += self._messages(source)
        self._ready += [line for number, line in self._kept.items() if number > seen]

    def detach(self) -> None:
        """Send nothing until somebody attaches."""
        self._is_attached = False
        self._ready = []

    def post_line(self, line: bytes) -> int:
        """Number a message, which is given as its line, and keep it until it is acknowledged; gives the number."""
        self.sent = number = self.sent + 1
        line = self._kept[number] = b'%b,"seq":%d}\n' % (line[:-2], number)
        if self._is_attached:
            self._ready.append(line)
        return number

    def say(self, message: Dict[str, Any]) -> None:
        """Send a message that may be lost."""
        if self._is_attached:
            self._ready.append(encode(message))

    def line(self, message: Dict[str, Any]) -> bytes:
        """Encode what is sent past the queues: the answer to a hello."""
        return encode(message)

    def acknowledged(self, number: int) -> None:
        """Forget what has arrived."""
        kept = self._kept
        while kept:
            oldest = next(iter(kept))
            if oldest > number:
                break
            del kept[oldest]

    def credit(self, size_bytes: int) -> None:
        """Take note that output has been consumed."""
        self._credit_bytes = min(OUTPUT_CREDIT_BYTES, self._credit_bytes + max(0, size_bytes))
        self._take_note(self._taken_bytes + max(0, size_bytes))

    def _take_note(self, taken_bytes: int) -> None:
        """Forget the output that the other side has."""
        self._taken_bytes = taken_bytes
        untaken = self._untaken
        while untaken and untaken[0][0] <= taken_bytes:
            del untaken[0]

    def output(self, source: Source, lines: List[str]) -> None:
        """Take log lines, to be sent when there is room."""
        waiting = self._output.get(source)
        if waiting is None:
            if len(self._output) >= KEPT_SOURCES:
                self._forget_a_source()
            waiting = self._output[source] = _Waiting()
        waiting.lines += lines
        waiting.size_bytes += sum(map(len, lines)) + LINE_OVERHEAD_BYTES * len(lines)
        if waiting.size_bytes > 2 * KEPT_BYTES:
            self._trim(waiting)

    def _trim(self, waiting: _Waiting) -> None:
        keep = 0
        size_bytes = 0
        for line in reversed(waiting.lines):
            size_bytes += len(line) + LINE_OVERHEAD_BYTES
            if size_bytes > KEPT_BYTES and keep:
                size_bytes -= len(line) + LINE_OVERHEAD_BYTES
                break
            keep += 1
        waiting.dropped += len(waiting.lines) - keep
        waiting.lines = waiting.lines[-keep:]
        waiting.size_bytes = size_bytes

    def _forget_a_source(self) -> None:
        """Reduce the oldest source that still has lines to a count; give up on the oldest when all are counts."""
        for waiting in self._output.values():
            if waiting.lines:
                waiting.dropped += len(waiting.lines)
                waiting.lines = []
                waiting.size_bytes = 0
                break
        if len(self._output) >= 4 * KEPT_SOURCES:
            del self._output[next(iter(self._output))]

    def flush_output(self, attempt: str) -> None:
        """Put an attempt's last lines before its result, if they are few and nothing else waits."""
        if self._ready or not self._is_attached:
            return
        for source in [source for source in self._output if source[0] == attempt]:
            waiting = self._output[source]
            if waiting.size_bytes <= min(self._credit_bytes, MESSAGE_CHARACTERS):
                self._ready += self._messages(source)

    def take(self, room_bytes: int) -> bytes:
        """Give what to send now: all that is numbered, then output as far as credit and room go."""
        if not self._is_attached:
            return b""
        parts, self._ready = self._ready, []
        if self._output:
            room_bytes -= sum(map(len, parts))
            for source in list(self._output):
                while room_bytes > 0 and self._credit_bytes > 0 and source in self._output:
                    lines = self._messages(source)
                    parts += lines
                    room_bytes -= sum(map(len, lines))
        return b"".join(parts)

    def _messages(self, source: Source) -> List[bytes]:
        """Take one message's worth of a source's lines."""
        waiting = self._output[source]
        size = count = 0
        for line in waiting.lines:
            size += len(line) + LINE_OVERHEAD_BYTES
            if size > MESSAGE_CHARACTERS and count:
                size -= len(line) + LINE_OVERHEAD_BYTES
                break
            count += 1
        lines = waiting.lines[:count]
        dropped, waiting.dropped = waiting.dropped, 0
        if count == len(waiting.lines):
            del self._output[source]
        else:
            del waiting.lines[:count]
            waiting.size_bytes -= size
        self._credit_bytes -= size
        self.printed_bytes += size
        sent = output_lines(source, lines, dropped, size)
        self._untaken.append((self.printed_bytes, size, sent))
        return sent


def output_lines(source: Source, lines: List[str], dropped: int, size_bytes: int) -> List[bytes]:
    """Encode output as one message, or as more where escapes make it too long for a line of the protocol."""
    attempt, process, stream = source
    message: Dict[str, Any] = {"t": "output", "id": attempt, "stream": stream, "lines": lines, "bytes": size_bytes}
    if process:
        message["process"] = process
    if dropped:
        message["dropped"] = dropped
    line = encode(message)
    if len(line) <= MAX_LINE_BYTES:
        return [line]
    if len(lines) > 1:
        first, second = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    else:
        half = len(lines[0]) // 2
        first, second = [lines[0][:half]], [lines[0][half:]]
    return output_lines(source, first, dropped, size_bytes) + output_lines(source, second, 0, 0)
