"""The base of the lines around the panes: each drops what does not fit, the least wanted first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece


class Part(NamedTuple):
    """Pieces that are shown together or not at all, and the action that a click on them stands for."""

    pieces: list[Piece]
    action: str = ""

    @property
    def cells(self) -> int:
        """How wide it is."""
        return sum(cell_len(text) for text, _ in self.pieces)


class Bar(Widget):
    """One or a few lines that are painted anew when they say something else."""

    class Clicked(Message):
        """What was clicked stands for an action."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, model: Model, brush: Brush, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.model = model
        self.brush = brush
        self.lines: list[list[Piece]] = []
        self.over = ""
        self._painted: object = None
        self._zones: list[tuple[int, int, int, str]] = []  # line, cells from and to, action

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Say what the bar says."""
        raise NotImplementedError

    def lay(self, parts: Sequence[Part], width: int, *, y: int = 0, rest: str = "") -> list[Piece]:
        """Lay parts side by side as long as they fit, on a line; `rest` is done when nothing else is clicked there."""
        line: list[Piece] = []
        x = 0
        for part in parts:
            if x + part.cells > width:
                break
            if part.action:
                self._zones.append((y, x, x + part.cells, part.action))
            line += part.pieces
            x += part.cells
        if rest:
            self._zones.append((y, 0, width, rest))
        return line

    def sync(self) -> None:
        """Bring it up to date."""
        width = self.size.width or self.app.size.width
        self._zones = []
        lines = self.compose_lines(width)
        basis = (lines, self.over, width, self.brush.version)
        if basis != self._painted:
            has_other_height = len(lines) != len(self.lines)
            self._painted = basis
            self.lines = lines
            self.refresh(layout=has_other_height)

    def on_resize(self) -> None:
        """Another width has room for other parts."""
        self.sync()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as it has lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        width = self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        return self.brush.strip(self.lines[y], width, over=self.over).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Do what is written where the mouse is."""
        for y, begin, end, action in self._zones:
            if y == event.y and begin <= event.x < end:
                self.post_message(self.Clicked(action))
                return


def fitting(parts: list[list[Piece]], width: int) -> list[Piece]:
    """Lay parts side by side as long as they fit."""
    line: list[Piece] = []
    used = 0
    for part in parts:
        cells = sum(cell_len(text) for text, _ in part)
        if used + cells > width:
            break
        line += part
        used += cells
    return line
