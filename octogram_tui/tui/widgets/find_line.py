"""The line in which one types what to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from octogram_tui.projection.text import safe
from octogram_tui.tui.widgets.typed_line import PassingLine

if TYPE_CHECKING:
    from octogram_tui.tui.screens.run_screen import RunScreen


class FindLine(PassingLine):
    """Enter looks and closes; escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "find", show=False),
    ]

    def __init__(self, *, in_log: bool) -> None:
        where = "the log" if in_log else "the plan"
        super().__init__(placeholder=f"find in {where}", id="find")
        self.in_log = in_log

    def action_find(self) -> None:
        """Look."""
        screen = cast("RunScreen", self.screen)
        needle = self.value
        self.action_close()
        if needle and not screen.find(needle, in_log=self.in_log):
            self.app.notify(f"{safe(needle)!r} is nowhere", severity="warning", markup=False)

    def action_close(self) -> None:
        """Give the keys back, at once: what is typed next is for the pane."""
        screen = cast("RunScreen", self.screen)
        screen.focus_pane("log" if self.in_log else "plan")
