"""The base of the lines around the panes: each drops what does not fit, the least wanted first."""

from __future__ import annotations

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece


class Bar(Widget):
    """One or a few lines that are painted anew when they say something else."""

    def __init__(self, model: Model, brush: Brush, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.model = model
        self.brush = brush
        self.lines: list[list[Piece]] = []
        self.over = ""
        self._painted: object = None

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Say what the bar says."""
        raise NotImplementedError

    def sync(self) -> None:
        """Bring it up to date."""
        width = self.size.width or self.app.size.width
        lines = self.compose_lines(width)
        basis = (lines, self.over, width, self.brush.version)
        if basis != self._painted:
            has_other_height = len(lines) != len(self.lines)
            self._painted = basis
            self.lines = lines
            self.refresh(layout=has_other_height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as it has lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        width = self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        return self.brush.strip(self.lines[y], width, over=self.over).apply_style(self.rich_style)


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
