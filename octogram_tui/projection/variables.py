"""The variables of a run: what they are now, what they were before, and who changed them when."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from octogram_tui.engine import events as ev
from octogram_tui.model.values import Value
from octogram_tui.model.variables import Grown
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row

KEPT_CHANGES = 50


class Change:
    """One value that a variable had. by: an instance's key, `operator` or `scenario`; seq: the event that told it.

    entry: the one that was registered by it, of a map that grows.
    """

    __slots__ = ("_value", "at_s", "by", "entry", "removed", "seq")

    def __init__(
        self, at_s: float, value: Value | Grown, by: str, removed: bool = False, seq: int = 0, entry: str | None = None
    ) -> None:
        self.at_s = at_s
        self._value = value
        self.by = by
        self.removed = removed
        self.seq = seq
        self.entry = entry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Change) and self._all() == other._all()

    __hash__ = None  # type: ignore[assignment]  # values may be lists

    def _all(self) -> tuple[Value, ...]:
        return self.at_s, self.value, self.by, self.removed, self.seq, self.entry

    @property
    def value(self) -> Value:
        """The value; of a map that grows what it was then."""
        value = self._value
        return value.value() if isinstance(value, Grown) else value

    def grown(self, entry: str, value: Value, *, is_first: bool) -> Grown:
        """Give the map with an entry more, without a copy; is_first: it has that one only."""
        return Grown.of(None if is_first or self.removed else self._value).with_entry(entry, value)


NOTHING = Change(0.0, None, "", removed=True)
"""What a variable was that nobody had set."""


class Variable:
    """A variable and its past, the latest change last."""

    __slots__ = ("changes", "count", "is_cut", "name", "version")

    def __init__(self, name: str, change: Change) -> None:
        self.name = name
        self.changes = [change]
        self.count = 0  # changes since the start
        self.is_cut = False  # older changes were let go
        self.version = 0

    @property
    def now(self) -> Change:
        """The value that holds now, and where it came from."""
        return self.changes[-1]

    def at(self, seq: int) -> Change | None:
        """Give what it was after an event; None where it did not exist yet, or that is not kept any more."""
        return next((change for change in reversed(self.changes) if change.seq <= seq), None)

    def is_forgotten(self, seq: int) -> bool:
        """Whether what it was after an event is not kept any more."""
        return self.is_cut and self.changes[0].seq > seq

    def change(self, change: Change) -> None:
        """Give it a new value."""
        self.changes.append(change)
        if len(self.changes) > KEPT_CHANGES:
            del self.changes[:-KEPT_CHANGES]
            self.is_cut = True
        self.count += 1
        self.version += 1


class Variables:
    """The fold. A removed variable stays, marked, so that one sees that it is gone."""

    def __init__(self) -> None:
        self.by_name: dict[str, Variable] = {}
        self.set_by_hand: set[str] = set()  # whose present value is the operator's
        self.version = 0

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if isinstance(event, ev.RunStarted):
            self.by_name = {
                name: Variable(name, Change(event.at_s, value, event.origins.get(name, "scenario"), seq=event.seq))
                for name, value in event.variables.items()
            }
            self.version += 1
        elif isinstance(event, ev.VariableChanged):
            change = Change(event.at_s, event.value, event.by, event.removed, event.seq)
            if event.by == "operator" and not event.removed:
                self.set_by_hand.add(event.name)
            else:
                self.set_by_hand.discard(event.name)
            self._change(event.name, change)
        elif isinstance(event, ev.EntryRegistered):
            variable = self.by_name.get(event.name)
            before = NOTHING if variable is None else variable.now
            grown = before.grown(event.entry, event.value, is_first=event.size == 1)
            self.set_by_hand.discard(event.name)
            self._change(event.name, Change(event.at_s, grown, event.by, seq=event.seq, entry=event.entry))

    def _change(self, name: str, change: Change) -> None:
        variable = self.by_name.get(name)
        if variable is None:
            self.by_name[name] = variable = Variable(name, change)
            variable.count = 1
        else:
            variable.change(change)
        self.version += 1

    @property
    def values(self) -> dict[str, Value]:
        """The variables that exist now."""
        return {name: variable.now.value for name, variable in self.by_name.items() if not variable.now.removed}

    def likely(self, row: Row | None) -> list[Variable]:
        """List all variables, those first that a row is about: what its error names, then what its job's texts do."""
        ranks = self._ranks(row)
        return sorted(self.by_name.values(), key=lambda variable: (ranks[variable.name], variable.name))

    def meant(self, row: Row | None) -> Variable | None:
        """Find the one variable that what failed is about, where no other is as likely."""
        if not isinstance(row, InstanceRow) or row.last is None or not row.last.failure:
            return None
        ranks = self._ranks(row)
        best = min(ranks.values(), default=0)
        found = [name for name, rank in ranks.items() if rank == best and not self.by_name[name].now.removed]
        return self.by_name[found[0]] if best and len(found) == 1 else None

    def names_some(self, row: Row | None) -> bool:
        """Whether what failed names variables itself, and not only its job's texts do."""
        return min(self._ranks(row).values(), default=0) < -1

    def _ranks(self, row: Row | None) -> dict[str, int]:
        """Say of each variable how likely a row is about it: the lower the likelier, and 0 when nothing says so."""
        cause, words = set[str](), set[str]()
        if isinstance(row, InstanceRow) and row.last is not None and row.last.failure:
            cause = _words(cause_of(row.last.failure).text)
            words = _words(str(row.last.failure.as_json()))
        patterns = [pattern for job in _jobs(row) for pattern in job.mentions]
        return {
            name: -4 * (name in cause) - 2 * (name in words) - any(fnmatchcase(name, each) for each in patterns)
            for name in self.by_name
        }


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))


def _jobs(row: Row | None) -> list[Group]:
    """Give the jobs that a row belongs to or holds."""
    if row is None:
        return []
    if isinstance(row, Group) and row.kind is Kind.STAGE:
        return [job for job in row.children if isinstance(job, Group)]
    return [row.job if isinstance(row, InstanceRow) else row.above if row.kind is Kind.AGENT else row]
