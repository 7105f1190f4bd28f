"""Lines that are said again and again, above and below a list: titles, what the chosen row is about, keys."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.widgets.brush import Brush, Piece


class Said(Widget):
    """As many lines as are said, over the whole width."""

    def __init__(self, brush: Brush, *, id: str, over: str = "") -> None:  # noqa: A002
        super().__init__(id=id)
        self.brush = brush
        self.over = over
        self.lines: list[list[Piece]] = []

    def say(self, lines: list[list[Piece]]) -> None:
        """Say something, or something else."""
        if lines != self.lines:
            has_other_height = len(lines) != len(self.lines)
            self.lines = lines
            self.refresh(layout=has_other_height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as it has lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        pieces = self.lines[y] if y < len(self.lines) else []
        return self.brush.strip(pieces, self.size.width, over=self.over).apply_style(self.rich_style)


def keys_line(keys: Sequence[tuple[str, str]]) -> list[Piece]:
    """Write keys, each with what it does."""
    line: list[Piece] = [(" ", "")]
    for key, text in keys:
        line += [(key, "key"), (f" {text}  ", "dim")]
    return line
