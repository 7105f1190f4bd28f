"""A line to type into that does what is pressed when it is pressed."""

from __future__ import annotations

from typing import Any

from textual.binding import NoBinding
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.tui.typed_text import one_line


class TypedLine(Input):
    """An Input that takes its keys at once, and all of a pasted text: the library's leaves all but its first line.

    It selects nothing when it gets the keys: the library's hears of that late, and what was typed by then was selected,
    and replaced by what came next.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, select_on_focus=False, **options)

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, edit, or paste."""
        if isinstance(event, Paste):
            self.type_in(one_line(event.text))
            return True
        try:
            [binding, *_] = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            if not event.is_printable or event.character is None:
                return False
            self.type_in(event.character)
        else:
            await self.run_action(binding.action)
        return True

    def validate_value(self, value: str) -> str:
        """Hold nothing that the terminal would obey, whoever gives it: the library draws it as it is."""
        return one_line(value)

    def type_in(self, text: str) -> None:
        """Put a text where the cursor is, in place of what is selected."""
        text = one_line(text)
        selection = self.selection
        if selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *selection)


class PassingLine(TypedLine):
    """One that is there as long as it has the keys."""

    def on_blur(self) -> None:
        """Whoever looks elsewhere is done; not who has come back before this was heard of."""
        if self.is_attached and self.screen.focused is not self:
            self.remove()
