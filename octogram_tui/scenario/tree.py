"""A document as plain values that remember where they were written. Knows nothing of YAML or of scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_BYTES = 16 << 20
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_EXPANDED_NODES = 100_000


class Place(NamedTuple):
    """A 1-based line and column; `is_block` for a text that begins on the line below (`|` and `>`)."""

    line: int
    column: int
    is_block: bool = False


NOWHERE = Place(0, 0)


# Places are kept as bare tuples, five numbers a member: making a Place of each would cost more than parsing.
Marks = tuple[int, int, int, int, bool]


class MapNode(dict[str, Any]):
    """A map: its values, and where each key and each value stands."""

    __slots__ = ("marks", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.marks: dict[str, Marks] = {}

    def key_place(self, key: str) -> Place:
        """Give the place of a key."""
        marks = self.marks[key]
        return Place(marks[0], marks[1])

    def value_place(self, key: str) -> Place:
        """Give the place of a key's value."""
        return tuple.__new__(Place, self.marks[key][2:])  # asked for every value of a scenario: the short way

    def place_member(self, key: str, value: Any, place: Place) -> None:
        """Add a member that stands at one place, key and value alike."""
        self[key] = value
        self.marks[key] = (place.line, place.column, *place)


class ListNode(list[Any]):
    """A list: its elements, and where each of them stands."""

    __slots__ = ("marks", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.marks: list[tuple[int, int, bool]] = []

    def pairs(self) -> list[tuple[Any, Place]]:
        """Give each element with its place."""
        return [(value, Place(*mark)) for value, mark in zip(self, self.marks, strict=True)]


class Flaw(NamedTuple):
    """Something wrong, or doubtful, about a document as such."""

    place: Place
    message: str
    hint: str = ""


class Document(NamedTuple):
    """A file that was read: its value, where that begins, its lines, and what is wrong or doubtful about it.

    spellings  by line and column, how scalars are written whose value has another text: 1.10, True, ~
    """

    file: str
    root: Any
    place: Place
    text: str
    errors: list[Flaw]
    doubts: list[Flaw]
    spellings: Mapping[tuple[int, int], str]


def plain(value: Any) -> Any:
    """Give a value without its places."""
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value
