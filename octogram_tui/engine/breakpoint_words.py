"""What a breakpoint says when it is met: the text of a log, or why it stopped, with what its condition was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping

from octogram_tui.cuts import beginning
from octogram_tui.errors import TemplateError
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.values import Value
from octogram_tui.template.analysis import uses
from octogram_tui.template.environment import evaluate, render

MOST_VALUES = 4
MOST_VALUE_CHARS = 60
MOST_LOG_CHARS = 4000


def written(log: str, scope: Mapping[str, Value]) -> str:
    """Give the text of a log; why there is none is a text too, since a log stops nothing."""
    try:
        text = render(log, scope)
    except TemplateError as error:
        return f"the log cannot be written: {error.message}"
    return beginning(text, MOST_LOG_CHARS)


def explained(breakpoint_: Breakpoint, scope: Mapping[str, Value], why: str = "") -> str:
    """Say why it stopped: `after: res.exit_code > 0 (res.exit_code = 2)`."""
    said = breakpoint_.when if not breakpoint_.condition else f"{breakpoint_.when}, {breakpoint_.condition}"
    values = _values(breakpoint_.condition, scope) if breakpoint_.condition else ""
    return f"{said}{values}{why}"


def changed(name: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
    """Say what became of a variable: `: level is 6, was 5`."""
    is_now = f"is {_short(after[name])}" if name in after else "is gone"
    return f": {name} {is_now}" + (f", was {_short(before[name])}" if name in before else ", and is new")


def _values(condition: str, scope: Mapping[str, Value]) -> str:
    """Give the values of what a condition asks about."""
    used = uses(condition, expression=True)
    members = used.members | {f"vars.{name}" for name in used.variables if name.isidentifier()}
    if "item" in used.names:
        members |= {"item"}
    shown = []
    for name in sorted(members):
        try:
            shown.append(f"{name} = {_short(evaluate(name, scope))}")
        except TemplateError:
            continue  # it may be missing, as the condition allows
    more = ", …" if len(shown) > MOST_VALUES else ""
    return f" ({', '.join(shown[:MOST_VALUES])}{more})" if shown else ""


def _short(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return beginning(text, MOST_VALUE_CHARS)
