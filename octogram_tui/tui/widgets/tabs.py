"""The names of the views, where they take turns."""

from __future__ import annotations

from rich.cells import cell_len

from octogram_tui.tui.model import Model
from octogram_tui.tui.views import VIEWS, View
from octogram_tui.tui.widgets.bar import Bar, fitting
from octogram_tui.tui.widgets.brush import Brush, Piece


class Tabs(Bar):
    """The views that take turns where there is no room for all."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="tabs")
        self.view = "plan"

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Number and name of each, with what there is to see."""
        board = self.model.board
        variables = len(self.model.variables.by_name)
        counts = {
            "agents": f" {board.agents_up}/{len(board.agents)}" if board.agents else "",
            "variables": f" {variables}" if variables else "",
        }
        parts: list[list[Piece]] = []
        for view in sorted(VIEWS, key=lambda view: not view.key):  # what has no key is there for a while only
            here = view.name == self.view
            text = f"{view.tab}{counts.get(view.name, '')}"
            if here and view.key:
                parts.append([(f" {view.key} {text} ", "chip-running"), (" ", "")])
            elif here:
                parts.append([(f" {text} ", "chip-running"), ("  esc back", "faint")])
            elif view.key:
                parts.append([(f" {view.key} ", "key"), (text, "dim"), ("  ", "")])
        return [fitting(parts, width)]

    def on_click(self, event: object) -> None:
        """A tab can be clicked."""
        at = getattr(event, "x", 0)
        chosen: View | None = None
        for text, _ in self.lines[0] if self.lines else ():
            at -= cell_len(text)
            chosen = next((view for view in VIEWS if view.key and view.key == text.strip()[:1]), chosen)
            if at < 0 and chosen is not None:
                self.app.call_later(self.screen.run_action, f"view('{chosen.name}')")
                return
