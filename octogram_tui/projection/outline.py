"""The plan as a list of lines: which rows are unfolded, which pass the filter, and where one is among them."""

from __future__ import annotations

from collections.abc import Iterator

from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row, RowKey

UNFOLDED_FAILURES = 20
"""A failed job with more rows than this stays folded by itself; jumping to a failure unfolds it."""

_LIVE = (State.RUNNING, State.HELD, State.RETRYING, State.FAILED, State.LOST)


class Outline:
    """The flat list. `refresh` makes it again, and only when something that it depends on has changed."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.rows: list[Row] = []
        self.failed_only = False
        self.room = 0  # how many lines can be seen: where all jobs fit, all stages are open
        self._folds: dict[RowKey, bool] = {}  # what the operator decided, by key
        self._path: frozenset[RowKey] = frozenset()  # what is open for as long as something below is pointed at
        self._fits = False
        self._basis: object = None

    def is_unfolded(self, row: Row) -> bool:
        """Say whether the rows below are shown: as the operator decided, else where something goes on."""
        if isinstance(row, InstanceRow):
            return False
        if self.failed_only:
            return True
        decided = self._folds.get(row.key)
        if decided is not None:
            return decided
        if row.key in self._path:
            return True
        if row.kind is Kind.STAGE:
            return self._fits or row.state in _LIVE or self._stands_alone(row)
        return row.state in (State.FAILED, State.LOST) and len(row.children) <= UNFOLDED_FAILURES

    def _stands_alone(self, stage: Group) -> bool:
        """Before anything ran, the first stage is open so that one sees what is about to happen."""
        return stage in self.board.stages[:1] and self.board.current_stage is None

    def has_rows_below(self, row: Row) -> bool:
        """Say whether there is something to unfold."""
        return isinstance(row, Group) and bool(row.children or (row.stage.agents and not row.has_items))

    def fold(self, row: Row) -> None:
        """Hide what is below."""
        self._folds[row.key] = False
        self._basis = None

    def unfold(self, row: Row) -> None:
        """Show what is below; what is sure to come gets its rows now."""
        self._folds[row.key] = True
        if isinstance(row, Group):
            self.board.reveal(row)
        self._basis = None

    def show(self, row: Row) -> None:
        """Unfold all that holds a row."""
        parent = row.parent
        while parent is not None:
            self.unfold(parent)
            parent = parent.parent

    def point_at(self, row: Row | None) -> None:
        """Unfold all that holds a row, until another is pointed at; what the operator decided stays."""
        path = set()
        parent = row.parent if row is not None else None
        while parent is not None:
            path.add(parent.key)
            parent = parent.parent
        self._path = frozenset(path)

    def refresh(self) -> bool:
        """Bring the list up to date. Returns whether its lines are others than before."""
        self._fits = sum(1 + len(stage.children) for stage in self.board.stages) <= self.room
        unfolded = tuple(self.is_unfolded(stage) for stage in self.board.stages)
        failing = tuple(key for key in self.board.failures) if len(self.board.failures) <= UNFOLDED_FAILURES else ()
        basis = (
            self.board.structure_version,
            unfolded,
            failing,
            self.failed_only,
            len(self.board.failures),
            self._path,
        )
        if basis == self._basis:
            return False
        self._basis = basis
        self.rows = list(self._walk())
        return True

    def index(self, row: Row) -> int | None:
        """Find the line of a row that is shown."""
        for index, shown in enumerate(self.rows):
            if shown is row:
                return index
        return None

    def find(self, needle: str, start: Row | None, *, backwards: bool = False) -> Row | None:
        """Find the next row whose name holds a text, folded or not, after `start`, around the end."""
        needle = needle.lower()
        rows = [row for stage in self.board.stages for row in _all(stage)]
        if backwards:
            rows.reverse()
        begin = next((index + 1 for index, row in enumerate(rows) if row is start), 0)
        for row in rows[begin:] + rows[:begin]:
            if needle in row.label.lower():
                return row
        return None

    def _walk(self) -> Iterator[Row]:
        for stage in self.board.stages:
            yield from self._below(stage)

    def _below(self, row: Row) -> Iterator[Row]:
        if self.failed_only and row.state not in (State.FAILED, State.LOST):
            return
        yield row
        if row.children and self.is_unfolded(row):
            for child in row.children:
                yield from self._below(child)


def _all(row: Row) -> Iterator[Row]:
    yield row
    for child in row.children:
        yield from _all(child)
