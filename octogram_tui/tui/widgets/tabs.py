"""The names of the views, where they take turns."""

from __future__ import annotations

from rich.cells import cell_len

from octogram_tui.tui.model import Model
from octogram_tui.tui.views import tabs_for
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.next_up import next_up


class Tabs(Bar):
    """The views that take turns where there is no room for all."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="tabs")
        self.view = "plan"
        self.seen: tuple[str, ...] = ()

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Number and name of each, with what there is to see."""
        board = self.model.board
        variables = len(self.model.variables.by_name)
        counts = {
            "agents": f" {board.agents_up}/{len(board.agents)}" if board.agents else "",
            "variables": f" {variables}" if variables else "",
        }
        parts = [Part([(" ", "")])]
        for view in tabs_for(self.view):
            here = view.name == self.view
            key = self.brush.key(view.name) if view.key else ""
            text = f"{view.tab}{counts.get(view.name, '')}"
            action = f"view('{view.name}')"
            if here:
                parts.append(Part([(f" {key} {text} " if key else f" {text} ", "chip-running")], action))
            else:
                style = "" if view.name in self.seen else "dim"
                parts.append(Part([(f" {key} " if key else " ", "key"), (f"{text} ", style)], action))
            if here and not view.key:
                parts.append(Part([(f"  {self.brush.way('back')} back", "faint")], "back"))
        room = width - sum(part.cells for part in parts) - 2
        following = next_up(self.model, self.brush, room)
        if following:
            gap = room + 2 - sum(cell_len(text) for text, _ in following)
            parts += [Part([(" " * gap, "")]), Part(following, "view('plan')")]
        return [self.lay(parts, width)]
