"""What is watched, and the variables: value, and who changed it when; what changed since the start is marked."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len

from octogram_tui.projection.variables import Variable
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.format import clock, value
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model
from octogram_tui.tui.typed_text import written
from octogram_tui.tui.watches import Watch
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_most, fit_name
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.title_line import cut

NAME_CELLS = 22


class VariableList(LineView):
    """A line for each watch, and one for each variable, in the order of their names."""

    BINDINGS = bindings("variables")

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="variables")
        self._rows: list[Watch | Variable] = []
        self._version = (-1, -1)
        self._foothold = Foothold(model)
        self._name_cells = 0  # of the widest name: each line depends on it

    @property
    def selected(self) -> Variable | None:
        """The variable under the cursor."""
        row = self._row
        return row if isinstance(row, Variable) else None

    @property
    def chosen_watch(self) -> Watch | None:
        """The watch under the cursor."""
        row = self._row
        return row if isinstance(row, Watch) else None

    @property
    def _row(self) -> Watch | Variable | None:
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def text_of_selected(self) -> str:
        """Give its value, as the form takes it."""
        if self.chosen_watch is not None:
            return self.chosen_watch.text or self.chosen_watch.expression
        return written(self.selected.now.value) if self.selected is not None else ""

    def count(self) -> int:
        """Say how many watches and variables there are."""
        return len(self._rows)

    def moment_changed(self) -> None:
        """List what there was then, with the cursor on the same."""
        super().moment_changed()
        here = self._foothold.again(self.selected)
        self._version = (-1, -1)
        self.sync()
        if isinstance(here, Variable) and here in self._rows:
            self.cursor = self._rows.index(here)

    def sync(self) -> None:
        """Bring the list up to date."""
        variables = self.model.variables
        watches = self.model.watches
        if (variables.version, watches.version) != self._version:
            self._version = (variables.version, watches.version)
            named = sorted(variables.by_name.values(), key=lambda variable: variable.name)
            self._rows = [*watches.items, *named]
            names = (cell_len(self.brush.text(variable.name, limit=NAME_CELLS)) for variable in named)
            self._name_cells = min(NAME_CELLS, max(names, default=0))
        super().sync()

    def line_key(self, index: int) -> Hashable:
        """A variable's version is all it depends on."""
        row = self._rows[index]
        if isinstance(row, Watch):
            return ("watch", row.expression, row.version)
        return (row.name, row.version, self._name_cells)

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        return [("no variables yet", "dim"), ("`vars` in the scenario, or e to set one", "faint")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Mark, name, value, who and when."""
        variable = self._rows[index]
        if isinstance(variable, Watch):
            return self._paint_watch(variable, width)
        now = variable.now
        brush = self.brush
        mark = brush.pick("*", "*") if variable.count else " "
        name = fit_name(brush.text(variable.name), self._name_cells)
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

    def action_remove_watch(self) -> None:
        """Watch the expression under the cursor no more."""
        watch = self.chosen_watch
        if watch is None:
            self.app.notify("choose a watch", severity="warning", markup=False)
        else:
            self.model.watches.remove(watch)
            self.sync()

    def _paint_watch(self, watch: Watch, width: int) -> list[Piece]:
        """Expression and value; a value that is another than at the hold before has a mark, and what it was."""
        brush = self.brush
        mark = "*" if watch.is_changed else " "
        name = fit_most(brush.text(watch.expression), max(self._name_cells, (width - 6) // 2))
        shown = brush.text(watch.problem or watch.text or "not looked at yet")
        was = f"   was {brush.text(watch.was)}" if watch.is_changed else ""
        room = max(0, width - cell_len(name) - 8)
        head: list[Piece] = [(f" {mark} ", "changed"), ("= ", "key"), (name + "  ", "accent")]
        style = "failed" if watch.problem else "" if watch.text else "faint"
        return cut([*head, (fit_most(shown, room), style), (was, "faint")], width)
