"""The line above a pane: what it is, what it tells of, and at the right what should be known about how it shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

if TYPE_CHECKING:
    from octogram_tui.tui.widgets.line_view import LineView

LEAST_TITLE_CELLS = 8
"""A title that has less room than this is left out."""


class PaneMark(NamedTuple):
    """Something about how a pane shows what it shows: that it does not follow, what is filtered, how much is new.

    action: done when it is clicked
    """

    text: str
    style: str = "accent"
    action: str = ""


class TitleLine(Bar):
    """A rule with words in it. It stands above its pane in every layout, so that no mark is ever without a place."""

    def __init__(self, model: Model, brush: Brush, *, view: str, name: str, pane: LineView) -> None:
        super().__init__(model, brush, id=f"title-{view}")
        self.view = view
        self.name_shown = name
        self.pane = pane

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The marks stay longest; the title is cut before they are."""
        brush = self.brush
        rule = brush.pick("─", "-")
        has_focus = self.pane.has_focus
        edge = "edge-focus" if has_focus else "edge"
        name = Part([(f"{rule} ", edge), (self.name_shown, "title-focus" if has_focus else "title"), (" ", "")])
        title = [(" ", ""), *self.pane.title()]
        wanted = self.pane.marks()
        needed = name.cells + 2 + sum(cell_len(text) for text, _ in title)
        while needed + sum(cell_len(mark.text) + 3 for mark in wanted) > width:
            legend = next((mark for mark in wanted if mark.style == "dim"), None)
            if legend is None:
                break
            wanted.remove(legend)  # a title says more than what only explains
        marks = [Part([(f" {mark.text} ", mark.style), (rule, edge)], mark.action) for mark in wanted]
        room = width - name.cells - 1
        while marks and sum(mark.cells for mark in marks) > room:
            marks.pop(0)
        room -= sum(mark.cells for mark in marks)
        parts = [name]
        title = cut(title, room - 1)
        if sum(cell_len(text) for text, _ in title) >= min(LEAST_TITLE_CELLS, room):
            parts.append(Part([*title, (" ", "")]))
            room -= parts[-1].cells
        parts.append(Part([(rule * (room + 1), edge)]))
        return [self.lay([*parts, *marks], width, rest=f"focus_view('{self.view}')")]


def cut(pieces: list[Piece], width: int) -> list[Piece]:
    """Take as many pieces as fit, the last of them cut."""
    line: list[Piece] = []
    for text, style in pieces:
        cells = cell_len(text)
        if cells >= width:
            return [*line, (fit(text, min(width, cells)), style)] if width > 0 else line
        line.append((text, style))
        width -= cells
    return line
