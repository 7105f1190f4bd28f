"""Makes text from outside safe to show: what a terminal or an eye would take for something else becomes visible."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

SHOWN_CHARACTERS = 4096
"""A longer line is cut; the whole of it is in the journal."""
TAB_CELLS = 8

MOST_MARKS = 4
"""So many marks may stand on one letter; more of them would climb into the lines above."""

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x200E),
              0x2028, 0x2029, *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0x3164, 0xFEFF, 0xFFA0,
              *range(0xFFF0, 0xFFFC), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B),
              *range(0xE0000, 0xE01F0))  # fmt: skip
_UNSEEN = frozenset((*_BIDI, *_INVISIBLE))
_ONLY_LOOKS = (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))
"""Which picture a sign has, and of what skin. Terminals give a pair one cell, two or four: the sign stands alone."""
_FLAG_LETTERS = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}


def _replacements() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "\u2421"
    table |= {code: f"<{code:02X}>" for code in range(0x80, 0xA0)}
    table |= {code: f"<{code:04X}>" for code in (*_BIDI, *_INVISIBLE)}
    table |= dict.fromkeys(_ONLY_LOOKS, "")
    table |= _FLAG_LETTERS
    table |= dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "�")
    return table


_VISIBLE = _replacements()
_IN_LINES = {code: shown for code, shown in _VISIBLE.items() if code not in (0x09, 0x0A)}
_ASCII = _VISIBLE | {code: f"^{chr(code + 0x40)}" for code in range(0x20)} | {0x7F: "^?"}


_LETTERS = "\\x00-\u02ff\u0370-\u0482\u2010-\u20cf\u2100-\u2cee\u3040-\u3098\u30a0-\ua66e\uac00-\ud7a3\ufe30-\uffff"
_COLOURS = re.compile(r"\x1b\[[0-9;:]*[mK]")
_COLOUR = re.compile(r"(\x1b\[[0-9;:]{0,40}m)")
_ERASING = re.compile(r"\x1b\[[0-9;]*K")


def printed(line: str) -> str:
    """Give a line of output as a terminal would leave it: without colours, and with the last of what overwrote itself.

    What was overwritten is marked by the sign of a carriage return, so that nothing vanishes unseen.
    """
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    if "\r" in line:
        before, _, last = line.rstrip("\r").rpartition("\r")
        return f"\r{last}" if before else last
    return line


def coloured(line: str, *, ascii_only: bool = False) -> str:
    """Give a line of output as `printed` and `safe` do, but with its colours, which end with it.

    Nothing but colours and weights is kept of what a terminal obeys.
    """
    before, _, last = _ERASING.sub("", line).rstrip("\r").rpartition("\r")
    pieces = _COLOUR.split(f"\r{last}" if before else last)
    shown = ""
    for number, piece in enumerate(pieces):
        left = SHOWN_CHARACTERS - len(shown)
        if left <= 0:
            shown += "..."
            break
        shown += piece if number % 2 else safe(piece, limit=left, ascii_only=ascii_only)
    return f"{shown}\x1b[0m" if len(pieces) > 1 else shown


@cache
def _perhaps_marked() -> re.Pattern[str]:
    """Give what finds marks where there may be too many: it takes long to make, and few texts need it."""
    return re.compile(rf"^[^{_LETTERS}]|[^{_LETTERS}]{{{MOST_MARKS},}}")


def safe(text: object, *, limit: int = SHOWN_CHARACTERS, ascii_only: bool = False) -> str:
    """Make one line of it in which every character is printed as itself or as something that stands for it."""
    shown = text if isinstance(text, str) else str(text)
    is_cut = len(shown) > limit
    if is_cut:
        shown = shown[:limit]
    if not is_plain(shown):
        if "\t" in shown:
            shown = expand_tabs(shown)
        shown = shown.translate(_ASCII if ascii_only else _VISIBLE)
        if not shown.isascii() and _perhaps_marked().search(shown):
            shown = _with_few_marks(shown)
        if ascii_only:
            shown = shown.encode("ascii", "replace").decode()
    return shown + "..." if is_cut else shown


def visible(text: str) -> str:
    """Do the same for a text that is written to a file: it keeps its lines and tabs, and is not cut."""
    return text if is_plain(text) else text.translate(_IN_LINES)


def is_unseen(character: str) -> bool:
    """Whether a terminal prints nothing of its own for a character, or turns what follows."""
    return ord(character) in _UNSEEN


def is_plain(text: str) -> bool:
    """Whether every character of it is one that any terminal prints in one cell."""
    return text.isascii() and text.isprintable()


def cells(text: str) -> int:
    """How many cells a text takes, without a table of signs: for stops and paddings that need no more."""
    return len(text) if text.isascii() else sum(_character_cells(character) for character in text)


def expand_tabs(text: str, column: int = 0) -> str:
    """Fill up to the next stop, counted in cells, where a tab stands; `column` is where the text begins."""
    if "\t" not in text:
        return text
    first, *others = text.split("\t")
    parts = [first]
    column += cells(first)
    for part in others:
        gap = TAB_CELLS - column % TAB_CELLS
        parts += (" " * gap, part)
        column += gap + cells(part)
    return "".join(parts)


def _character_cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _with_few_marks(text: str) -> str:
    """Take away marks that pile up, saying how many; one that has no letter to stand on gets a ring."""
    parts: list[str] = []
    marks = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me"):
            if marks > MOST_MARKS:
                parts.append(f"<+{marks - MOST_MARKS}>")
            marks = 0
        else:
            if not parts:
                parts.append("\u25cc")
            marks += 1
            if marks > MOST_MARKS:
                continue
        parts.append(character)
    if marks > MOST_MARKS:
        parts.append(f"<+{marks - MOST_MARKS}>")
    return "".join(parts)
