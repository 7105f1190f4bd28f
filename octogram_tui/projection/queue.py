"""What the gate holds, in the order in which it lets it through: the first is what runs next, and no other is.

The engine keeps the same order: what comes to a shut gate stands behind what is there, and a step takes the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.rows import Group, InstanceRow

NEXT = "next in line, "

_HELD = {
    "start": "held before the start",
    "step": "held",
    "operator": "held, paused by you",
    "failure": "held after the failure",
    "reload": "held, the scenario has further stages",
}


class Queue:
    """The fold: rows join when they are held, and leave when they begin, are skipped, or their stage is over."""

    def __init__(self) -> None:
        self._rows: dict[InstanceId, InstanceRow] = {}
        self.version = 0
        self._is_open = False

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[InstanceRow]:
        return iter(self._rows.values())

    def __contains__(self, row: InstanceRow) -> bool:
        return row.key in self._rows

    @property
    def head(self) -> InstanceRow | None:
        """What the gate lets through next; None when it holds nothing."""
        return next(iter(self._rows.values()), None)

    def first(self, count: int) -> list[InstanceRow]:
        """Give the first rows: what comes next, and then."""
        return list(islice(self._rows.values(), count))

    def join(self, row: InstanceRow, reason: str) -> None:
        """A row is held; it keeps its place if it is held already."""
        if row.key not in self._rows:
            row.note = _words(reason)
            self._rows[row.key] = row
            self._change()

    def leave(self, row: InstanceRow) -> None:
        """A row is held no more, if it was."""
        if self._rows.pop(row.key, None) is not None:
            row.note = ""
            self._change()

    def close(self, stage: Group) -> list[InstanceRow]:
        """Nothing more of a stage begins. Gives the rows that never will."""
        gone = [row for row in self if row.stage is stage]
        for row in gone:
            del self._rows[row.key]
        if gone:
            self._change()
        return gone

    def open(self) -> None:
        """The gate is open: what is still here waits for room under `max_concurrency`."""
        self._say("waits until there is room", is_open=True)

    def shut(self, reason: str) -> None:
        """The gate is shut: what waited for room is held."""
        if self._is_open:
            self._say(_words(reason), is_open=False)

    def _say(self, note: str, *, is_open: bool) -> None:
        self._is_open = is_open
        for row in self:
            row.note = note
            row.version += 1
        self._change()

    def _change(self) -> None:
        self.version += 1
        head = self.head
        if head is not None and not self._is_open and not head.note.startswith(NEXT):
            head.note = NEXT + head.note
            head.version += 1


def _words(reason: str) -> str:
    return _HELD.get(reason, f"held: {reason}")
