"""What attempts that are over have been answered with, as long as anybody may ask for that again.

An answer that has not been acknowledged is asked for by whoever attaches next, and by a run that is taken up again.
One that was acknowledged is in the run's journal: of those only the latest are kept, a bound for all of them together.
That an attempt was executed is kept of each, in a few bytes, whatever becomes of a journal.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Hashable, Iterator, Optional, Tuple

REMEMBERED_BYTES = 32 << 20  # of answers, acknowledged or not
ACKNOWLEDGED_BYTES = 64 << 10
OVERHEAD_BYTES = 300  # of each one, beside its name and its line
IS_HASH_SHORT = sys.hash_info.width < 64  # of some thousand names two are likely to share it then


class Answers:
    """The answers of one daemon, by the attempts' names."""

    def __init__(self) -> None:
        self._kept: Dict[str, Tuple[int, str, bytes]] = {}  # the number it was sent with, state, line
        self._bytes = 0
        self._forgotten = Names()

    def __contains__(self, name: str) -> bool:
        return name in self._kept or name in self._forgotten

    def line(self, name: str) -> Optional[bytes]:
        """Give the line of an answer, without a number; None when it is not kept."""
        kept = self._kept.get(name)
        return None if kept is None else kept[2]

    def state(self, name: str) -> Optional[str]:
        """Give how an attempt ended; None when its answer is not kept."""
        kept = self._kept.get(name)
        return None if kept is None else kept[1]

    def states(self) -> Iterator[Tuple[str, str]]:
        """Give names and states of those that are kept, the latest first."""
        for name, (_number, state, _line) in reversed(list(self._kept.items())):
            yield name, state

    def add(self, name: str, state: str, line: bytes, number: int) -> None:
        """Keep an answer that was sent with a number."""
        self._kept[name] = number, state, line
        self._bytes += len(name) + len(line) + OVERHEAD_BYTES
        while self._bytes > REMEMBERED_BYTES:
            self._forget(next(iter(self._kept)))

    def acknowledged(self, number: int) -> None:
        """Take note that all up to a number are in the journal."""
        while self._bytes > ACKNOWLEDGED_BYTES:
            name = next(iter(self._kept))
            if self._kept[name][0] > number:
                break
            self._forget(name)

    def _forget(self, name: str) -> None:
        _number, _state, line = self._kept.pop(name)
        self._bytes -= len(name) + len(line) + OVERHEAD_BYTES
        self._forgotten.add(name)


class Names:
    """A set of names that keeps 8 bytes of each, and so knows one in some 10^19 wrongly: such an attempt would fail."""

    def __init__(self) -> None:
        self._slots = memoryview(bytearray(8 * 64)).cast("q")  # 0: free
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: Hashable) -> bool:
        return self._slots[self._place(_mark(name))] != 0

    def add(self, name: Hashable) -> None:
        """Take a name in."""
        mark = _mark(name)
        place = self._place(mark)
        if not self._slots[place]:
            self._slots[place] = mark
            self._count += 1
            if self._count * 4 > len(self._slots) * 3:
                self._grow()

    def _place(self, mark: int) -> int:
        """Find where a mark is, or belongs."""
        slots, last = self._slots, len(self._slots) - 1
        place = mark & last
        while slots[place] not in (0, mark):
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        marks = self._slots
        self._slots = memoryview(bytearray(8 * 2 * len(marks))).cast("q")
        for mark in marks:
            if mark:
                self._slots[self._place(mark)] = mark


def _mark(name: Hashable) -> int:
    """Give 64 bits of a name, never 0."""
    mark = hash(name)
    if IS_HASH_SHORT:
        mark = mark << 32 ^ hash("%s'" % (name,)) & 0xFFFFFFFF
    return mark or 1
