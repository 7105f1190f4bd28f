"""What comes next, in the order in which the gate lets it through."""

from __future__ import annotations

from octogram_tui.projection.board import Board
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.tui.model import title_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

NAMED = 3
"""Of so many that are held the names are given; the others are counted."""
LEAST_CELLS = 18


def next_up(board: Board, brush: Brush, width: int) -> list[Piece]:
    """Name the first that the gate holds, and count the others; nothing while it is open, or without room."""
    if not board.is_paused or width < LEAST_CELLS:
        return []
    rows = board.queue.first(NAMED)
    if not rows:
        return []
    head = brush.text(title_of(rows[0]), limit=60)
    others = [_short(row, rows[0], brush) for row in rows[1:]]
    for count in range(len(others), -1, -1):
        then = f", then {', '.join(others[:count])}" if count else ""
        left = len(board.queue) - 1 - count
        text = f"{head}{then}{f' +{left}' if left else ''}"
        if len("next: ") + len(text) + 1 <= width:
            return [("next: ", "dim"), (f"{text} ", "held")]
    more = f" +{len(board.queue) - 1} " if len(board.queue) > 1 else " "
    return [("next: ", "dim"), (fit(head, width - len("next: ") - len(more)) + more, "held")]


def _short(row: InstanceRow, before: InstanceRow, brush: Brush) -> str:
    """The agent alone says enough where the job is the same."""
    if row.job is before.job and row.agent != before.agent:
        return brush.text(row.agent, limit=40)
    return brush.text(title_of(row), limit=60)
