"""The variables: value, and who changed it when; what changed since the start is marked."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len

from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import clock, value
from octogram_tui.tui.model import Model
from octogram_tui.tui.typed_text import written
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView

NAME_CELLS = 22


class VariableList(LineView):
    """A line for each variable, in the order of their names."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="variables")
        self._rows: list[Variable] = []
        self._version = -1
        self._name_cells = 0  # of the widest name: each line depends on it

    @property
    def selected(self) -> Variable | None:
        """The variable under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def text_of_selected(self) -> str:
        """Give its value, as the form takes it."""
        return written(self.selected.now.value) if self.selected is not None else ""

    def count(self) -> int:
        """Say how many variables there are."""
        return len(self._rows)

    def sync(self) -> None:
        """Bring the list up to date."""
        variables = self.model.variables
        if variables.version != self._version:
            self._version = variables.version
            self._rows = sorted(variables.by_name.values(), key=lambda variable: variable.name)
            names = (cell_len(self.brush.text(variable.name, limit=NAME_CELLS)) for variable in self._rows)
            self._name_cells = min(NAME_CELLS, max(names, default=0))
        super().sync()

    def line_key(self, index: int) -> Hashable:
        """A variable's version is all it depends on."""
        variable = self._rows[index]
        return (variable.name, variable.version, self._name_cells)

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        return [("no variables yet", "dim"), ("`vars` in the scenario, or e to set one", "faint")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Mark, name, value, who and when."""
        variable = self._rows[index]
        now = variable.now
        brush = self.brush
        mark = brush.pick("*", "*") if variable.count else " "
        name = fit(brush.text(variable.name), self._name_cells)
        shown = "removed" if now.removed else brush.text(value(now.value))
        by = f"{brush.text(now.by)} {clock(now.at_s)}" if variable.count else ""
        room = width - cell_len(name) - 6
        left = room - cell_len(shown)
        by_cells = min(cell_len(by), max(0, left - 2)) if left > 10 else 0
        style = "skipped" if now.removed else ""
        return [
            (f" {mark} ", "changed"),
            (name + "  ", "accent"),
            (fit(shown, room - by_cells), style),
            (fit(by, by_cells), "faint"),
        ]
