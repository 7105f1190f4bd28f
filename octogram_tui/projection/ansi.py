"""What a program meant to look like: its colours and weights, and the one line that its overwriting leaves.

A look is kept as the codes that ask for it (`1;38;5;208`), so that whoever draws decides what becomes of them. Of all
else that a terminal obeys, what only moves about in the line or decorates it is dropped; the rest becomes visible.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from octogram_tui.projection.text import SHOWN_CHARACTERS, cells, expand_tabs, is_plain, safe

Colour = int | tuple[int, int, int] | None
"""One of the 256 colours by number, or red, green and blue; None for what the terminal has by itself."""

Run = tuple[str, str]
"""A text that is safe to show, and the codes of its look; empty for none."""

SCANNED_CHARACTERS = 4 * SHOWN_CHARACTERS
"""So much of a line is read: escapes take room as well."""
MOST_SPACES = 200
"""How far a program may move on in its line."""

KEPT_STATES = 8
"""How many states of a line that overwrites itself are looked at, the last ones."""

_TOKEN = re.compile(
    r"\x1b\[(?P<look>[0-9;:]{0,80})m"
    r"|\x1b\[(?P<forward>[0-9]{0,3})C"
    r"|\x1b\[(?P<column>[0-9]{0,3})G"
    r"|(?P<nothing>\x1b\[[0-9;]{0,20}[KABDEFsu]|\x1b\[0?J|\x1b\[\?[0-9;]{1,20}[hl]|\x1b[()][0-9A-Z]|\x1b[=>78]"
    r"|\x1b\]8;[^\x07\x1b]{0,2048}(?:\x07|\x1b\\))"
    r"|(?P<back>\x08)"
)
_WEIGHTS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike", 21: "underline"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}
_CODES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7", "strike": "9"}


class Ink(NamedTuple):
    """A look: what it is drawn with, on what, and how. Blinking and hidden texts are neither."""

    fore: Colour = None
    back: Colour = None
    weights: frozenset[str] = frozenset()

    def changed(self, codes: str) -> Ink:
        """Give the look that codes make of this one."""
        fore, back, weights = self
        numbers = _numbers(codes)
        while numbers:
            code, *details = numbers.pop(0)
            if code == 0:
                fore, back, weights = None, None, frozenset()
            elif code == 4 and details:  # curly and the like; 4:0 is none
                weights = weights | {"underline"} if details[0] else weights - {"underline"}
            elif code in _WEIGHTS:
                weights = weights | {_WEIGHTS[code]}
            elif code in _ENDS:
                weights = weights.difference(_ENDS[code])
            elif code in (38, 48):
                colour = _colour(details, numbers)
                fore, back = (colour, back) if code == 38 else (fore, colour)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                fore = code - 30 if code < 40 else code - 82
            elif 40 <= code <= 47 or 100 <= code <= 107:
                back = code - 40 if code < 50 else code - 92
            elif code == 39:
                fore = None
            elif code == 49:
                back = None
        return Ink(fore, back, weights)

    @property
    def codes(self) -> str:
        """Write it as the codes that ask for it, always in the same order."""
        parts = [_CODES[name] for name in sorted(self.weights)]
        for code, colour in ((38, self.fore), (48, self.back)):
            if isinstance(colour, int):
                parts.append(f"{code};5;{colour}")
            elif colour is not None:
                parts.append(f"{code};2;{';'.join(map(str, colour))}")
        return ";".join(parts)


def _numbers(codes: str) -> list[list[int]]:
    return [[min(int(part or 0), 9999) for part in code.split(":")] for code in codes.split(";")]


def _colour(details: list[int], numbers: list[list[int]]) -> Colour:
    """Read what follows 38 or 48, in its colons (`38:2::1:2:3`) or among the numbers behind it."""
    if not details:
        flat = [number for number, *_ in numbers]
        count = {5: 2, 2: 4}.get(flat[0] if flat else -1, 1)
        details = flat[:count]
        del numbers[:count]
    if details[:1] == [5] and len(details) >= 2:
        return details[-1] if details[-1] < 256 else None
    if details[:1] == [2] and len(details) >= 4:
        red, green, blue = (min(255, part) for part in details[-3:])
        return (red, green, blue)
    return None


def drawn(line: str, *, ascii_only: bool = False) -> list[Run]:
    """Give a line of output as a terminal would leave it, in pieces of one look each, every one of them safe to show.

    Of a line that overwrote itself (a bar of progress, a turning stroke) its last state is left, with the sign of the
    carriage return or of the backspace before it, so that nothing vanishes unseen.
    """
    if is_plain(line):
        return [(line, "")] if len(line) <= SHOWN_CHARACTERS else [(f"{line[:SHOWN_CHARACTERS]}...", "")]
    last, was_overwritten = _last_state(line)
    pieces = _Pieces()
    is_cut = len(last) > SCANNED_CHARACTERS
    pieces.read(last[:SCANNED_CHARACTERS])
    runs: list[Run] = []
    column, left = 0, SHOWN_CHARACTERS
    mark = "\r" if was_overwritten else "\b" if pieces.has_gone_back else ""
    for text, codes in [(mark, ""), *pieces.joined()]:
        shown = safe(expand_tabs(text, column), limit=left, ascii_only=ascii_only)
        column += cells(shown)
        if shown:
            runs.append((shown, codes))
        left -= len(text)
        if left <= 0:
            break
    else:
        if is_cut:
            runs.append(("...", ""))
    return runs or [("", "")]


def drawn_text(line: str, *, ascii_only: bool = False) -> str:
    """Give a line as `drawn` does, without its looks."""
    if is_plain(line) and len(line) <= SHOWN_CHARACTERS:
        return line
    return "".join(text for text, _ in drawn(line, ascii_only=ascii_only))


def recoloured(line: str, *, ascii_only: bool = False) -> str:
    """Give a line as `drawn` does, for a program that shows colours: of what a terminal obeys, nothing else is left."""
    return "".join(
        f"\x1b[{codes}m{text}\x1b[0m" if codes else text for text, codes in drawn(line, ascii_only=ascii_only)
    )


def _last_state(line: str) -> tuple[str, bool]:
    """Give what a line wrote over itself last, blanks that only clear it not counted, and whether it was all."""
    if "\r" not in line:
        return line, False
    states = line.rsplit("\r", KEPT_STATES)
    states[0] = states[0].rpartition("\r")[2]
    seen = [state for state in states if _TOKEN.sub("", state[:SCANNED_CHARACTERS]).strip()]
    return (seen[-1], len(seen) > 1) if seen else ("", False)


class _Pieces:
    """Characters with the codes of their looks, written as a terminal writes them."""

    def __init__(self) -> None:
        self.has_gone_back = False
        self._written: list[Run] = []
        self._ahead: list[Run] = []  # what a backspace went over, the nearest last; overwritten by what comes

    def read(self, line: str) -> None:
        """Write a line."""
        ink, begin = Ink(), 0
        codes = ""
        for token in _TOKEN.finditer(line):
            self._write(line[begin : token.start()], codes)
            begin = token.end()
            kind = token.lastgroup
            if kind == "look":
                ink = ink.changed(token["look"])
                codes = ink.codes
            elif kind == "forward":
                self._write(" " * min(int(token["forward"] or 1), MOST_SPACES), codes)
            elif kind == "column":
                here = sum(cells(text) for text, _ in self._written)
                self._write(" " * min(int(token["column"] or 1) - 1 - here, MOST_SPACES), codes)
            elif kind == "back":
                self._go_back()
        self._write(line[begin:], codes)

    def joined(self) -> list[Run]:
        """Give what stands there in the end."""
        runs: list[Run] = []
        for text, codes in [*self._written, *reversed(self._ahead)]:
            if runs and runs[-1][1] == codes:
                runs[-1] = (runs[-1][0] + text, codes)
            else:
                runs.append((text, codes))
        return runs

    def _write(self, text: str, codes: str) -> None:
        if not text:
            return
        if not self._ahead:
            self._written.append((text, codes))
            return
        for character in text:
            if self._ahead:
                below, _ = self._ahead.pop()
                self.has_gone_back = self.has_gone_back or below not in (character, "_", " ")
            self._written.append((character, codes))

    def _go_back(self) -> None:
        if not self._written:
            return
        text, codes = self._written.pop()
        if len(text) > 1:
            self._written.append((text[:-1], codes))
        self._ahead.append((text[-1], codes))
