"""Log lines that wait to be sent, by source: the newest in memory, those before them in the spool.

How many may wait depends on how quickly they go: so many as are sent in a few seconds. What is beyond is left out, the
oldest first, and of whoever has most: who reads along wants to know what happens now. What was left out stays in the
spool for whoever asks, as long as there is room.
"""

from __future__ import annotations

import os

from octogram_agentd.wire.lines import LINE_OVERHEAD_BYTES, MAX_LINE_BYTES, WireError, decode, encode
from octogram_agentd.wire.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any, Deque, Dict, List, Optional, Tuple, Union

    from octogram_agentd.wire.spool import Chunk

    Source = Tuple[str, str, str]  # attempt, process, stream
    Message = Dict[str, Any]
else:
    from _collections import deque  # what collections has it from, without the time that takes to import

KEPT_BYTES = 64 * 1024  # of each source in memory; also what may wait however slowly it goes
KEPT_SOURCES = 256
MESSAGE_CHARACTERS = 32 * 1024  # of one output message, so that results can get in between
LITTLE_CHARACTERS = 16 * 1024  # the same while little may be under way
GAP_BYTES = 64  # what tells of a gap, added to a message when it is sent
BEHIND_S = 10.0  # how old the oldest of the lines that wait may become
LOOK_S = 1.0  # between two looks at how quickly they go
LOOKS = 3  # the best of the latest of them counts: an orchestrator has its pauses
ANSWER_BYTES = 64 * 1024


class Waiting:
    """Lines of one source."""

    __slots__ = ("dropped", "gap", "lines", "names", "size_bytes", "stored", "stored_bytes")

    def __init__(self, names: Tuple[str, ...] = ()) -> None:
        self.names = names  # of the attempt and the process
        self.stored: Deque[Chunk] = deque()
        self.stored_bytes = 0
        self.lines: List[str] = []
        self.size_bytes = 0  # of `lines`
        self.dropped = 0  # before all of them
        self.gap = 0  # the number under which the dropped ones can be asked for; 0: under none


