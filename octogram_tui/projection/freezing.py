"""A copy of all that is folded, made and unmade piece by piece: of a large run either takes half a second in all.

Rows are what there is very much of. They are numbered, written as plain tuples in pieces of their own, and everybody
who speaks of one speaks of its number; the rest is pickled. Between two pieces the loop goes on, but nothing may be
folded until the copy is whole.
"""

from __future__ import annotations

import copyreg
import gc
import io
import marshal
import pickle
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import KEPT_DETAILS, Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow

if TYPE_CHECKING:
    from octogram_tui.projection.folds import Folds

PIECE_ROWS = 500
PIECE_AGENTS = 100
PIECE_NUMBERS = 10_000
"""Of each so many are done before the loop goes on: none of them takes longer than a few milliseconds."""

PIECE_BYTES = 8_000
"""What is smaller, packed, is done with what follows it: a small run in one go."""

_EMPTY: dict[type, dict[str, Callable[[], object]]] = {
    Group: {"children": list, "members": dict},
    AgentRow: {"instances": list},
    Board: {"instances": dict, "_detailed": deque},
}
"""What holds rows: empty in an object until it is filled."""
_STATES = tuple(State)
_ENDED = attrgetter("ended_seq")

Made = TypeVar("Made")


class MovedOn(Exception):
    """What is copied was changed between two pieces: it would be no moment of the run."""


class Piece(NamedTuple):
    """A part of a copy. order: those with a lower one are read before it."""

    order: int
    data: bytes


_OBJECTS, _OTHERS, _LISTS, _ROWS = range(4)


