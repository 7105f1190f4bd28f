"""A document as plain values that remember where they were written. Knows nothing of YAML or of scenarios."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from octogram_tui.model.scenario import LINE_END

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


class Mark(Protocol):
    """A place as the parser of YAML has it, counted from 0. It is made a Place when somebody asks: few places are."""

    @property
    def line(self) -> int:
        """The line."""
        ...

    @property
    def column(self) -> int:
        """The column."""
        ...


class Lines:
    """Where the lines of a text begin. starts: the positions, in characters."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(found.end() for found in LINE_END.finditer(text))]

    def place(self, position: int) -> Place:
        """Give the place of a position."""
        line = bisect_right(self.starts, position)
        return Place(line, position - self.starts[line - 1] + 1)


def place_of(mark: Mark) -> Place:
    """Give what a mark stands for; a Place is its own."""
    return mark if type(mark) is Place else Place(mark.line + 1, mark.column + 1)


class MapNode(dict[str, Any]):
    """A map: its values, and where it, each key and each value stands."""

    __slots__ = ("mark", "marks")

    mark: Mark
    marks: dict[str, tuple[Mark, Mark]]

    @classmethod
    def at(cls, mark: Mark) -> MapNode:
        """Make an empty one that stands somewhere."""
        node = cls()  # without a method for it: thousands are made
        node.mark = mark
        node.marks = {}
        return node

    @property
    def place(self) -> Place:
        """Where it stands."""
        return place_of(self.mark)

    def key_place(self, key: str) -> Place:
        """Give the place of a key."""
        return place_of(self.marks[key][0])

    def value_place(self, key: str) -> Place:
        """Give the place of a key's value."""
        return place_of(self.marks[key][1])

    def place_member(self, key: str, value: Any, place: Place) -> None:
        """Add a member that stands at one place, key and value alike."""
        self[key] = value
        self.marks[key] = (place, place)


class ListNode(list[Any]):
    """A list: its elements, and where it and each of them stands."""

    __slots__ = ("mark", "marks")

    mark: Mark
    marks: list[Mark]

    @classmethod
    def at(cls, mark: Mark) -> ListNode:
        """Make an empty one that stands somewhere."""
        node = cls()
        node.mark = mark
        node.marks = []
        return node

    @property
    def place(self) -> Place:
        """Where it stands."""
        return place_of(self.mark)

    def pairs(self) -> list[tuple[Any, Place]]:
        """Give each element with its place."""
        return [(value, place_of(mark)) for value, mark in zip(self, self.marks, strict=True)]


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


def texts_in(value: Any) -> Iterator[str]:
    """Give every text of a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for element in value.values() if isinstance(value, dict) else value:
            yield from texts_in(element)