class Backlog:
    """All sources of one agent. Where there is no spool, or no room in it, what is beyond the memory is left out."""

    def __init__(self, spool: Optional[Spool] = None) -> None:
        self.sources: Dict[Source, Waiting] = {}
        self.stored_bytes = 0
        self._spool = spool or Spool()
        self._evictions = 0
        self._gaps: Dict[int, List[Union[Chunk, _Lost]]] = {}
        self._names: Dict[int, Tuple[str, ...]] = {}  # whose lines those are
        self._last_gap = int.from_bytes(os.urandom(4), "big") << 20  # another daemon's numbers mean nothing here
        self._looked_s = -1.0
        self._taken_bytes = 0
        self._speeds: List[float] = []

    @property
    def size_bytes(self) -> int:
        """How much waits."""
        return self.stored_bytes + sum(waiting.size_bytes for waiting in self.sources.values())

    def add(self, source: Source, lines: List[str]) -> bool:
        """Take lines; whether they are many, so that some should be sent now."""
        waiting = self.sources.get(source)
        if waiting is None:
            if len(self.sources) >= KEPT_SOURCES:
                self._forget_a_source()
            waiting = self.sources[source] = Waiting(source[:2])
        waiting.lines += lines
        waiting.size_bytes += sum(map(len, lines)) + LINE_OVERHEAD_BYTES * len(lines)
        return waiting.size_bytes > KEPT_BYTES

    def settle(self, source: Source, most_characters: int) -> None:
        """Put the lines of a source into the spool, where they are many."""
        waiting = self.sources.get(source)
        while waiting is not None and waiting.size_bytes > KEPT_BYTES:
            lines, size_bytes = cut_off(waiting, most_characters)
            data = b"".join([line for _, line in output_lines(source, lines, size_bytes)])
            chunk = self._spool.store(len(lines), size_bytes, data)
            if chunk is None:
                self._leave_out_stored(waiting)  # those before them: a gap is told in one place
                self._leave_out(waiting, None, len(lines))
                continue
            waiting.stored.append(chunk)
            waiting.stored_bytes += size_bytes
            self.stored_bytes += size_bytes
            if self._evictions != self._spool.evictions:
                self._evictions = self._spool.evictions
                self._forget_what_is_gone()

    def give(self, source: Source, most_characters: int) -> List[Tuple[int, bytes]]:
        """Take the next message of a source, as lines of the protocol, each with what it counts."""
        waiting = self.sources[source]
        data = b""
        while waiting.stored and not data:
            chunk = self._unstore(waiting)
            data, size_bytes = chunk.read(), chunk.size_bytes
            self._spool.forget(chunk)
            if not data:
                self._leave_out(waiting, None, chunk.count)
        if data:
            each = data.splitlines(keepends=True)
            sent = [(_count_of(line), line) for line in each] if len(each) > 1 else [(size_bytes, data)]
        elif waiting.lines or waiting.dropped:
            lines, size_bytes = cut_off(waiting, most_characters)
            # What counts nothing would seem to have arrived with what was sent before it.
            sent = output_lines(source, lines, size_bytes or LINE_OVERHEAD_BYTES)
        else:
            sent = []
        if waiting.dropped and sent:
            told = b',"dropped":%d' % waiting.dropped + (b',"gap":%d' % waiting.gap if waiting.gap else b"")
            size_bytes, first = sent[0]
            sent[0] = size_bytes, first[:-2] + told + first[-2:]
            waiting.dropped = waiting.gap = 0
        if not (waiting.stored or waiting.lines or waiting.dropped):
            del self.sources[source]
        return sent

    def next_bytes(self, source: Source) -> int:
        """Say how large the next message of a source is at least: those in the spool are not cut."""
        stored = self.sources[source].stored
        return stored[0].size_bytes if stored else 1

    def rotate(self, source: Source) -> None:
        """Let the others be first."""
        waiting = self.sources.pop(source, None)
        if waiting is not None:
            self.sources[source] = waiting

    def look(self, taken_bytes: int, now_s: float) -> None:
        """See how quickly lines go, and leave out what would wait for too long."""
        if not self.stored_bytes:
            self._looked_s = -1.0
            self._speeds = []
            return
        if self._looked_s < 0:
            self._looked_s, self._taken_bytes = now_s, taken_bytes
            return
        passed_s = now_s - self._looked_s
        if passed_s < LOOK_S:
            return
        self._speeds = [*self._speeds[1 - LOOKS :], max(0, taken_bytes - self._taken_bytes) / passed_s]
        self._looked_s, self._taken_bytes = now_s, taken_bytes
        if len(self._speeds) == LOOKS:
            self._catch_up(max(KEPT_BYTES, int(max(self._speeds) * BEHIND_S)))

    def pause(self) -> None:
        """Nobody is there to send to: how quickly lines go is seen anew."""
        self._looked_s = -1.0
        self._speeds = []

    def _catch_up(self, most_bytes: int) -> None:
        while self.stored_bytes > most_bytes:
            waiting = max(self.sources.values(), key=lambda one: one.stored_bytes)
            others_bytes = sorted(one.stored_bytes for one in self.sources.values())[-2:-1]
            least_bytes = others_bytes[0] if others_bytes else 0
            least_bytes = max(least_bytes, waiting.stored_bytes - self.stored_bytes + most_bytes)
            while True:
                chunk = self._unstore(waiting)
                self._leave_out(waiting, chunk, chunk.count)
                if waiting.stored_bytes <= least_bytes:
                    break

    def give_up(self) -> None:
        """Make counts of all that waits: nobody will have the time to take it."""
        for waiting in self.sources.values():
            self._leave_out_stored(waiting)
            self._leave_out(waiting, None, len(waiting.lines))
            waiting.lines, waiting.size_bytes = [], 0

    def left_out(self, gap: int, start: int, name: str = "") -> Message:
        """Give lines that were left out, from one of a gap on: {from, lines, next}, or {error}.

        name: of the attempt or the process that wrote them, where whoever asks says so

        from: which one is the first, later than asked where those before are not kept any more.
        """
        chunks = self._gaps.get(gap)
        if chunks is None:
            return {"error": "what was left out there is not kept any more, or never was"}
        names = self._names[gap]
        if name and name not in names:
            return {"error": "what was left out there is of %s, and not of %s" % (names[1] or names[0], name)}
        number = 0
        answer: Message = {"from": start, "lines": [], "next": 0}
        for chunk in chunks:
            number += chunk.count
            if number <= start:
                continue
            lines = _texts(chunk.read())
            if not lines:
                if answer["lines"]:
                    break
                start = answer["from"] = number
                continue
            answer["lines"] += lines[max(0, start - number + chunk.count) :]
            start = number
            if sum(map(len, answer["lines"])) > ANSWER_BYTES:
                break
        while len(answer["lines"]) > 1 and len(encode(answer)) > MAX_LINE_BYTES - 1024:
            del answer["lines"][len(answer["lines"]) // 2 :]
            start = answer["from"] + len(answer["lines"])
        answer["next"] = start if answer["lines"] and start < sum(chunk.count for chunk in chunks) else 0
        if not answer["lines"]:
            return {"error": "the agent has no more of what was left out there"}
        return answer

    def _unstore(self, waiting: Waiting) -> Chunk:
        chunk = waiting.stored.popleft()
        waiting.stored_bytes -= chunk.size_bytes
        self.stored_bytes -= chunk.size_bytes
        return chunk

    def _leave_out_stored(self, waiting: Waiting) -> None:
        while waiting.stored:
            chunk = self._unstore(waiting)
            self._leave_out(waiting, chunk, chunk.count)

    def _leave_out(self, waiting: Waiting, chunk: Optional[Chunk], count: int) -> None:
        """Count lines as left out; those of a chunk can be asked for."""
        waiting.dropped += count
        if chunk is None:
            if waiting.gap and count:  # the rest of the gap would be numbered wrongly
                self._gaps[waiting.gap].append(_Lost(count))
            return
        if not waiting.gap:
            self._last_gap += 1
            waiting.gap = self._last_gap
            self._names[waiting.gap] = waiting.names
            self._gaps[waiting.gap] = [_Lost(waiting.dropped - count)] if waiting.dropped > count else []
        self._gaps[waiting.gap].append(chunk)

    def _forget_a_source(self) -> None:
        """Reduce the oldest source that still has lines to a count; give up on the oldest when all are counts."""
        for waiting in self.sources.values():
            if waiting.lines or waiting.stored:
                self._leave_out_stored(waiting)
                self._leave_out(waiting, None, len(waiting.lines))
                waiting.lines, waiting.size_bytes = [], 0
                break
        if len(self.sources) >= 4 * KEPT_SOURCES:
            del self.sources[next(iter(self.sources))]

    def _forget_what_is_gone(self) -> None:
        open_gaps = {waiting.gap for waiting in self.sources.values()}
        for gap, chunks in list(self._gaps.items()):
            if gap not in open_gaps and all(chunk.is_gone for chunk in chunks):
                del self._gaps[gap], self._names[gap]


class _Lost:
    """The place of lines of a gap that are nowhere."""

    __slots__ = ("count",)
    is_gone = True

    def __init__(self, count: int) -> None:
        self.count = count

    def read(self) -> bytes:
        """Give nothing."""
        return b""


def _texts(data: bytes) -> List[str]:
    """Give the lines of output messages."""
    try:
        return [text for line in data.splitlines() for text in decode(line)["lines"]]
    except WireError:
        return []


def cut_off(waiting: Waiting, most_characters: int) -> Tuple[List[str], int]:
    """Take one message's worth of lines from memory, at least one, and what they count."""
    count = size_bytes = 0
    for line in waiting.lines:
        size_bytes += len(line) + LINE_OVERHEAD_BYTES
        if size_bytes > most_characters and count:
            size_bytes -= len(line) + LINE_OVERHEAD_BYTES
            break
        count += 1
    lines = waiting.lines[:count]
    del waiting.lines[:count]
    waiting.size_bytes -= size_bytes
    return lines, size_bytes


def output_lines(source: Source, lines: List[str], size_bytes: int) -> List[Tuple[int, bytes]]:
    """Encode output as one message, or as more where escapes make it too long for a line of the protocol.

    Each comes with its part of what all of it counts: who was given some of them only is to be given the others.
    """
    attempt, process, stream = source
    message: Dict[str, Any] = {"t": "output", "id": attempt, "stream": stream, "lines": lines, "bytes": size_bytes}
    if process:
        message["process"] = process
    line = encode(message)
    if len(line) <= MAX_LINE_BYTES - GAP_BYTES:
        return [(size_bytes, line)]
    if len(lines) > 1:
        first, second = lines[: len(lines) // 2], lines[len(lines) // 2 :]
    else:
        half = len(lines[0]) // 2
        first, second = [lines[0][:half]], [lines[0][half:]]
    first_bytes = sum(map(len, first)) + LINE_OVERHEAD_BYTES * len(first)
    return output_lines(source, first, first_bytes) + output_lines(source, second, size_bytes - first_bytes)


def _count_of(line: bytes) -> int:
    """Give what a message counts."""
    try:
        return int(decode(line)["bytes"])
    except (WireError, KeyError, TypeError, ValueError):
        return 0
