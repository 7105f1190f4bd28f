"""What operators do with values: the original's way, where that differs from Python's."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from octogram_tui.template.scope import Later
from octogram_tui.template.text import TooMuch, kind_of, text_of

MAX_BITS = 4096


def add(left: Any, right: Any) -> Any:
    """Do what `+` does: also joins a string with a number or a boolean, as the original does."""
    if isinstance(left, str) or isinstance(right, str):
        if isinstance(left, (str, int, float)) and isinstance(right, (str, int, float)):
            return text_of(left) + text_of(right)
        raise TypeError(f"cannot join {kind_of(left)} and {kind_of(right)} with +")
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return [*left, *right]
    return small(operator.add(left, right))


def power(left: Any, right: Any) -> Any:
    """Do what `**` does; what would be too long is refused before it is computed."""
    if isinstance(left, int) and isinstance(right, int):
        if right < 0:
            return float(left) ** right
        if abs(left) > 1 and abs(left).bit_length() * right > MAX_BITS:
            raise _too_long()
    return small(operator.pow(left, right))


def divide(left: Any, right: Any) -> Any:
    """Do what `/` does: two integers give an integer, rounded towards zero, as in the original."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return operator.truediv(left, right)


def remainder(left: Any, right: Any) -> Any:
    """Do what `%` does: the remainder has the sign of the dividend, as in the original; a string is a format."""
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return operator.mod(left, right)


def small(value: Any) -> Any:
    """Refuse integers whose digits would fill a page."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise _too_long()
    return value


def _too_long() -> TooMuch:
    return TooMuch(f"a number would have more than {MAX_BITS} bits")


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": lambda left, right: small(operator.sub(left, right)),
    "*": lambda left, right: small(operator.mul(left, right)),
    "/": divide,
    "//": lambda left, right: small(operator.floordiv(left, right)),
    "%": remainder,
    "**": power,
}


def compute(symbol: str, left: Any, right: Any) -> Any:
    """Apply an operator."""
    if isinstance(left, Later) or isinstance(right, Later):
        raise TypeError("a port is known on the agent only: write `{{ port.NAME }}` outside of any expression")
    return BINARY[symbol](left, right)
