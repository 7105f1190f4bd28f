"""Copies of the folds at distances, to fold on from: any moment of a run is near one that is after a copy.

Bounded whatever the run is: copies are taken the more seldom the larger they are, and when they take too much room
together, those that stand closest go, the earliest first.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from typing import NamedTuple

from octogram_tui.projection.folds import Folds

LEAST_EVENTS = 1_000
"""Copies are no nearer to each other than this while a run is folded."""
BYTES_AN_EVENT = 100
"""A copy of so many bytes costs what folding an event does, ten times: so few, and it is a tenth of all work."""
HURRY = 4
"""Where many events wait, copies are so many times as far apart: what comes is seen first."""
MOST_COPIES = 64
MOST_BYTES = 64 * 1024 * 1024


class Copy(NamedTuple):
    """One copy. seq: the event after which it was so; written: how far the log was; whole_bytes: its size unpacked."""

    seq: int
    written: int
    whole_bytes: int
    data: bytes


class Copies:
    """The copies of one run, by event. The beginning, when nothing has happened, is always there."""

    def __init__(
        self, *, least_events: int = LEAST_EVENTS, most: int = MOST_COPIES, most_bytes: int = MOST_BYTES
    ) -> None:
        self._least_events = least_events
        self._most = most
        self._most_bytes = most_bytes
        self._copies: list[Copy] = []
        self._at: list[int] = []  # their events
        self._last_seq = 0  # of the latest copy
        self._next_seq = 0  # a copy is due from here on
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._copies)

    def is_due(self, seq: int, *, hurries: bool = False) -> bool:
        """Whether the next copy of folds that go on should be taken now; while much comes at once, more seldom."""
        distance = seq - self._last_seq
        return seq >= self._next_seq and not (hurries and distance < HURRY * (self._next_seq - self._last_seq))

    @staticmethod
    def copy_of(folds: Folds) -> Copy:
        """Make a copy of how they are now."""
        data = folds.frozen()
        return Copy(folds.seq, folds.written, len(data), zlib.compress(data, 1))

    def take(self, folds: Folds) -> None:
        """Keep a copy of how they are now, unless there is one."""
        place = bisect_right(self._at, folds.seq)
        if place and self._at[place - 1] == folds.seq:
            return
        self._last_seq = max(self._last_seq, folds.seq)
        self._next_seq = max(self._next_seq, folds.seq + self._least_events)  # also when it cannot be copied
        copy = self.copy_of(folds)
        self._next_seq = max(self._next_seq, folds.seq + max(self._least_events, copy.whole_bytes // BYTES_AN_EVENT))
        self._copies.insert(place, copy)
        self._at.insert(place, copy.seq)
        self.size_bytes += len(copy.data)
        while len(self._copies) > max(2, self._most) or (self.size_bytes > self._most_bytes and len(self._copies) > 2):
            self._let_go()

    def before(self, seq: int) -> Copy | None:
        """Give the latest copy that has no later event than this; None when that is the beginning."""
        place = bisect_right(self._at, seq)
        return self._copies[place - 1] if place else None

    def written_before(self, line: int) -> Copy | None:
        """Give the latest copy that was taken when the log had no more lines than this."""
        place = bisect_right(self._copies, line, key=lambda copy: copy.written)
        return self._copies[place - 1] if place else None

    def _let_go(self) -> None:
        """Drop the copy whose neighbours are closest, but for the last."""
        at = [0, *self._at]
        gaps = [(at[place + 2] - at[place], place) for place in range(len(self._copies) - 1)]
        _, place = min(gaps)
        self.size_bytes -= len(self._copies[place].data)
        del self._copies[place], self._at[place]


def thawed(copy: Copy | None, like: Folds) -> Folds | None:
    """Make folds of a copy; None of none."""
    return None if copy is None else like.thawed(zlib.decompress(copy.data))
