"""Tells of whatever can be chosen."""

from __future__ import annotations

from octogram_tui.projection.rows import AgentRow, Group, InstanceRow
from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import block, clock
from octogram_tui.tui.look.agent import look_at_agent
from octogram_tui.tui.look.group import look_at_group
from octogram_tui.tui.look.instance import look_at_instance
from octogram_tui.tui.look.pieces import Sight, Text, hint, section, value_lines
from octogram_tui.tui.model import Subject

LISTED_CHANGES = 20


def describe(subject: Subject | None, sight: Sight) -> list[Text]:
    """Tell of a subject, most wanted first: how it stands, what went wrong, what it was given, what it gave."""
    match subject:
        case InstanceRow():
            return look_at_instance(subject, sight)
        case Group():
            return look_at_group(subject, sight)
        case AgentRow():
            return look_at_agent(subject, sight)
        case Variable():
            return _variable(subject, sight)
    return [[("nothing is chosen yet", "dim")]]


def _variable(variable: Variable, sight: Sight) -> list[Text]:
    brush = sight.brush
    lines: list[Text] = [[(brush.text(variable.name), "strong")]]
    if variable.now.removed:
        lines.append([("removed", "skipped")])
    else:
        lines += value_lines(variable.now.value, sight, indent="")
    if not sight.model.is_replay and variable.name in sight.model.by_hand.variables:
        lines.append(hint(f"set by you, and not in the file yet; {brush.way('keep')} keeps it there", brush))
    lines += section("changes")
    for change in reversed(variable.changes[-LISTED_CHANGES:]):
        shown = "removed" if change.removed else block(change.value)[0]
        lines.append(
            [(f"  {clock(change.at_s):>6}  ", "time"), (brush.text(shown), ""), (f"  {brush.text(change.by)}", "dim")]
        )
    return lines
