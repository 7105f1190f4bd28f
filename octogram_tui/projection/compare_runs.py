"""Two runs beside each other, row by row and by name, in whatever order they ran: where they first differ, and by what.

A row did what it was given, and gave its end, its result and what it set. How long things took is another question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Absent
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.compare import TIMES
from octogram_tui.projection.run_record import Done, RunRecord, natural

Given: TypeAlias = "Value | Absent"


class Difference(NamedTuple):
    """One thing that a row, or the beginning, has otherwise in the other run. ABSENT: it is not there."""

    what: str
    left: Given
    right: Given


class RowDifference(NamedTuple):
    """A row that differs. It is `only` in one of the runs, or both have it."""

    key: InstanceId
    differences: tuple[Difference, ...] = ()
    only: str = ""


class Lasted(NamedTuple):
    """How long something took in each of the runs."""

    name: str
    left_s: float
    right_s: float

    @property
    def by_s(self) -> float:
        """By how much the right one is slower."""
        return self.right_s - self.left_s


class RunComparison(NamedTuple):
    """What two runs have otherwise. rows: in the order of the plan, so that the first is where they part."""

    left: RunRecord
    right: RunRecord
    beginning: tuple[Difference, ...]
    rows: tuple[RowDifference, ...]
    stages: tuple[Lasted, ...]
    durations: tuple[Lasted, ...]

    @property
    def is_same(self) -> bool:
        """Whether both did and gave the same, and ended alike."""
        return not self.beginning and not self.rows and self.left.exit_code == self.right.exit_code

    @property
    def first(self) -> RowDifference | None:
        """Where they first differ."""
        return self.rows[0] if self.rows else None


def compare_runs(left: RunRecord, right: RunRecord) -> RunComparison:
    """Put two runs beside each other."""
    keys = sorted({*left.rows, *right.rows}, key=lambda key: _order(key, left, right))
    rows = [found for key in keys if (found := _row(key, left, right)) is not None]
    both = [(key, left.rows[key], right.rows[key]) for key in keys if key in left.rows and key in right.rows]
    durations = [
        Lasted(str(key), one.duration_s, other.duration_s)
        for key, one, other in both
        if one.duration_s is not None and other.duration_s is not None
    ]
    stages = [
        Lasted(name, seconds, right.stages[name][1])
        for name, (_, seconds) in left.stages.items()
        if name in right.stages
    ]
    durations.sort(key=lambda lasted: -lasted.by_s)
    beginning = tuple(_named("variable", left.variables, right.variables, left, right))
    return RunComparison(left, right, beginning, tuple(rows), tuple(stages), tuple(durations))


def _order(key: InstanceId, left: RunRecord, right: RunRecord) -> tuple[object, ...]:
    """Order rows as the plan does, and those of one job by agent and item."""
    end = len(left.places) + len(right.places)
    place = left.places.get((key.stage, key.job))
    if place is None:  # the other version has it: behind what it has in common before
        place = right.places.get((key.stage, key.job), end)
    return (place, natural(key.agent), natural(key.item or ""), key.stage, key.job, key.item is not None)


def _row(key: InstanceId, left: RunRecord, right: RunRecord) -> RowDifference | None:
    one, other = left.rows.get(key), right.rows.get(key)
    if one is None or other is None:
        return RowDifference(key, only="left" if other is None else "right")
    found = tuple(_differences(one, other, left, right))
    return RowDifference(key, found) if found else None


def _differences(one: Done, other: Done, left: RunRecord, right: RunRecord) -> Iterator[Difference]:
    yield from _named("argument", one.arguments, other.arguments, left, right)
    ends = _ended(one), _ended(other)
    if left.plain(ends[0]) != right.plain(ends[1]):
        yield Difference("how it ended", *ends)
    if not is_alike(one.result, other.result, left, right):
        yield Difference("result", one.result, other.result)
    yield from _named("what it set:", one.sets, other.sets, left, right)


def _ended(row: Done) -> str:
    if row.failure is not None:
        cause = cause_of(row.failure)
        return f"{row.state}: {cause}"
    if row.state == "running":
        return "it had not ended when its journal did"
    return f"{row.state}: {row.reason}" if row.reason and row.state != "ok" else row.state


def _named(
    kind: str, ones: dict[str, Value] | dict[str, Given], others: dict[str, Value] | dict[str, Given],
    left: RunRecord, right: RunRecord,
) -> Iterator[Difference]:  # fmt: skip
    for name in dict.fromkeys((*ones, *others)):
        one, other = ones.get(name, ABSENT), others.get(name, ABSENT)
        if not is_alike(one, other, left, right):
            yield Difference(f"{kind} {name}", one, other)


def is_alike(one: Given, other: Given, left: RunRecord, right: RunRecord) -> bool:
    """Whether two values are the same, but for what is each run's own."""
    return one is other or left.plain(repr(_plain(one))) == right.plain(repr(_plain(other)))


def _plain(given: Given) -> Given:
    """Give a value as it is compared: without times, and its members in one order."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in sorted(given.items()) if name not in TIMES}
