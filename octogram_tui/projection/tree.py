"""A tree to unfold: what is said is there at once, what it comes of is worked out when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Absent
from octogram_tui.projection.text import safe
from octogram_tui.projection.value_text import value as shown

Kind = Literal["why", "bad", "argument", "variable", "template", "result", "attempt", "row", "more"]
"""What a line tells of: why something is so (bad: of what went wrong), something given, read or gained, or who did."""

SHOWN_VALUE = 120
MOST_LINES = 400
"""How many lines a tree is written in at most: more is not read."""


class Node:
    """A line of the tree, and what is below it.

    label   what it is: an argument, a variable
    value   what that is or was, where it has a value
    words   what is said of it
    key     the row that it tells of, to go there
    inside  gives what is below; it is asked once, and not before somebody looks
    is_open whether that is shown at first
    """

    __slots__ = ("_children", "_inside", "is_open", "key", "kind", "label", "value", "words")

    def __init__(
        self,
        kind: Kind,
        label: str = "",
        value: Value | Absent = ABSENT,
        words: str = "",
        *,
        key: InstanceId | None = None,
        inside: Callable[[], list[Node]] | list[Node] | None = None,
        is_open: bool = False,
    ) -> None:
        self.kind: Kind = kind
        self.label = label
        self.value = value
        self.words = words
        self.key = key
        self.is_open = is_open
        self._inside = inside if callable(inside) else None
        self._children = None if callable(inside) else inside or []

    @property
    def children(self) -> list[Node]:
        """What is below it."""
        if self._children is None:
            self._children = self._inside() if self._inside is not None else []
        return self._children

    @property
    def can_unfold(self) -> bool:
        """Whether something may be below it; to be sure one has to look."""
        return self._children is None or bool(self._children)

    @property
    def has_value(self) -> bool:
        """Whether it tells of a value."""
        return self.value is not ABSENT

    @property
    def is_template(self) -> bool:
        """Whether its words are the text that it comes of."""
        return self.kind in ("argument", "template") and ("{{" in self.words or "{%" in self.words)

    @property
    def value_text(self) -> str:
        """Its value on a line, not all of a long one; empty where it has none."""
        if self.value is ABSENT:
            return ""
        value = shown(self.value)
        return value if len(value) <= SHOWN_VALUE else value[: SHOWN_VALUE - 3] + "..."

    @property
    def head(self) -> str:
        """What it is, and what that is: `argv: 5`."""
        return f"{safe(self.label)}: {self.value_text}" if self.has_value else safe(self.label)

    @property
    def line(self) -> str:
        """All of it in one line."""
        words = f"<- {self.words}" if self.is_template else self.words
        return "  ".join(part for part in (self.head, safe(words)) if part)


class Shown(NamedTuple):
    """A line of the tree as it is unfolded now. path: the way to it, which stays when the tree is made anew."""

    node: Node
    depth: int
    path: tuple[str, ...]
    is_open: bool


def unfolded(roots: list[Node], toggled: frozenset[tuple[str, ...]] = frozenset(), most: int = 4000) -> list[Shown]:
    """Give the lines that are seen. toggled: the ways to those that are folded, or not, against their first state."""
    found: list[Shown] = []
    for shown_ in _walk(roots, toggled, 0, ()):
        if len(found) >= most:
            break
        found.append(shown_)
    return found


def _walk(
    nodes: list[Node], toggled: frozenset[tuple[str, ...]], depth: int, above: tuple[str, ...]
) -> Iterator[Shown]:
    seen: dict[str, int] = {}
    for node in nodes:
        name = f"{node.kind} {node.label}"
        seen[name] = seen.get(name, 0) + 1
        path = (*above, name if seen[name] == 1 else f"{name} {seen[name]}")
        is_open = (node.is_open != (path in toggled)) and node.can_unfold
        yield Shown(node, depth, path, is_open and bool(node.children))
        if is_open:
            yield from _walk(node.children, toggled, depth + 1, path)


def plain_lines(roots: list[Node], *, depth: int = 0, most: int = MOST_LINES) -> list[str]:
    """Write a tree in plain lines, as it is unfolded at first; depth: all of it to that depth."""
    lines: list[str] = []
    for line in _plain(roots, 0, depth):
        if len(lines) >= most:
            lines.append("...")
            break
        lines.append(line)
    return lines


def _plain(nodes: list[Node], level: int, depth: int) -> Iterator[str]:
    for node in nodes:
        yield "  " * level + node.line
        if node.is_open or level + 1 < depth:
            yield from _plain(node.children, level + 1, depth)
