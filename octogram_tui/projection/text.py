"""Makes text from outside safe to show: what a terminal or an eye would take for something else becomes visible."""

from __future__ import annotations

import re

SHOWN_CHARACTERS = 4096
"""A longer line is cut; the whole of it is in the journal."""
TAB_CELLS = 8

_PLAIN = re.compile(r"[\x20-\x7e]*")
_BIDI = "\u061c\u200e\u200f" + "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2061\u2062\u2063\u2064\ufeff"


def _replacements() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "\u2421"
    table |= {code: f"<{code:02X}>" for code in range(0x80, 0xA0)}
    table |= {ord(char): f"<{ord(char):04X}>" for char in _BIDI + _INVISIBLE}
    table |= {code: f"<{code:05X}>" for code in (*range(0xE0000, 0xE0080), *range(0xFFF9, 0xFFFC))}
    table |= dict.fromkeys(range(55296, 57344), "�")
    return table


_VISIBLE = _replacements()
_ASCII = _VISIBLE | {code: f"^{chr(code + 0x40)}" for code in range(0x20)} | {0x7F: "^?"}


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


def safe(text: object, *, limit: int = SHOWN_CHARACTERS, ascii_only: bool = False) -> str:
    """Make one line of it in which every character is printed as itself or as something that stands for it."""
    shown = text if isinstance(text, str) else str(text)
    is_cut = len(shown) > limit
    if is_cut:
        shown = shown[:limit]
    if not _PLAIN.fullmatch(shown):
        if "\t" in shown:
            shown = shown.expandtabs(TAB_CELLS)
        shown = shown.translate(_ASCII if ascii_only else _VISIBLE)
        if ascii_only:
            shown = shown.encode("ascii", "replace").decode()
    return shown + "..." if is_cut else shown
