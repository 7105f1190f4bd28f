"""What the lines of a look are made of: heads, facts, sections, and values that are folded where they are long."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from octogram_tui.tui.format import Look, block
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece

FACT_CELLS = 11
FOLDED_LINES = 8
"""A value of more lines than this shows so many, and how many are left, until it is unfolded."""
FOLD_WORDS = "more lines: "
SHORT_ROWS = 16
"""In fewer rows there is only room for the cause and what was given."""

Text = list[Piece]


class Sight(NamedTuple):
    """How somebody looks: with what, what is known, and how much of it is wanted.

    is_short    there is little room: the cause and the arguments come first, and details are left out
    is_unfolded long values are whole
    has_log     what it wrote is on the screen as well, and need not be said again
    """

    model: Model
    brush: Brush
    is_short: bool = False
    is_unfolded: bool = False
    has_log: bool = False

    @property
    def now_s(self) -> float:
        """Seconds since the run's start."""
        return self.model.now_s


def head(title: str, look: Look, brush: Brush, more: str = "") -> list[Text]:
    """Give the title and, below it, the state in sign and word."""
    state: Text = [(f"{brush.sign(look)} {look.word}", look.style), (f"  {more}" if more else "", "dim")]
    return [[(brush.text(title), "strong")], state]


def fact(name: str, text: str, style: str = "") -> Text:
    """Give a name and what it is."""
    return [(name.ljust(FACT_CELLS), "dim"), (text, style)]


def section(title: str) -> list[Text]:
    """Begin another section."""
    return [[("", "")], [(title, "accent")]]


def hint(text: str, brush: Brush) -> Text:
    """Say what can be done."""
    return [(f"{brush.pick('›', '>')} ", "key"), (brush.text(text), "")]


def value_lines(given: object, sight: Sight, indent: str = "  ") -> list[Text]:
    """Write a value over several lines, the first of them where it is long; never is only one left out."""
    lines = block(given)
    is_whole = sight.is_unfolded or len(lines) <= FOLDED_LINES + 1
    shown = lines if is_whole else lines[:FOLDED_LINES]
    found: list[Text] = [[(indent + sight.brush.text(line, limit=4096), "")] for line in shown]
    if not is_whole:
        words = f"{FOLD_WORDS}{sight.brush.way('unfold')} unfolds them"
        found.append([(f"{indent}{len(lines) - len(shown)} {words}", "faint")])
    return found


def hanging(line: Text, width: int, indent: int) -> list[Text]:
    """Lay a line over as many as it takes, each after the first indented."""
    rows: list[Text] = [[]]
    room = width
    for text, style in line:
        while text:
            if cell_len(text) <= room:
                rows[-1].append((text, style))
                room -= cell_len(text)
                break
            head = chop_cells(text, room)[0] if room > 1 else ""
            at = head.rfind(" ") + 1
            if at > len(head) // 2:  # between words, where that is not far
                head = head[:at]
            if head:
                rows[-1].append((head, style))
                text = text[len(head) :]
            rows.append([(" " * indent, "")] if indent else [])
            room = max(2, width - indent)
    return rows
