"""What stands beside what: the arrangements of the panes, by the size of the terminal. console.tcss draws them."""

from __future__ import annotations

from typing import Literal

Layout = Literal["single", "tabs", "pair", "columns"]

DOCK_ROWS = 20
"""On fewer rows the tail of the log is not docked."""
TAB_COLUMNS = 80
PAIR_COLUMNS = 120
ALL_COLUMNS = 160


def layout_of(width: int, *, is_zoomed: bool) -> Layout:
    """Choose an arrangement; a maximised pane is alone."""
    if is_zoomed or width < TAB_COLUMNS:
        return "single"
    return "tabs" if width < PAIR_COLUMNS else "pair" if width < ALL_COLUMNS else "columns"
