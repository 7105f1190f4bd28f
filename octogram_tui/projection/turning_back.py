"""What going back to the beginning of a stage means: which variables are as they were, and what runs again."""

from __future__ import annotations

from typing import Final, NamedTuple

from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow
from octogram_tui.projection.variables import Variable, Variables

_ENDED_WELL = (State.OK, State.SKIPPED, State.TOLERATED)


class Absent:
    """Stands for the value of a variable that is not there."""


ABSENT: Final = Absent()


class TurnedBack(NamedTuple):
    """restored: name, the value of now, and the one that there was (ABSENT for none); stale: what ran since."""

    restored: list[tuple[str, object, object]]
    stale: list[InstanceRow]


def turned_back(board: Board, variables: Variables, stage: Group) -> TurnedBack:
    """Weigh a way back to the beginning of a stage that has begun."""
    at_s = stage.started_s or 0.0
    restored = differences(variables, at_s)
    stages = board.stages[board.stages.index(stage) :] if stage in board.stages else []
    stale = [row for each in stages for row in each.below() if row.state in _ENDED_WELL]
    return TurnedBack(restored, stale)


def differences(variables: Variables, at_s: float) -> list[tuple[str, object, object]]:
    """List the variables that are others than at a moment: name, value now, value then."""
    found: list[tuple[str, object, object]] = []
    for name, variable in sorted(variables.by_name.items()):
        is_now = ABSENT if variable.now.removed else variable.now.value
        was = value_at(variable, at_s)
        if type(is_now) is not type(was) or is_now != was:
            found.append((name, is_now, was))
    return found


def value_at(variable: Variable, at_s: float) -> object:
    """Give the value that a variable had at a moment, as far as that is remembered; ABSENT where it had none."""
    known: object = variable.changes[0].value if variable.is_cut else ABSENT
    for change in variable.changes:
        if change.at_s > at_s:
            break
        known = ABSENT if change.removed else change.value
    return known
