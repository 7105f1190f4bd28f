"""What `with_items` stands for: ranges, lists and products, as lazily as they can be.

A product of three ranges is millions of items; only the lists it is made of are ever held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from octogram_tui.cuts import beginning, ending, quoted
from octogram_tui.errors import TemplateError
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.template.environment import expand
from octogram_tui.template.numbers import typed
from octogram_tui.template.text import text_of

MAX_ITEMS = 1_000_000
MAX_TEXT = 60

_RANGE = re.compile(r"([0-9]+)\.\.(-?[0-9]+)")  # an end that was computed may be below zero


class Items:
    """The items of a job. Iterating gives (index, value, text); the text is printable, short and unique."""

    __slots__ = ("_by_text", "_length", "_texts_differ", "is_product", "lists")

    def __init__(self, lists: Sequence[Sequence[Any]], is_product: bool) -> None:
        self.lists = lists
        self.is_product = is_product
        # Texts of plain ranges cannot collide, so that they need not be remembered.
        self._texts_differ = all(isinstance(values, range) for values in lists) and len(lists) > 0
        length = 1
        for values in lists:
            length *= len(values)
        self._length = length
        self._by_text: dict[str, Any] | None = None

    def has(self, text: str) -> bool:
        """Tell whether there is an item of a text; of a range without going through it."""
        return text in self.by_text(text)

    def by_text(self, text: str) -> Mapping[str, Any]:
        """Give items by their texts: all of them, or of a range at most the one that is asked for."""
        if self._texts_differ and not self.is_product:
            # A text that is longer than any of those numbers is none of them.
            is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_TEXT
            value = int(text) if is_number else -1
            is_there = str(value) == text and any(value in numbers for numbers in self.lists)
            return {text: value} if is_there else {}
        if self._by_text is None:
            self._by_text = {name: value for _, value, name in self}
        return self._by_text

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
    """Expand the definition of a job's items; a template that is a whole value gives the elements of a list.

    Raises TemplateError: a template that cannot be expanded, or more than MAX_ITEMS items.
    """
    if spec.is_product:
        items = Items([_joined([_expand(d, scope) for d in definitions]) for definitions in spec.lists], True)
    else:
        items = Items([_joined([_expand(d, scope) for values in spec.lists for d in values])], False)
    if len(items) > MAX_ITEMS:
        raise TemplateError(f"there are {len(items)} items; at most {MAX_ITEMS} are allowed")
    return items


def _joined(parts: list[Sequence[Any]]) -> Sequence[Any]:
    if len(parts) == 1:
        return parts[0]
    total = sum(len(part) for part in parts)
    if total > MAX_ITEMS:
        raise TemplateError(f"there are {total} items; at most {MAX_ITEMS} are allowed")
    return [value for part in parts for value in part]


def _expand(definition: str | int | bool | None, scope: Mapping[str, Any]) -> Sequence[Any]:
    """Give the items of one definition: those of a range, the elements of a list, or the one value that it is."""
    value = expand(definition, scope) if isinstance(definition, str) else definition
    if isinstance(value, str):
        problem = text_problem(value)
        if problem:
            raise TemplateError(f"an item {problem[0]}", hint=problem[1])
        found = _RANGE.fullmatch(value)
        return (typed(value),) if found is None else _range(found[1], found[2])
    if isinstance(value, dict):
        raise TemplateError("a map is no list of items", hint="its names and values are `{{ vars.map | dictsort }}`")
    if not isinstance(value, list):
        return (value,)
    if len(value) > MAX_ITEMS:
        raise TemplateError(f"there are {len(value)} items; at most {MAX_ITEMS} are allowed")
    for element in value:
        problem = text_problem(element) if isinstance(element, str) else None
        if problem:
            raise TemplateError(f"an item {problem[0]}", hint=problem[1])
    return value


def is_plain_item(text: str) -> bool:
    """Tell whether a text without a template is a range, or an item that is no text."""
    return _RANGE.fullmatch(text) is not None or not isinstance(typed(text), str)


def text_problem(text: str) -> tuple[str, str] | None:
    """Say why a text is no item, and what to do: nobody means the end of a line to be part of one."""
    if text.endswith(("\n", "\r")):
        return (
            f"ends in a line break: {ending(text, 40)!r}",
            "take it off with `| trim`; several lines are `.splitlines()`",
        )
    if "\0" in text:
        return (
            f"holds a NUL character: {quoted(text, 40)}",
            "no argument, no path and no variable of a program can hold one",
        )
    return None


def _range(first: str, last: str) -> range:
    if len(first) > 18 or len(last) > 18:
        raise TemplateError(f"the range {beginning(first, 20)}..{beginning(last, 20)} has numbers that are too large")
    numbers = range(int(first), int(last) + 1)
    if len(numbers) > MAX_ITEMS:
        raise TemplateError(f"the range {first}..{last} has {len(numbers)} items; at most {MAX_ITEMS} are allowed")
    return numbers


def item_text(value: Any) -> str:
    """Name an item: its text, made printable and cut; `a,b` for one of a product."""
    text = ",".join(text_of(part) for part in value) if isinstance(value, list) else text_of(value)
    if value is None:
        text = "null"
    if text.isascii() and text.isprintable() and len(text) <= MAX_TEXT:
        return text
    return "".join(c if c.isprintable() else "·" for c in beginning(text, MAX_TEXT))
