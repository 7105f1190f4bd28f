"""What an agent has of a log, over the panes: what was left out on the way here, else the end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from rich.cells import chop_cells
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key, Paste

from octogram_tui.projection.logbook import Gap, Line
from octogram_tui.projection.text import safe
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.event_feed import AnsweringSource
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp

MOST_GAP_CHARACTERS = 4 << 20
"""Of lines that were left out, which are shown at once: a shell reads all, by `ask RUN log`."""


async def read_more(app: ConsoleApp, line: Line | None) -> None:
    """Read what was left out at a line, or the end of the log where that is gone, and show it; or say why not."""
    source = app.source
    if line is None:
        app.notify("no line of this log was left out", markup=False)
    elif not isinstance(source, AnsweringSource) or not source.is_connected:
        app.notify("only the agents of a run that goes on have more", severity="warning", markup=False)
    elif not (isinstance(line, Gap) and line.number and await _show_gap(app, source, line)):
        origin = line.origin
        answer = await source.answer(LogQuery(origin.agent, origin.log_name))
        if problem := answer.get("problem"):
            app.notify(safe(problem), severity="warning", markup=False)
            return
        title = f"{origin.log_name} on {origin.agent}: the end of {answer['size_bytes']} bytes  {answer['trouble']}"
        app.open_dialog(LogScreen(app.model, app.brush, title.rstrip(), answer["lines"]))


async def _show_gap(app: ConsoleApp, source: AnsweringSource, gap: Gap) -> bool:
    """Show what was left out there; False when its agent has nothing of it any more."""
    origin = gap.origin
    lines: list[str] = []
    first = following = size = 0
    while size < MOST_GAP_CHARACTERS:
        # Its number says whose they are: the name is that of the latest attempt or process to have lost lines.
        answer = await source.answer(LogQuery(origin.agent, "", gap=gap.number, first=following))
        if answer.get("problem"):
            break
        first = first if lines else answer["first"]
        lines += answer["lines"]
        size += sum(map(len, answer["lines"])) + len(answer["lines"])  # lines may be empty
        following = answer["following"]
        if not following:
            break
    if not lines:
        return False
    shown = f"lines {first + 1} to {first + len(lines)}"
    title = f"{origin.log_name} on {origin.agent}: {shown} of {gap.text}"
    app.open_dialog(LogScreen(app.model, app.brush, title, lines, from_end=False))
    return True


class LogText(LineView):
    """The lines, wrapped, seen at their end or at their beginning first."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush, title: str, lines: list[str], *, from_end: bool) -> None:
        super().__init__(model, brush, id="agent-log-text")
        self._from_end = from_end
        self._title = title
        self._whole = lines
        self._rows: list[Piece] = []

    def on_resize(self) -> None:
        """Lay it out for the width."""
        width = max(8, self.size.width - 1)  # the scrollbar stands in the last cell
        self._rows = [(part, "accent") for part in chop_cells(self.brush.text(self._title), width)]
        for line in self._whole:
            self._rows += [(part, "") for part in chop_cells(self.brush.line(line), width) or [""]]
        self.notify_style_update()
        self.sync()
        if self._from_end:
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

    def __init__(self, model: Model, brush: Brush, title: str, lines: list[str], *, from_end: bool = True) -> None:
        super().__init__()
        self.text = LogText(model, brush, title, lines, from_end=from_end)

    def compose(self) -> ComposeResult:
        """One pane of lines."""
        with Vertical(classes="dialog", id="agent-log"):
            yield self.text

    async def take_input(self, event: Key | Paste) -> bool:
        """Close on the keys that open it."""
        is_done = isinstance(event, Key) and event.key in self.text.brush.keys.of("more of the log")
        if is_done:
            self.dismiss()
        return is_done