class _Numbers:
    """Numbers objects as they are met."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}  # by identity
        self.all: list[Any] = []

    def __call__(self, one: Any) -> int:
        number = self.of.get(id(one))
        if number is None:
            number = self.of[id(one)] = len(self.all)
            self.all.append(one)
        return number


def freezing(folds: Folds) -> Iterator[Piece | None]:
    """Give a copy in pieces; None where only time has passed. Raises MovedOn where they go on meanwhile."""
    board = folds.board
    moment = _moment(board)
    for piece in _Freezer(folds).pieces():
        yield piece
        if moment != _moment(board):
            raise MovedOn


def _moment(board: Board) -> tuple[int, int, int]:
    return board.seq, board.version, board.structure_version


class _Freezer:
    """Makes one copy."""

    def __init__(self, folds: Folds) -> None:
        self._folds = folds
        self._file = io.BytesIO()
        self._pickler = pickle.Pickler(self._file, pickle.HIGHEST_PROTOCOL)
        self._pickler.dispatch_table = {
            **copyreg.dispatch_table,
            **dict.fromkeys(_EMPTY, _hollow),
            InstanceRow: lambda row: (row_at, (self._row(row),)),
        }
        self._row, self._group, self._agent, self._other = (_Numbers() for _ in range(4))

    def pieces(self) -> Iterator[Piece | None]:
        board = self._folds.board
        for rows in _parts(board.instances.values(), PIECE_NUMBERS):
            for row in rows:
                self._row(row)
            if len(rows) == PIECE_NUMBERS:
                yield None
        count = len(self._row.all)
        for agents in _parts(board.agents.values(), PIECE_AGENTS):
            for agent in agents:
                self._agent(agent)
            yield self._pickled(_OBJECTS, ("agents", agents))
        for groups in _parts([*board.stages, *board.jobs.values()], PIECE_AGENTS):
            yield self._pickled(_OBJECTS, ("groups", [each for each in groups if self._group(each) >= 0]))
        for name, fold in vars(self._folds).items():
            yield self._pickled(_OBJECTS, ("fold", (name, fold)))
        known = len(self._group.all)
        yield from self._lists(count)
        at = 0  # more may be met on the way: what an edit has taken away
        while at < len(self._row.all):
            records = [self._record(row) for row in self._row.all[at : at + PIECE_ROWS]]
            yield _piece(_ROWS, _plain((at, records)))
            at += len(records)
        yield self._pickled(_OTHERS, (self._group.all[known:], self._agent.all[len(board.agents) :], self._other.all))

    def _pickled(self, order: int, content: object) -> Piece:
        self._file.seek(0)
        self._file.truncate()
        self._pickler.dump(content)
        return _piece(order, self._file.getvalue())

    def _lists(self, count: int) -> Iterator[Piece]:
        """Write who has which rows, by their numbers."""
        lists: list[tuple[str, int, int, bytes]] = []
        size = 0
        for kind, owner, state, rows in self._holders():
            lists.append((kind, owner, state, array("I", map(self._row, rows)).tobytes()))
            size += len(rows) + 50
            if size > PIECE_NUMBERS:
                yield _piece(_LISTS, _plain(lists))
                lists, size = [], 0
        lists.append(("board", 0, 0, array("I", range(count)).tobytes()))
        yield _piece(_LISTS, _plain(lists))

    def _holders(self) -> Iterator[tuple[str, int, int, Sequence[InstanceRow]]]:
        for number, agent in enumerate(self._agent.all):
            yield "agent", number, 0, agent.instances
        for number, group in enumerate(self._group.all):
            yield "children", number, 0, [row for row in group.children if isinstance(row, InstanceRow)]
            for state, rows in group.members.items():
                yield "members", number, state._value_, [*rows.values()]

    def _record(self, row: InstanceRow) -> tuple[Any, ...]:
        key, last = row.key, row.last
        agent = self._folds.board.agents.get(key.agent)
        return (
            self._group(row.parent),
            key.agent if agent is None else self._agent(agent),
            key.item,
            row.item,
            row.state._value_,
            row.version,
            row.note,
            row.progress,
            None if last is None else self._attempt(last),
            [self._attempt(attempt) for attempt in row.earlier],
        )

    def _attempt(self, attempt: AttemptRow) -> tuple[Any, ...]:
        failure = attempt.failure
        return (
            attempt.number,
            attempt.started_s,
            attempt.why,
            attempt._arguments,
            attempt.seq,
            self._other(attempt.text),
            self._other(attempt.reading),
            attempt.state._value_,
            attempt.duration_s,
            attempt._result,
            None if failure is None else self._other(failure),
            attempt.reason,
            attempt.ended_seq,
        )


def _piece(order: int, data: bytes) -> Piece:
    return Piece(order, zlib.compress(data, 1))


def _plain(content: Any) -> bytes:
    """Write what is of plain values, in a tenth of the time; of what is nested very deep in another way."""
    try:
        return b"m" + marshal.dumps(content, 2)
    except ValueError:
        return b"p" + pickle.dumps(content)


def _unplain(data: bytes) -> Any:
    return marshal.loads(data[1:]) if data[:1] == b"m" else pickle.loads(data[1:])  # our own


def _hollow(kept: Any) -> tuple[Any, ...]:
    """Say how an object is made again, without the rows that it holds."""
    kind = type(kept)
    empty = _EMPTY[kind]
    is_open = hasattr(kept, "__dict__")
    state = vars(kept) if is_open else {name: getattr(kept, name) for name in kind.__slots__}
    left = {name: empty[name]() if name in empty else value for name, value in state.items()}
    if kind is Group:
        left["children"] = [child for child in kept.children if isinstance(child, Group)]
    return copyreg.__newobj__, (kind,), left if is_open else (None, left)  # type: ignore[attr-defined]


def row_at(number: int) -> InstanceRow:
    """Stand in a copy for a row; whoever reads it has the rows (_Thawer)."""
    raise LookupError(number)


def _parts(many: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(many)
    while some := list(islice(left, size)):
        yield some


def thawing(pieces: Sequence[Piece]) -> Generator[None, None, dict[str, Any]]:
    """Make again what was copied, a piece at a time. Gives the members of the folds."""
    thawer, size = _Thawer(), 0
    for piece in sorted(pieces, key=lambda piece: piece.order):
        with _no_garbage():
            thawer.take(piece)
        size += len(piece.data)
        if size > PIECE_BYTES:
            size = 0
            yield
    for _ in thawer.naming():
        yield
    return thawer.found


class _Thawer(pickle.Unpickler):
    """Reads one copy: our own, and never out of this process."""

    def __init__(self) -> None:
        self._now = io.BytesIO()
        super().__init__(self)
        self.found: dict[str, Any] = {}
        self._rows: list[InstanceRow] = []
        self._groups: list[Group] = []
        self._agents: list[AgentRow] = []
        self._others: list[Any] = []
        self._detailed: list[AttemptRow] = []

    def read(self, size: int, /) -> bytes:
        """Be the file that is read."""
        return self._now.read(size)

    def readline(self) -> bytes:
        """Be the file that is read."""
        return self._now.readline()

    def find_class(self, module: str, name: str) -> Any:
        """Find rows here."""
        return self._row if (module, name) == (__name__, row_at.__name__) else super().find_class(module, name)

    def take(self, piece: Piece) -> None:
        """Read a piece."""
        data = zlib.decompress(piece.data)
        if piece.order == _LISTS:
            for each in _unplain(data):
                self._fill(*each)
        elif piece.order == _ROWS:
            first, records = _unplain(data)
            for number, record in enumerate(records, first):
                self._make(self._row(number), record)
        else:
            self._now = io.BytesIO(data)
            self._take_objects(piece.order, self.load())

    def _take_objects(self, order: int, content: Any) -> None:
        if order == _OTHERS:
            groups, agents, self._others = content
            self._groups += groups
            self._agents += agents
            return
        kind, what = content
        if kind == "fold":
            self.found[what[0]] = what[1]
        else:
            there: list[Any] = self._agents if kind == "agents" else self._groups
            there += what

    def _row(self, number: int) -> InstanceRow:
        rows = self._rows
        while len(rows) <= number:
            rows.append(InstanceRow.__new__(InstanceRow))
        return rows[number]

    def _fill(self, kind: str, owner: int, state: int, numbers: bytes) -> None:
        rows = [self._row(number) for number in array("I", numbers)]
        if kind == "agent":
            self._agents[owner].instances = rows
        elif kind == "children":
            self._groups[owner].children += rows
        elif kind == "members":
            self._groups[owner].members[_STATES[state]] = rows  # type: ignore[assignment]
        else:
            self.found["board"].instances = rows

    def _make(self, row: InstanceRow, record: tuple[Any, ...]) -> None:
        group, agent, item_text, row.item, state, row.version, row.note, row.progress, last, earlier = record
        row.parent = parent = self._groups[group]
        name = agent if isinstance(agent, str) else self._agents[agent].name
        row.key = InstanceId(parent.key[0], parent.key[1], name, item_text)
        row.state = _STATES[state]
        row.last = None if last is None else self._attempt(last)
        row.earlier = tuple(self._attempt(attempt) for attempt in earlier)

    def _attempt(self, record: tuple[Any, ...]) -> AttemptRow:
        number, started_s, why, arguments, seq, text, reading, state, duration_s, result, failure, reason, end = record
        others = self._others
        attempt = AttemptRow(number, started_s, why, None, seq, others[text], others[reading])
        attempt.state, attempt.duration_s, attempt.reason, attempt.ended_seq = _STATES[state], duration_s, reason, end
        attempt._arguments, attempt._result = arguments, result
        if failure is not None:
            attempt.failure = others[failure]
        elif end and (arguments is not None or result is not None):
            self._detailed.append(attempt)
        return attempt

    def naming(self) -> Iterator[None]:
        """Hold rows by their names, once they have names; and let details go in the order in which they came."""
        board: Board = self.found["board"]
        rows: Any = board.instances
        board.instances = {}
        for some in _parts(rows, PIECE_NUMBERS):
            board.instances.update((row.key, row) for row in some)
            if len(some) == PIECE_NUMBERS:
                yield
        size = 0
        for group in self._groups:
            for state, mine in group.members.items():
                rows = mine
                group.members[state] = {row.key: row for row in rows}
                size += len(rows)
            if size > PIECE_NUMBERS:
                size = 0
                yield
        board._detailed.extend(sorted(self._detailed, key=_ENDED)[-KEPT_DETAILS:])


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing of what is made meanwhile is garbage, and looking for some would take half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def outcome(making: Generator[None, None, Made]) -> Made:
    """Do at once what could be done piece by piece."""
    while True:
        try:
            next(making)
        except StopIteration as end:
            made: Made = end.value
            return made
