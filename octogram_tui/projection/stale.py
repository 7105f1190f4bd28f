"""Which rows a change made stale, which state each had before, and what came of a change in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterator

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow

ENDED_WELL = (State.OK, State.SKIPPED, State.TOLERATED)
SHOWN_VALUE = 24
"""How many characters of a value are shown in passing."""


class Stale:
    """The fold beside the rows: it says which of them to move, and moves none itself."""

    def __init__(self) -> None:
        self._before: dict[InstanceId, tuple[State, str]] = {}  # state and note of what is stale
        self._values: dict[str, Value] = {}

    def begin(self, variables: dict[str, Value]) -> None:
        """The run starts with these variables."""
        self._values = dict(variables)

    def marks(self, job: Group | None, event: ev.JobStale) -> Iterator[InstanceRow]:
        """Give the rows of a job that are stale now; of older journals, all that ended well."""
        names = set(event.instances)
        for row in job.below() if job is not None else ():
            if row.state in ENDED_WELL:
                if not names or str(row.key) in names:
                    self._before[row.key] = row.state, row.note
                    yield row
            elif row.state is State.STALE and str(row.key) in names:  # for another reason
                yield row
            elif row.state is State.CANCELLED and str(row.key) in names:  # held and never begun, after one that was
                self._before[row.key] = row.state, row.note
                yield row

    def restored(self, job: Group | None, event: ev.JobFresh) -> Iterator[tuple[InstanceRow, State, str]]:
        """Give the rows that are stale no more, with the state and the note that they had."""
        names = set(event.instances)
        for row in job.below() if job is not None else ():
            if row.state is State.STALE and str(row.key) in names:
                state, note = self._before.pop(row.key, (State.OK, ""))
                yield row, state, note

    def changed(self, event: ev.VariableChanged) -> str:
        """Take a variable's new value in. Says what came of it where the operator set it; else nothing."""
        is_new = event.name not in self._values
        before = self._values.get(event.name)
        if event.removed:
            self._values.pop(event.name, None)
        else:
            self._values[event.name] = event.value
        if event.by != "operator" or event.stale is None:
            return ""
        after = "removed" if event.removed else _short(event.value)
        was = "" if is_new else f"{_short(before)} -> "
        return f"{event.name} {was}{after}: {consequences(event)}"


def consequences(event: ev.VariableChanged) -> str:
    """Say in a few words what came of a variable that the operator set."""
    said = []
    if event.stale:
        said.append("1 instance stale" if event.stale == 1 else f"{event.stale} instances stale")
    if event.fresh:
        said.append(f"{event.fresh} not stale any more")
    if event.failed:
        said.append(f"{event.failed} that failed would run differently")
    return ", ".join(said) or "nothing is stale by it"


def went_back(event: ev.CourseMovedBack) -> str:
    """Say what came of going back to a stage's beginning."""
    restored = "1 variable" if event.restored == 1 else f"{event.restored} variables"
    rows = "1 row runs" if event.stale == 1 else f"{event.stale} rows run"
    return f"back at stage {event.stage}: {restored} restored, {rows} again; what was done on the agents stays"


def _short(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_VALUE else f"{text[: SHOWN_VALUE - 3]}..."
