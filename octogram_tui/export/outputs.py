"""What each attempt wrote, its beginning and its end: what is between is counted, and is in the journal."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.engine import events as ev
from octogram_tui.export.bounds import ATTEMPT_BYTES, LINE_CHARACTERS, Bounds
from octogram_tui.export.store import Place, Store
from octogram_tui.model.ids import InstanceId

Writer = tuple[InstanceId, int] | tuple[str, str]
"""An attempt, or an agent and a process of it."""

OVERHEAD_BYTES = 40


class Line(NamedTuple):
    """A line of output. stream: stdout or stderr."""

    at_s: float
    stream: str
    text: str


class Output(NamedTuple):
    """What is kept of what one wrote. left_out: how many lines are missing between head and tail."""

    head: list[Line]
    left_out: int
    tail: list[Line]

    @property
    def size_bytes(self) -> int:
        """About how much room it takes on a page."""
        return sum(len(line.text) + OVERHEAD_BYTES for line in (*self.head, *self.tail))


NOTHING = Output([], 0, [])


class _Open:
    """The output of an attempt that may write more."""

    __slots__ = ("_head_bytes", "_tail_bytes", "head", "left_out", "tail")

    def __init__(self) -> None:
        self.head: list[Line] = []
        self.left_out = 0
        self.tail: deque[Line] = deque()
        self._head_bytes = self._tail_bytes = 0

    def add(self, line: Line, most: int) -> None:
        """Take a line in. most: lines of each part."""
        size = len(line.text) + OVERHEAD_BYTES
        is_beginning = not self.left_out and not self.tail and len(self.head) < most
        if is_beginning and self._head_bytes + size <= ATTEMPT_BYTES // 2:
            self.head.append(line)
            self._head_bytes += size
            return
        self.tail.append(line)
        self._tail_bytes += size
        while len(self.tail) > most or (self._tail_bytes > ATTEMPT_BYTES // 2 and len(self.tail) > 1):
            self._tail_bytes -= len(self.tail.popleft().text) + OVERHEAD_BYTES
            self.left_out += 1

    def drop(self, count: int) -> None:
        """Lines were left out on their way here."""
        self.left_out += count + len(self.tail)
        self.tail.clear()
        self._tail_bytes = 0

    def within(self, lines: int) -> Output:
        """Give what is to be kept of it, so many lines."""
        head, tail = self.head, list(self.tail)
        if len(head) + len(tail) <= lines:
            return Output(head, self.left_out, tail)
        half = lines // 2
        left_out = self.left_out
        if not left_out:  # one piece: a beginning and an end are taken of it
            every = [*head, *tail]
            return Output(every[:half], len(every) - 2 * half, every[len(every) - half :])
        return Output(head[:half], left_out + max(0, len(head) - half) + max(0, len(tail) - half), tail[-half:])


class Outputs:
    """The fold."""

    def __init__(self, store: Store, bounds: Bounds) -> None:
        self._store = store
        self._bounds = bounds
        self._open: dict[Writer, _Open] = {}
        self._closed: dict[Writer, Place] = {}

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.JobOutput):
            self._written(event)
        elif isinstance(event, ev.JobFinished):
            self._close((event.instance, event.attempt), event.state)

    def _written(self, event: ev.JobOutput) -> None:
        writer: Writer = (event.agent, event.process) if event.instance is None else (event.instance, event.attempt)
        out = self._open.get(writer)
        if out is None:
            out = self._open[writer] = self._opened(writer)
        if event.dropped:
            out.drop(event.dropped)
        most = self._bounds.lines // 2
        for text in event.lines:
            out.add(Line(event.at_s, event.stream, line_within(text)), most)

    def _opened(self, writer: Writer) -> _Open:
        """Begin, or go on with what was thought to be over."""
        out = _Open()
        place = self._closed.pop(writer, None)
        if place is not None:
            head, out.left_out, tail = self._store.get(place)
            out.head = [Line(*line) for line in head]
            out.tail.extend(Line(*line) for line in tail)
        return out

    def _close(self, writer: Writer, state: str) -> None:
        out = self._open.pop(writer, None)
        if out is not None:
            lines = self._bounds.lines_of_ok if state == "ok" else self._bounds.lines
            head, left_out, tail = out.within(lines)
            kept = ([tuple(line) for line in head], left_out, [tuple(line) for line in tail])
            self._closed[writer] = self._store.put(kept)

    def of(self, writer: Writer) -> Output:
        """Give what is kept of what one wrote."""
        out = self._open.get(writer)
        if out is not None:
            return out.within(self._bounds.lines)
        place = self._closed.get(writer)
        if place is None:
            return NOTHING
        head, left_out, tail = self._store.get(place)
        return Output([Line(*line) for line in head], left_out, [Line(*line) for line in tail])

    @property
    def processes(self) -> list[tuple[str, str]]:
        """Those that wrote and are no attempts: an agent, and what runs there beyond the job that started it."""
        return [(str(who), what) for who, what in self._open if isinstance(what, str)]


def line_within(text: str) -> str:
    """Cut a line that is too long, saying how long it was."""
    if len(text) <= LINE_CHARACTERS:
        return text
    return f"{beginning(text, LINE_CHARACTERS)} (the line has {len(text)} characters)"
