"""What of a text is its content: without the ends of lines, and, looked at again, without colours and indents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_ESCAPE = (  # what terminals take as an order
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[()][0-9A-Z]|\x1b[=>78@-Z\\^_]"
)
_BREAKS = re.compile(r"\r*\n|\r+")
_ORDERS = re.compile(rf"[\r\n]+|{_ESCAPE}")
_LOOSE = re.compile(rf"(?:[\r\n]+|\A(?=[ \t\x1b]))(?:{_ESCAPE}|[ \t]+)*|{_ESCAPE}")
_INDENT = re.compile(r"[\r\n][ \t]")
_BLANKS = frozenset(" \t")


class Piece(NamedTuple):
    """A part of one of some texts, by that text's number."""

    number: int
    start: int
    end: int


class View:
    """One way to look at texts: what of them goes on over what is passed over."""

    def __init__(self, passed: re.Pattern[str], *, indents: str = "") -> None:
        self._passed = passed
        self._indents = indents

    def pieces(self, texts: Sequence[str]) -> list[Piece]:
        """Give what is left of each text; of each at least one piece, the last at its end."""
        found = []
        for number, text in enumerate(texts):
            start = 0
            if not is_broken(text) and "\x1b" not in text:  # as most are: patterns take much longer
                start = len(text) - len(text.lstrip(self._indents)) if self._indents else 0
                found.append(Piece(number, start, len(text)))
                continue
            for passed in self._passed.finditer(text):
                found.append(Piece(number, start, passed.start()))
                start = passed.end()
            found.append(Piece(number, start, len(text)))
        return found

    def bare(self, text: str) -> str:
        """Give what is left of a text."""
        if "\x1b" in text:
            return self._passed.sub("", text)
        text = text.replace("\r", "\n")
        return (
            "".join(line.lstrip(self._indents) for line in text.split("\n"))
            if self._indents
            else text.replace("\n", "")
        )


PLAIN = View(_BREAKS)
"""Without the ends of lines."""
COLOURLESS = View(_ORDERS)
"""Also without orders to a terminal: a value may stand within one, so this is a second look."""
LOOSE = View(_LOOSE, indents=" \t")
"""Also without what indents lines: that may be part of a value as well, so this is a third."""


def is_broken(text: str) -> bool:
    """Tell whether a text has several lines."""
    return "\n" in text or "\r" in text


def further_views(texts: Sequence[str]) -> tuple[View, ...]:
    """Give the looks that see another text than the first."""
    if any("\x1b" in text for text in texts):
        return (COLOURLESS, LOOSE)
    return (LOOSE,) if any(map(_is_indented, texts)) else ()


def _is_indented(text: str) -> bool:
    return text[:1] in _BLANKS or (is_broken(text) and _INDENT.search(text) is not None)
