"""Scrollbars that can be drawn in any terminal."""

from __future__ import annotations

from textual.scrollbar import ScrollBarRender
from textual.widget import Widget


class WholeCells(ScrollBarRender):
    """A scrollbar of whole cells: the signs for parts of one are no ASCII, and two cells wide in some terminals."""

    VERTICAL_BARS = (" ",)  # type: ignore[assignment]


def draw_whole_cells(widget: Widget) -> None:
    """Let a widget's scrollbar be drawn so."""
    widget.vertical_scrollbar.renderer = WholeCells  # type: ignore[misc]
