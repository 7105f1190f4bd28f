"""Conditions: expressions that are true or false, and nothing else. The text `false` is neither.

What the words `and`, `or`, `not` and `if` join is held to the same, as far as texts go: those of numbers and lists read
as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.errors import TemplateError
from octogram_tui.template.environment import bare_expression, evaluate, evaluated, plain_name, short
from octogram_tui.template.text import kind_of

_HINTS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((str,), "compare it, as in `{} == 'yes'`, or let the filter `bool` read it: `{} | bool`"),
    ((int, float), "compare it, as in `{} > 0`"),
    ((list, dict), "ask for its length, as in `{} | length > 0`"),
    ((type(None),), "ask `{} is none`, or give what it means with `{} | default(false, true)`"),
)


def decide(expression: str, scope: Mapping[str, Any], *, is_null_false: bool = False) -> bool:
    """Tell whether an expression holds. Raises TemplateError, also when it gives no boolean.

    is_null_false: for what is waited for: what is not there yet does not hold yet.
    """
    bare = bare_expression(expression)
    if plain_name(bare) is not None:
        value = evaluate(bare, scope)
    else:
        value = evaluated("condition", bare, expression, scope)
    if type(value) is bool:
        return value
    if value is None and is_null_false:
        return False
    raise not_a_boolean(value, bare)


def not_a_boolean(value: Any, expression: str) -> TemplateError:
    """Say that a condition gives something else, and how to make a condition of it."""
    given = f"the text {quoted(value, 40)}" if isinstance(value, str) else kind_of(value)
    hint = next((hint for kinds, hint in _HINTS if isinstance(value, kinds)), "")
    what = "(…)" if len(expression) > 40 or " " in expression.strip() else expression.strip()
    return TemplateError(
        f"{short(expression)} is {given}, and a condition is true or false",
        hint=hint.replace("{}", what),
    )
