"""The plan as a list of lines: which rows are unfolded, which pass the filter, and where one is among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from octogram_tui.projection.board import Board
from octogram_tui.projection.bunches import Bunch, BunchKey, Part, bunch_key, failed_parts, parts_of
from octogram_tui.projection.filter import Filter
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row, RowKey

UNFOLDED_FAILURES = 20
"""A failed job with more causes than this stays folded by itself; jumping to a failure unfolds it."""
SHOWN_ROWS = 1_000
"""Of a longer list no more is laid out; a filter finds the rest."""

_LIVE = (State.RUNNING, State.HELD, State.RETRYING, State.FAILED, State.LOST)
_FAILED = (State.FAILED, State.LOST)

LineKey = RowKey | BunchKey


class Line(NamedTuple):
    """One line. row: what log, inspector and verbs are about; of a bunch, what stands for it.

    bunch: what the row is shown below, or, `is_head`, what the line is the head of. left: of the line after a list
    that is too long, how many it leaves out.
    """

    row: Row
    depth: int
    bunch: Bunch | None = None
    is_head: bool = False
    left: int = 0

    @property
    def head(self) -> Bunch | None:
        """The bunch that the line is the head of."""
        return self.bunch if self.is_head else None

    @property
    def key(self) -> object:
        """Names the line as long as the plan has it."""
        if self.bunch is None:
            return self.row.key
        return self.bunch.key if self.is_head else (self.bunch.key, self.row.key, self.left)

    @property
    def label(self) -> str:
        """What to call it where it stands."""
        if self.left:
            return f"{self.left} more: a filter finds them"
        if self.bunch is None:
            row = self.row
            is_short = isinstance(row, InstanceRow) and row.parent.kind is Kind.AGENT and self.depth == 2
            return f"{row.agent} [{row.label}]" if is_short else row.label
        if self.is_head:
            return self.bunch.label
        row = self.row
        if isinstance(row, InstanceRow) and row.parent.kind is Kind.AGENT:
            return f"{row.agent} [{row.label}]"
        return row.label

    @property
    def state(self) -> State:
        """What to show for it."""
        return self.bunch.state if self.bunch is not None and self.is_head else self.row.state

    @property
    def message(self) -> str:
        """Say in a line why, or how it stands."""
        if self.bunch is not None and self.is_head:
            return self.bunch.message
        if self.left:
            return ""
        if self.bunch is not None and isinstance(self.row, InstanceRow) and self.row.cause is not None:
            return self.row.cause.text  # how it ended is alike
        return self.row.message


class Outline:
    """The flat list. `refresh` makes it again, and only when something that it depends on has changed."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.lines: list[Line] = []
        self.failed_only = False
        self.room = 0  # how many lines can be seen: where all jobs fit, all stages are open
        self.walked = 0  # rows looked at since the start; tests hold it against what is seen
        self._filter = Filter()
        self._folds: dict[LineKey, bool] = {}  # what the operator decided, by key
        self._path: frozenset[LineKey] = frozenset()  # what is open for as long as something below is pointed at
        self._apart: RowKey | None = None  # a row that is shown by itself among many that are alike
        self._fits = False
        self._basis: object = None
        self._parts: dict[RowKey, tuple[object, Sequence[Part]]] = {}  # what stands below a job, as of when
        self._taken: dict[RowKey, tuple[object, Sequence[InstanceRow]]] = {}  # what of a job passes the filter
        self._at: dict[object, int] | None = None

    def look_at(self, board: Board) -> None:
        """List the rows of another moment; what was decided by hand stays."""
        self.board = board
        self._basis = None
        self._taken.clear()
        self._parts.clear()
        for job in [job for job in board.jobs.values() if self._folds.get(job.key)]:
            board.reveal(job)

    # What is chosen

    @property
    def filtered_by(self) -> Filter:
        """What the plan is narrowed to."""
        return self._filter

    def narrow(self, by: Filter) -> None:
        """Show only what a filter takes; an empty one takes everything."""
        self._filter = by
        self._taken.clear()
        self._parts.clear()
        self._basis = None

    @property
    def is_narrowed(self) -> bool:
        """Whether not everything is shown."""
        return self.failed_only or bool(self._filter)

    def hides(self, row: Row) -> bool:
        """Whether a row is not shown, however much is unfolded, because it does not pass."""
        rows = [row] if isinstance(row, InstanceRow) else list(row.below())
        if self.failed_only and not any(each.state in _FAILED for each in rows):
            return True
        if not self._filter:
            return False
        if not rows and isinstance(row, Group):
            return not self._is_shown(row)
        return not any(self._filter.takes(each) for each in rows)

    def counted(self) -> tuple[int, int]:
        """Say how many instances the filters let through, and how many there are."""
        board = self.board
        if not self._filter:
            return (len(board.failures) if self.failed_only else board.total), board.total
        jobs = (job for stage in board.stages for job in stage.children if isinstance(job, Group))
        return sum(len(self._passing(job)) for job in jobs), board.total

    def is_unfolded(self, shown: Row | Bunch) -> bool:
        """Say whether what is below is shown: as the operator decided, else where something goes on."""
        if isinstance(shown, InstanceRow):
            return False
        decided = self._folds.get(shown.key)
        if decided is not None and not (self.is_narrowed and isinstance(shown, Group)):
            return decided
        if shown.key in self._path:
            return True
        if isinstance(shown, Bunch):
            return False
        if self.is_narrowed:
            return True
        if shown.kind is Kind.STAGE:
            return self._is_open_by_itself(shown)
        if shown.state not in _FAILED:
            return False
        causes = self.board.clusters.at(self._job_key(shown))
        if shown.kind is Kind.AGENT and any(len(cause) > 1 for cause in causes):
            return False  # what failed alike is shown already
        return len(causes) <= UNFOLDED_FAILURES

    def _is_open_by_itself(self, stage: Group) -> bool:
        """Where something goes on; else, where there is room, what is still to come, and at the end everything."""
        if stage.state in _LIVE:
            return True
        if stage.final is not None and self.board.phase is Phase.RUNNING:
            return False
        # Before anything ran, the first stage is open so that one sees what is about to happen.
        stands_alone = stage in self.board.stages[:1] and self.board.current_stage is None
        return self._fits or stands_alone

    def _job_key(self, group: Group) -> RowKey:
        return group.above.key if group.kind is Kind.AGENT else group.key

    def has_rows_below(self, shown: Row | Bunch) -> bool:
        """Say whether there is something to unfold."""
        if isinstance(shown, Bunch):
            return True
        return isinstance(shown, Group) and bool(shown.children or (shown.stage.agents and not shown.has_items))

    def fold(self, shown: Row | Bunch) -> None:
        """Hide what is below."""
        self._folds[shown.key] = False
        self._basis = None

    def unfold(self, shown: Row | Bunch) -> None:
        """Show what is below; what is sure to come gets its rows now."""
        self._folds[shown.key] = True
        if isinstance(shown, Group):
            self.board.reveal(shown)
        self._basis = None

    def show(self, row: Row) -> None:
        """Unfold all that holds a row. Of many that are alike it is shown apart; what stands for a cluster is not."""
        cluster = self.board.clusters.holding(row.key)
        if cluster is not None and cluster.first.struck is not row and len(cluster) > 1:
            self._folds[bunch_key(self.board, row)] = True
        self._apart = row.key
        self._basis = None
        parent = row.parent
        while parent is not None:
            if not self.is_unfolded(parent):
                self.unfold(parent)
            parent = parent.parent

    def point_at(self, row: Row | None) -> None:
        """Unfold all that holds a row, until another is pointed at; what the operator decided stays."""
        path: set[LineKey] = set()
        self._apart = row.key if row is not None else None
        parent = row.parent if row is not None else None
        while parent is not None:
            path.add(parent.key)
            parent = parent.parent
        self._path = frozenset(path)

    # The list

    def refresh(self) -> bool:
        """Bring the list up to date. Returns whether its lines are others than before."""
        board = self.board
        self._fits = sum(1 + len(stage.children) for stage in board.stages) <= self.room
        versions = (board.structure_version, board.clusters.version)
        basis: list[object] = [versions, self.failed_only, self._path, self._apart]
        for stage in board.stages:
            is_open = self.is_unfolded(stage)
            basis.append(is_open)
            if is_open or self._filter:
                basis += [(job.version, self.is_unfolded(job)) for job in stage.children if isinstance(job, Group)]
        if basis == self._basis:
            return False
        self._basis = basis
        self.lines = list(self._walk())
        self._at = None
        return True

    def line(self, index: int) -> Line | None:
        """Give a line; None where there is none."""
        return self.lines[index] if 0 <= index < len(self.lines) else None

    def index(self, row: Row) -> int | None:
        """Find the line of a row that is shown by itself."""
        return self._places.get(("row", row.key))

    def index_of(self, line: Line) -> int | None:
        """Find where a line is now."""
        return self._places.get(line.key)

    def place(self, row: Row) -> int | None:
        """Find the line of a row, or that of the nearest that holds it."""
        places = self._places
        found = places.get(("row", row.key))
        if found is not None:
            return found
        if row.kind in (Kind.INSTANCE, Kind.AGENT):
            found = places.get(bunch_key(self.board, row))
            if found is not None:
                return found
        return self.place(row.parent) if row.parent is not None else None

    @property
    def _places(self) -> dict[object, int]:
        if self._at is None:
            at: dict[object, int] = {}
            for index, line in enumerate(self.lines):
                at[line.key] = index
                if not line.left and not line.is_head:
                    at.setdefault(("row", line.row.key), index)
            self._at = at
        return self._at

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

    def _walk(self) -> Iterator[Line]:
        for stage in self.board.stages:
            if self._is_shown(stage):
                self.walked += 1
                yield Line(stage, 0)
                if self.is_unfolded(stage):
                    yield from self._jobs(stage)

    def _jobs(self, stage: Group) -> Iterator[Line]:
        for job in stage.children:
            if isinstance(job, Group) and self._is_shown(job):
                self.walked += 1
                yield Line(job, 1)
                if (job.children or job.members) and self.is_unfolded(job):
                    for part in self._below(job):
                        yield from self._part(part)

    def _is_shown(self, group: Group) -> bool:
        if self.failed_only and group.state not in _FAILED:
            return False
        if not self._filter:
            return True
        if group.kind is Kind.STAGE:
            jobs = [job for job in group.children if isinstance(job, Group)]
            return any(self._is_shown(job) for job in jobs) or (not jobs and self._filter.takes_group(group))
        if group.known or group.children:
            return bool(self._passing(group))
        return self._filter.takes_group(group)

    def _passing(self, job: Group) -> Sequence[InstanceRow]:
        """What of a job passes; looked at anew only when something of the job changed."""
        basis = (job.version, len(job.children))
        known = self._taken.get(job.key)
        if known is not None and known[0] == basis:
            return known[1]
        rows = list(job.below())
        self.walked += len(rows)
        passing = [row for row in rows if self._filter.takes(row)]
        self._taken[job.key] = (basis, passing)
        return passing

    def _below(self, job: Group) -> Sequence[Part]:
        basis = (job.version, len(job.children), self.failed_only, self._apart)
        known = self._parts.get(job.key)
        if known is not None and known[0] == basis:
            return known[1]
        passing = self._passing(job) if self._filter else None
        if self.failed_only and passing is None:
            parts = failed_parts(self.board, job)
        else:
            if self.failed_only and passing is not None:
                passing = [row for row in passing if row.state in _FAILED]
            parts = parts_of(self.board, job, passing, self._apart)
        self.walked += len(job.children)
        self._parts[job.key] = (basis, parts)
        return parts

    def _part(self, part: Part) -> Iterator[Line]:
        self.walked += 1
        if isinstance(part, Bunch):
            yield Line(part.first, 2, part, is_head=True)
            if self.is_unfolded(part):
                for row in islice(part.rows, SHOWN_ROWS):
                    yield Line(row, 3, part)
                    yield from self._items(row, 4)
                self.walked += min(len(part), SHOWN_ROWS)
                if len(part) > SHOWN_ROWS:
                    yield Line(part.first, 3, part, left=len(part) - SHOWN_ROWS)
        else:
            yield Line(part, 2)
            yield from self._items(part, 3)

    def _items(self, row: Row, depth: int) -> Iterator[Line]:
        if isinstance(row, Group) and self.is_unfolded(row):
            for item in islice(row.children, SHOWN_ROWS):
                self.walked += 1
                yield Line(item, depth)


def _all(row: Row) -> Iterator[Row]:
    yield row
    for child in row.children:
        yield from _all(child)
