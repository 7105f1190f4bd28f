"""What is to be sent: numbered messages kept until acknowledged, log lines within a credit. Knows no sockets.

Results never wait for log lines: what is numbered goes first. Log lines that may not be under way yet wait in the
backlog.
"""

from __future__ import annotations

import time

from octogram_agentd.wire.backlog import LITTLE_CHARACTERS, MESSAGE_CHARACTERS, Backlog
from octogram_agentd.wire.lines import OUTPUT_CREDIT_BYTES, encode
from octogram_agentd.wire.pace import LEAST_BYTES, Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

    from octogram_agentd.wire.backlog import Source
    from octogram_agentd.wire.spool import Spool
else:
    from _collections import deque  # what collections has it from, without the time that takes to import


class Outbox:
    """Both queues of one daemon; a connection takes from it what can be sent now."""

    def __init__(self, spool: Optional[Spool] = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.sent = 0  # the highest number given
        self.backlog = Backlog(spool)
        self.printed_bytes = 0  # of all output sent so far, as counted in its messages
        self._clock = clock
        self._kept: Dict[int, bytes] = {}
        self._ready: List[bytes] = []
        self._is_attached = False
        self._pace = Pace()
        self._most_printed_bytes = 0  # up to where the other side lets it grow
        self._taken_bytes = 0  # of it what the other side is known to have
        # What may have to be sent again: printed_bytes with it, its own bytes, its line, and when it was sent.
        self._untaken: Deque[Tuple[int, int, bytes, float]] = deque()

    @property
    def unacknowledged(self) -> int:
        """How many numbered messages the other side has not confirmed."""
        return len(self._kept)

    @property
    def confirmed(self) -> int:
        """The highest number that need not be sent again."""
        return next(iter(self._kept), self.sent + 1) - 1

    @property
    def taken_bytes(self) -> int:
        """How much of the output the other side is known to have."""
        return self._taken_bytes

    def attach(self, seen: int, taken_bytes: int = -1, least_bytes: int = LEAST_BYTES) -> None:
        """Begin again with a new connection, whose other side has seen everything up to a number.

        taken_bytes: so much of the output it has too, and is given again what was under way; -1: that is not known.
        least_bytes: that much may be under way at once, however long it takes.
        """
        self._is_attached = True
        self._ready = []
        self._pace = Pace(least_bytes)
        self._take_note(self.printed_bytes if taken_bytes < 0 else taken_bytes)
        self._most_printed_bytes = self._taken_bytes + OUTPUT_CREDIT_BYTES
        now_s = self._clock()
        for number, (end, size_bytes, line, _) in enumerate(self._untaken):
            self._ready.append(line)
            self._untaken[number] = end, size_bytes, line, now_s
        left = MESSAGE_CHARACTERS  # what was printed meanwhile comes before its result, unless it is much
        for source, waiting in list(self.backlog.sources.items()):
            if waiting.size_bytes <= left and not waiting.stored:
                left -= waiting.size_bytes
                self._ready += self._messages(source, MESSAGE_CHARACTERS)
        self._ready += [line for number, line in self._kept.items() if number > seen]

    def detach(self) -> None:
        """Send nothing until somebody attaches."""
        self._is_attached = False
        self._ready = []
        self.backlog.pause()

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

    def credit(self, size_bytes: int, window_bytes: int = OUTPUT_CREDIT_BYTES) -> None:
        """Take note that output has been taken, and how much the other side lets be under way from here on."""
        size_bytes = max(0, size_bytes)
        was_full = bool(self.backlog.sources)
        sent_s = self._take_note(self._taken_bytes + size_bytes)
        self._most_printed_bytes = max(self._most_printed_bytes, self._taken_bytes + max(0, window_bytes))
        now_s = self._clock()
        if sent_s is not None:
            self._pace.took(size_bytes, sent_s, now_s, was_full)
        self.backlog.look(self._taken_bytes, now_s)

    def _take_note(self, taken_bytes: int) -> Optional[float]:
        """Forget the output that the other side has; gives when the last of it was sent."""
        self._taken_bytes = taken_bytes
        untaken = self._untaken
        sent_s = None
        while untaken and untaken[0][0] <= taken_bytes:
            sent_s = untaken.popleft()[3]
        return sent_s

    def output(self, source: Source, lines: List[str]) -> bool:
        """Take log lines, to be sent when there is room; whether that should be soon, and `settle` follow."""
        return self.backlog.add(source, lines)

    def settle(self, source: Source) -> None:
        """Put what could not be sent out of the memory."""
        self.backlog.settle(source, self._characters)
        if self._is_attached:
            self.backlog.look(self._taken_bytes, self._clock())

    @property
    def _characters(self) -> int:
        """How much one message may hold."""
        return MESSAGE_CHARACTERS if self._pace.window_bytes >= 2 * MESSAGE_CHARACTERS else LITTLE_CHARACTERS

    @property
    def _room_bytes(self) -> int:
        """How much more output may be under way."""
        under_way_bytes = self.printed_bytes - self._taken_bytes
        return min(self._pace.window_bytes - under_way_bytes, self._most_printed_bytes - self.printed_bytes)

    def flush_output(self, attempt: str) -> None:
        """Put an attempt's last lines before its result, if they are few and nothing else waits."""
        if not self.backlog.sources or self._ready or not self._is_attached:
            return
        for source in [source for source in self.backlog.sources if source[0] == attempt]:
            waiting = self.backlog.sources[source]
            if not waiting.stored and waiting.size_bytes <= min(self._room_bytes, MESSAGE_CHARACTERS):
                self._ready += self._messages(source, MESSAGE_CHARACTERS)

    def take(self, room_bytes: int) -> bytes:
        """Give what to send now: all that is numbered, then output as far as credit and room go, of all in turn."""
        if not self._is_attached:
            return b""
        parts, self._ready = self._ready, []
        sources = self.backlog.sources
        if sources:
            room_bytes -= sum(map(len, parts))
            while sources and room_bytes > 0:
                allowed_bytes = self._room_bytes
                source = next(iter(sources))
                is_more = self.backlog.next_bytes(source) > allowed_bytes
                if allowed_bytes <= 0 or (is_more and self.printed_bytes > self._taken_bytes):
                    break
                lines = self._messages(source, min(self._characters, allowed_bytes))
                self.backlog.rotate(source)
                parts += lines
                room_bytes -= sum(map(len, lines))
        return b"".join(parts)

    def give_up_output(self) -> None:
        """Tell of what waits only how much it is: there is no time for more."""
        self.backlog.give_up()
        if self._is_attached:
            for source in list(self.backlog.sources):
                self._ready += self._messages(source, MESSAGE_CHARACTERS)

    def _messages(self, source: Source, most_characters: int) -> List[bytes]:
        """Take one message's worth of a source's lines."""
        sent = self.backlog.give(source, most_characters)
        now_s = self._clock()
        for size_bytes, line in sent:
            self.printed_bytes += size_bytes
            self._untaken.append((self.printed_bytes, size_bytes, line, now_s))
        return [line for _, line in sent]
