"""The line in which one types the moment to go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from octogram_tui.tui.moment_text import HOW
from octogram_tui.tui.widgets.typed_line import PassingLine

if TYPE_CHECKING:
    from octogram_tui.tui.screens.run_screen import RunScreen


class MomentLine(PassingLine):
    """Enter goes there and closes; escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "go", show=False),
    ]

    def __init__(self, *, pane: str) -> None:
        super().__init__(placeholder=f"go to: {HOW}", id="moment")
        self._pane = pane

    def action_go(self) -> None:
        """Go there, or say in a line why not."""
        screen = cast("RunScreen", self.screen)
        text = self.value
        self.action_close()
        problem = screen.go_to_moment(text) if text.strip() else ""
        if problem:
            self.app.notify(problem, severity="warning", markup=False)

    def action_close(self) -> None:
        """Give the keys back, at once: what is typed next is for the pane."""
        cast("RunScreen", self.screen).focus_pane(self._pane)
