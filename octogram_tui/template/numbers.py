"""How a text reads as a number or as a boolean: the same in items, arguments, variables and filters."""

from __future__ import annotations

import re

_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO][0-7][0-7_]*|0[bB][01][01_]*|[0-9][0-9_]*)")
_LONG_HEX = re.compile(r"[-+]?0[xX][0-9a-fA-F_]{16,}")
_TRUE = frozenset(("true", "yes", "on", "y", "t", "1"))
_FALSE = frozenset(("false", "no", "off", "n", "f", "0", ""))


def integer(text: str) -> int:
    """Read an integer as the original does: also 0x, 0o, 0b and `_` between digits. Raises ValueError."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text!r} is not an integer")
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


def typed(text: str) -> str | int | bool:
    """Read a text as an item: an integer, `true` or `false`, else the text."""
    if text == "true":
        return True
    if text == "false":
        return False
    # Longer ones are addresses, hashes or keys, whose digits matter: the original took them for texts too.
    if _INTEGER.fullmatch(text) and len(text) <= 64 and not _LONG_HEX.fullmatch(text):
        number = integer(text)
        return number if abs(number) < 1 << 62 else text
    return text


def boolean(text: str) -> bool | None:
    """Read a word that means yes or no, in any case and with space around it; None when it means neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
