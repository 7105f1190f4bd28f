"""A line to type into that does what is pressed in the order in which it is pressed."""

from __future__ import annotations

from textual.binding import NoBinding
from textual.events import Key
from textual.widgets import Input


class TypedLine(Input):
    """An Input whose editing keys keep their place among the characters.

    The library hands a key of a binding up to the app before it acts, and characters that came in the same burst
    overtake it: backspace and 5, typed fast, leave nothing. Here both are done when their turn comes.
    """

    async def _on_key(self, event: Key) -> None:
        try:
            [binding, *_] = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            return  # a character: the library goes on to the method of this name in Input
        event.stop()
        event.prevent_default()
        await self.run_action(binding.action)
