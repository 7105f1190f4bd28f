"""Texts with gaps: whether a name fits one is told by looking for its pieces from left to right, never going back."""

from __future__ import annotations

from collections.abc import Sequence


class Wildcard:
    """Pieces with anything between them. one: a character that stands for any one character."""

    def __init__(self, pieces: Sequence[str], *, one: str = "") -> None:
        self._pieces = pieces
        self._one = one

    def fits(self, name: str) -> bool:
        """Tell whether a name is made of the pieces, with anything between them."""
        first, *others = self._pieces
        if not self._stands_at(name, 0, first):
            return False
        if not others:
            return len(name) == len(first)
        at = len(first)
        last = others.pop()
        end = len(name) - len(last)
        for piece in others:
            found = self._find(name, piece, at, end)
            if found is None:
                return False
            at = found + len(piece)
        return at <= end and self._stands_at(name, end, last)

    def _find(self, name: str, piece: str, at: int, end: int) -> int | None:
        if not self._one or self._one not in piece:
            found = name.find(piece, at, end)
            return found if found >= 0 else None
        return next((place for place in range(at, end - len(piece) + 1) if self._stands_at(name, place, piece)), None)

    def _stands_at(self, name: str, at: int, piece: str) -> bool:
        if not self._one or self._one not in piece:
            return name.startswith(piece, at)
        there = name[at : at + len(piece)]
        return len(there) == len(piece) and all(
            wanted in (self._one, char) for wanted, char in zip(piece, there, strict=True)
        )
