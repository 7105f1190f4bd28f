"""What `with_items` stands for: ranges, lists and products, as lazily as they can be.

A product of three ranges is millions of items; only the lists it is made of are ever held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from octogram_tui.errors import TemplateError
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.template.environment import render
from octogram_tui.template.text import text_of

MAX_ITEMS = 1_000_000
MAX_TEXT = 60

_RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
_LONG_HEX = re.compile(r"[-+]?0[xX][0-9a-fA-F_]{16,}")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO][0-7][0-7_]*|0[bB][01][01_]*|[0-9][0-9_]*)")


class Items:
    """The items of a job. Iterating gives (index, value, text); the text is printable, short and unique."""

    __slots__ = ("_length", "_texts_differ", "is_product", "lists")

    def __init__(self, lists: Sequence[Sequence[Any]], is_product: bool) -> None:
        self.lists = lists
        self.is_product = is_product
        # Texts of plain ranges cannot collide, so that they need not be remembered.
        self._texts_differ = all(isinstance(values, range) for values in lists) and len(lists) > 0
        length = 1
        for values in lists:
            length *= len(values)
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[int, Any, str]]:
        if self._texts_differ:
            for index, value in enumerate(self.values()):
                yield index, value, item_text(value)
            return
        taken: set[str] = set()
        counts: dict[str, int] = {}
        for index, value in enumerate(self.values()):
            text = item_text(value)
            unique = text
            count = counts.get(text, 0) + 1
            if count > 1:
                unique = f"{text}~{count}"
            while unique in taken:
                count += 1
                unique = f"{text}~{count}"
            counts[text] = count
            taken.add(unique)
            yield index, value, unique

    def values(self) -> Iterator[Any]:
        """Give the values alone; those of a product are lists, the first list varying slowest."""
        if not self.is_product:
            for values in self.lists:
                yield from values
            return
        lists = self.lists
        for number in range(self._length):
            # Mixed radix: the last list is the least significant digit.
            combination = []
            rest = number
            for values in reversed(lists):
                rest, digit = divmod(rest, len(values))
                combination.append(values[digit])
            combination.reverse()
            yield combination


def expand_items(spec: ItemsSpec, scope: Mapping[str, Any]) -> Items:
    """Expand the definition of a job's items.

    Raises TemplateError: a template that cannot be expanded, or more than MAX_ITEMS items.
    """
    if spec.is_product:
        items = Items([_joined([_expand(d, scope) for d in definitions]) for definitions in spec.lists], True)
    else:
        items = Items([_joined([_expand(d, scope) for values in spec.lists for d in values])], False)
    if len(items) > MAX_ITEMS:
        raise TemplateError(f"with_items stands for {len(items)} items; at most {MAX_ITEMS} are allowed")
    return items


def _joined(parts: list[Sequence[Any]]) -> Sequence[Any]:
    if len(parts) == 1:
        return parts[0]
    total = sum(len(part) for part in parts)
    if total > MAX_ITEMS:
        raise TemplateError(f"with_items stands for {total} items; at most {MAX_ITEMS} are allowed")
    return [value for part in parts for value in part]


def _expand(definition: str | int | bool | None, scope: Mapping[str, Any]) -> Sequence[Any]:
    if not isinstance(definition, str):
        return (definition,)
    text = render(definition, scope)
    found = _RANGE.fullmatch(text)
    if found is not None:
        return _range(found[1], found[2])
    return (typed(text),)


def _range(first: str, last: str) -> range:
    if len(first) > 18 or len(last) > 18:
        raise TemplateError(f"the range {first[:20]}..{last[:20]} has numbers that are too large")
    numbers = range(int(first), int(last) + 1)
    if len(numbers) > MAX_ITEMS:
        raise TemplateError(f"the range {first}..{last} has {len(numbers)} items; at most {MAX_ITEMS} are allowed")
    return numbers


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


def integer(text: str) -> int:
    """Read an integer as the original does: also 0x, 0o, 0b and `_` between digits. Raises ValueError."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text!r} is not an integer")
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


def item_text(value: Any) -> str:
    """Name an item: its text, made printable and cut; `a,b` for one of a product."""
    text = ",".join(text_of(part) for part in value) if isinstance(value, list) else text_of(value)
    if value is None:
        text = "null"
    if text.isascii() and text.isprintable() and len(text) <= MAX_TEXT:
        return text
    printable = "".join(c if c.isprintable() else "·" for c in text[: MAX_TEXT + 1])
    return printable if len(printable) <= MAX_TEXT else printable[: MAX_TEXT - 1] + "…"
