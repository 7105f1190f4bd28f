"""The end of a log as its agent has it, over the panes: for lines that were left out on their way here."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from rich.cells import chop_cells
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from octogram_tui.projection.logbook import Origin
from octogram_tui.projection.text import safe
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.event_feed import AnsweringSource
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp


async def read_more(app: ConsoleApp, origin: Origin | None) -> None:
    """Read the end of the log that lines of `origin` were left out of, and show it; or say why that cannot be."""
    source = app.source
    if origin is None:
        app.notify("no line of this log was left out", markup=False)
    elif not isinstance(source, AnsweringSource) or not source.is_connected:
        app.notify("only the agents of a run that goes on have more", severity="warning", markup=False)
    else:
        answer = await source.answer(LogQuery(origin.agent, origin.log_name))
        if problem := answer.get("problem"):
            app.notify(safe(problem), severity="warning", markup=False)
            return
        title = f"{origin.log_name} on {origin.agent}: the end of {answer['size_bytes']} bytes  {answer['trouble']}"
        app.push_screen(LogScreen(app.model, app.brush, title.rstrip(), answer["lines"]))


class LogText(LineView):
    """The lines, wrapped, from their end on."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush, title: str, lines: list[str]) -> None:
        super().__init__(model, brush, id="agent-log-text")
        self._title = title
        self._whole = lines
        self._rows: list[Piece] = []

    def on_resize(self) -> None:
        """Lay it out for the width, and show the end."""
        width = max(8, self.size.width - 1)  # the scrollbar stands in the last cell
        self._rows = [(part, "accent") for part in chop_cells(self.brush.text(self._title), width)]
        for line in self._whole:
            self._rows += [(part, "") for part in chop_cells(self.brush.line(line), width) or [""]]
        self.notify_style_update()
        self.sync()
        self.scroll_line(self.max_scroll_y)

    def count(self) -> int:
        """Say how many rows there are."""
        return len(self._rows)

    def line_key(self, index: int) -> Hashable:
        """A row never changes."""
        return index

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a row."""
        return [self._rows[index]]


class LogScreen(Dialog[None]):
    """Closes on escape, q or the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", show=False),
        Binding("ctrl+c", "app.interrupt", show=False),
    ]

    def __init__(self, model: Model, brush: Brush, title: str, lines: list[str]) -> None:
        super().__init__()
        self.text = LogText(model, brush, title, lines)

    def compose(self) -> ComposeResult:
        """One pane of lines."""
        with Vertical(classes="dialog", id="agent-log"):
            yield self.text

    def on_key(self, event: events.Key) -> None:
        """Close on the keys that open it."""
        if event.key in self.text.brush.keys.of("more of the log"):
            event.stop()
            self.dismiss()
