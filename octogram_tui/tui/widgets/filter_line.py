"""The line in which one types what the plan is narrowed to; what is typed holds at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.widgets.input import Selection

from octogram_tui.projection.filter import HELP, Filter, FilterError, parse
from octogram_tui.tui.widgets.typed_line import PassingLine

if TYPE_CHECKING:
    from octogram_tui.tui.screens.run_screen import RunScreen


class FilterLine(PassingLine):
    """Enter keeps the filter and closes; escape takes back what was typed; an empty line shows everything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "keep", show=False),
    ]

    def __init__(self, before: str, *, pane: str) -> None:
        super().__init__(value=before, placeholder=f"filter: {HELP}", id="filter")
        self._before = before
        self._pane = pane
        self._is_kept = False

    def on_mount(self) -> None:
        """Have what is typed take the place of what was typed before."""
        self.selection = Selection(0, len(self.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show at once what is taken; what cannot be read yet changes nothing."""
        event.stop()
        found = self._read(event.value)
        self.set_class(isinstance(found, FilterError), "-wrong")
        if not isinstance(found, Filter):
            return
        screen = cast("RunScreen", self.screen)
        outline = screen.model.outline
        before = outline.filtered_by
        screen.narrow(found)
        if found and not outline.lines:  # half a word takes nothing: no reason to empty the screen
            screen.narrow(before)
            self.add_class("-wrong")

    def _read(self, text: str) -> Filter | FilterError:
        try:
            return parse(text, cast("RunScreen", self.screen).model.labels_of)
        except FilterError as error:
            return error

    def action_keep(self) -> None:
        """Keep it, or say in a line what is wrong with it."""
        found = self._read(self.value)
        if isinstance(found, FilterError):
            self._take_back()
            self.app.notify(str(found), severity="warning", markup=False)
            return
        cast("RunScreen", self.screen).narrow(found)
        self._is_kept = True
        self.action_close()

    def _take_back(self) -> None:
        found = self._read(self._before)
        cast("RunScreen", self.screen).narrow(found if isinstance(found, Filter) else Filter())

    def action_close(self) -> None:
        """Give the keys back, at once: what is typed next is for the pane."""
        screen = cast("RunScreen", self.screen)
        if not self._is_kept:
            self._take_back()
        screen.focus_pane(self._pane)
