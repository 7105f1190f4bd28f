"""What comes next, in the order in which the gate lets it through."""

from __future__ import annotations

from octogram_tui.tui.model import Model
from octogram_tui.tui.next_words import next_words
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

NAMED = 3
"""Of so many that are held the names are given; the others are counted."""
LEAST_CELLS = 18


def next_up(model: Model, brush: Brush, width: int) -> list[Piece]:
    """Name the first that the gate holds, of those that steps are for, and count the others, as far as there is room.

    Nothing while it holds none.
    """
    if not len(model.board.queue) or width < LEAST_CELLS:
        return []
    rows = model.scope.held()
    lead = "next: " if model.scope.is_all else f"next of {brush.text(model.scope.words(), limit=24)}: "
    if not rows:
        return [(lead, "dim"), ("nothing ", "held")] if len(lead) + 8 <= width else []
    for count in range(min(NAMED, len(rows)), 0, -1):
        text = brush.text(next_words(rows[:count], len(rows)))
        if len(lead) + len(text) + 1 <= width:
            return [(lead, "dim"), (f"{text} ", "held")]
    lead = "next: "
    return [(lead, "dim"), (fit(brush.text(next_words(rows[:1], 1)), width - len(lead) - 1) + " ", "held")]
