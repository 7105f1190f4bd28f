"""Copies of the folds at distances, to fold on from: any moment of a run is near one that is after a copy.

Bounded whatever the run is: copies are taken the more seldom the larger they are, and when they take too much room
together, those that stand closest go, the earliest first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from typing import NamedTuple

from octogram_tui.projection.folds import Folds
from octogram_tui.projection.freezing import PIECE_BYTES, MovedOn, Piece, freezing, outcome

LEAST_EVENTS = 1_000
"""Copies are no nearer to each other than this while a run is folded."""
EVENTS_A_ROW = 4
"""Copying a row costs what folding half an event does: so far apart, and copies are an eighth of all work."""
HURRY = 4
"""Where many events wait, copies are so many times as far apart: what comes is seen first."""
MOST_COPIES = 64
MOST_BYTES = 64 * 1024 * 1024


class Copy(NamedTuple):
    """One copy. seq: the event after which it was so; written: how far the log was."""

    seq: int
    written: int
    pieces: tuple[Piece, ...]

    @property
    def size_bytes(self) -> int:
        """How much room it takes."""
        return sum(len(piece.data) for piece in self.pieces)


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

    def take(self, folds: Folds) -> None:
        """Keep a copy of how they are now, unless there is one, all at once."""
        outcome(self.taking(folds))

    def taking(self, folds: Folds) -> Generator[None, None, None]:
        """Do the same a piece at a time; nothing comes of it where they go on meanwhile."""
        seq = folds.seq
        place = bisect_right(self._at, seq)
        if place and self._at[place - 1] == seq:
            return
        self._last_seq = max(self._last_seq, seq)
        self._next_seq = max(self._next_seq, seq + self._least_events)  # also when it cannot be copied
        copy = yield from copying(folds)
        if copy is None:
            return
        distance = EVENTS_A_ROW * (len(folds.board.instances) + len(folds.board.agents))
        self._next_seq = max(self._next_seq, seq + distance)
        place = bisect_right(self._at, seq)
        self._copies.insert(place, copy)
        self._at.insert(place, seq)
        self.size_bytes += copy.size_bytes
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
        self.size_bytes -= self._copies[place].size_bytes
        del self._copies[place], self._at[place]


def copying(folds: Folds) -> Generator[None, None, Copy | None]:
    """Make a copy of how folds are now, a piece at a time; None where they go on meanwhile."""
    seq, written = folds.seq, folds.written
    pieces, size = [], 0
    try:
        for piece in freezing(folds):
            if piece is not None:
                pieces.append(piece)
                size += len(piece.data)
            if piece is None or size > PIECE_BYTES:
                size = 0
                yield
    except MovedOn:
        return None
    return Copy(seq, written, tuple(pieces))
