"""A list to choose from, with headings that the cursor passes over."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView


class Choice(NamedTuple):
    """A row. name: by which it is found again when the list is made anew; value: what it stands for, None for none."""

    name: str
    pieces: tuple[Piece, ...]
    value: Any = None


class ChoiceList(LineView):
    """Enter opens, and so does a click on the row that the cursor is on already."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list"), Binding("enter", "open", show=False)]

    class Opened(Message):
        """A row was chosen."""

        def __init__(self, value: Any) -> None:
            super().__init__()
            self.value = value

    def __init__(self, model: Model, brush: Brush, *, id: str = "choices") -> None:  # noqa: A002
        super().__init__(model, brush, id=id)
        self.rows: list[Choice] = []
        self._wanted = ""  # the row to go to once it is there
        self._is_moved = False  # by whoever looks at it: until then the cursor is on the first row, whatever comes

    @property
    def value(self) -> Any:
        """What the row under the cursor stands for."""
        return self.rows[self.cursor].value if self.rows else None

    def fill(self, rows: list[Choice], *, wanted: str = "") -> None:
        """Show other rows; the cursor stays on the row of the same name, or goes to the one that is wanted."""
        here = self.rows[self.cursor].name if self._is_moved and self.value is not None else ""
        self._wanted = wanted or self._wanted
        self.rows = rows
        names = {row.name: index for index, row in enumerate(rows) if row.value is not None}
        if self._wanted in names:
            here, self._wanted, self._is_moved = self._wanted, "", True
        index = names.get(here, min(self.cursor, max(0, len(rows) - 1)) if self._is_moved else 0)
        self.cursor = self._nearest(index, 1)
        self._show_cursor()

    def count(self) -> int:
        """Say how many lines there are."""
        return len(self.rows)

    def line_key(self, index: int) -> Hashable:
        """A row is what it says."""
        return self.rows[index].pieces

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a row."""
        return list(self.rows[index].pieces)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row that can be chosen; the headings above the first come into view with it."""
        by = 1 if index >= self.cursor else -1
        self.cursor = self._nearest(max(0, min(index, len(self.rows) - 1)), by)
        self._show_cursor()

    def moved(self) -> None:
        """Stay where the cursor was put."""
        self._is_moved = True
        super().moved()

    def _show_cursor(self) -> None:
        above = self.cursor
        while above and self.rows[above - 1].value is None:
            above -= 1
        if self.size:
            self.show_line(above)
            self.show_line(self.cursor)
        self.sync()

    def _nearest(self, index: int, by: int) -> int:
        """Find the row nearest to a place that can be chosen, looking one way first."""
        for step in (by, -by):
            at = index
            while 0 <= at < len(self.rows):
                if self.rows[at].value is not None:
                    return at
                at += step
        return 0

    def action_open(self) -> None:
        """Choose the row."""
        if self.value is not None:
            self.post_message(self.Opened(self.value))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; what it is on already is chosen."""
        event.stop()
        event.prevent_default()  # what the base does with a click is done here
        index = self.scroll_offset.y + event.y - self.gutter.top
        if not 0 <= index < len(self.rows) or self.rows[index].value is None:
            return
        if index == self.cursor:
            self.action_open()
        else:
            self.move_to(index)
            self.moved()
