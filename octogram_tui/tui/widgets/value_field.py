"""Where a value is typed: several lines when it has them, with undo, and what it was before above and below."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType, NoBinding
from textual.events import Key, Paste
from textual.widgets import TextArea

from octogram_tui.tui.typed_text import escaped, pasted_value

MOST_LINES = 6


class ValueField(TextArea):
    """A text that grows with its lines. Beyond its first line, `up` gives earlier values, and `down` later ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,alt+enter", "new_line", show=False),
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="variable-value", highlight_cursor_line=False)
        self.most_lines = MOST_LINES
        self._earlier: list[str] = []
        self._later: list[str] = []

    def fill(self, text: str, earlier: list[str]) -> None:
        """Begin with a text, all of it selected; `earlier` are other texts that it may be, the likeliest last."""
        self._put(text)
        self.offer(earlier)
        self.history.clear()
        self.select_all()

    def offer(self, earlier: list[str]) -> None:
        """Have other texts above what is typed, the likeliest last."""
        self._earlier = [each for each in dict.fromkeys(earlier) if each != self.text]
        self._later = []

    @property
    def is_at_top(self) -> bool:
        """Whether there is nothing above the cursor, neither a line nor another value."""
        return not self.cursor_location[0] and not self._earlier

    @property
    def is_at_bottom(self) -> bool:
        """Whether there is nothing below the cursor, neither a line nor another value."""
        return self.cursor_location[0] >= self.document.line_count - 1 and not self._later

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, edit, or paste."""
        if isinstance(event, Paste):
            is_whole = not self.text or self.selected_text == self.text
            self.type_in(pasted_value(event.text) if is_whole else escaped(event.text))
            return True
        try:
            [binding, *_] = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            if not event.is_printable or event.character is None:
                return False
            self.type_in(escaped(event.character))
        else:
            await self.run_action(binding.action)
        return True

    def type_in(self, text: str) -> None:
        """Put a text where the cursor is, in place of what is selected: nothing that the terminal would obey."""
        text = escaped(text)
        start, end = sorted(self.selection)
        result = self.replace(text, start, end, maintain_selection_offset=False)
        self.move_cursor(result.end_location)

    def action_new_line(self) -> None:
        """Begin another line: enter is done with the value."""
        self.type_in("\n")

    def action_earlier(self) -> None:
        """Go up, or to an earlier value."""
        if self.cursor_location[0] or not self._earlier:
            self.action_cursor_up()
            return
        self._later.append(self.text)
        self._put(self._earlier.pop())

    def action_later(self) -> None:
        """Go down, or back to a later value, in the end to what was typed."""
        if self.cursor_location[0] < self.document.line_count - 1 or not self._later:
            self.action_cursor_down()
            return
        self._earlier.append(self.text)
        self._put(self._later.pop())

    def _put(self, text: str) -> None:
        """Put a whole text there, which can be undone."""
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def fit_height(self) -> None:
        """Be as high as the text, as far as there is room."""
        lines = self.wrapped_document.height
        self.styles.height = max(1, min(self.most_lines, lines))
