"""A document as plain values that remember where they were written. Knows nothing of YAML or of scenarios."""

from __future__ import annotations

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


class MapNode(dict[str, Any]):
    """A map: its values, and the place of each key and of each value."""

    __slots__ = ("key_places", "place", "value_places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}


class ListNode(list[Any]):
    """A list: its elements, and the place of each."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


class Flaw(NamedTuple):
    """Something wrong, or doubtful, about a document as such."""

    place: Place
    message: str
    hint: str = ""


class Document(NamedTuple):
    """A file that was read: its value, where that begins, its lines, and what is wrong or doubtful about it."""

    file: str
    root: Any
    place: Place
    text: str
    errors: list[Flaw]
    doubts: list[Flaw]


def plain(value: Any) -> Any:
    """Give a value without its places."""
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value
