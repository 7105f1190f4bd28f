"""What a page tells of a variable: what it is at the end, and who gave it which value when."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.export.account import Account
from octogram_tui.export.bounds import VARIABLES
from octogram_tui.export.markup import value_text
from octogram_tui.projection.run_record import natural
from octogram_tui.projection.value_text import stamp, value
from octogram_tui.projection.variables import Change, Variable


class VariableView(NamedTuple):
    """A variable over time."""

    name: str
    now: str
    first: str
    is_removed: bool
    by: str
    size: int
    changes: list[tuple[str, str, str, int]]
    is_cut: bool
    is_long: bool
    whole: str


def variable_views(account: Account) -> list[VariableView]:
    """List them: those first that were changed."""
    every = sorted(account.variables.by_name.values(), key=lambda each: (each.count == 0, natural(each.name)))
    return [_variable(each) for each in every[:VARIABLES]]


def _variable(variable: Variable) -> VariableView:
    now = variable.now
    whole = value_text(now.value)
    short = _short(now)
    changes = [(stamp(change.at_s), change.by or "scenario", _short(change), change.seq) for change in variable.changes]
    return VariableView(
        variable.name,
        short,
        _short(variable.changes[0]),
        now.removed,
        now.by or "scenario",
        variable.count,
        changes,
        variable.is_cut,
        len(short) > 60 or "\n" in whole,
        whole,
    )


def _short(change: Change) -> str:
    return "(removed)" if change.removed else value(change.value)
