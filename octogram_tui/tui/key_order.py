"""An app that gives keys of one burst to what the keys before them opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from textual.app import App, ReturnType
from textual.events import Event, Key
from textual.screen import ModalScreen, Screen

Taken = TypeVar("Taken")


class KeyOrderApp(App[ReturnType]):
    """An App whose dialogs lose nothing of what is typed while they open.

    The library sends a key to what has the focus when it comes. In a burst that is still the screen below, which knows
    nothing to do with it, and a dialog that is not there yet drops it: `e`, tab and 5, typed fast, left nothing.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sent_to: WeakKeyDictionary[Key, Screen[Any]] = WeakKeyDictionary()
        self._opening: Screen[Any] | None = None  # a dialog that cannot take keys yet
        self._early: list[Key] = []  # what was pressed meanwhile

    def open_dialog(self, dialog: Screen[Taken], take: Callable[[Taken | None], None]) -> None:
        """Open a dialog, which is given what is pressed from now on, also before it is there."""
        self._opening = dialog
        opened = self.push_screen(dialog, take)

        async def hand_over() -> None:
            await opened
            self._opening = None
            early, self._early = self._early, []
            for key in early:
                self.post_message(key)

        self.run_worker(hand_over(), group="dialogs")

    async def on_event(self, event: Event) -> None:
        """Keep keys for the dialog that opens; note of all others which screen they go to."""
        if isinstance(event, Key) and not event.is_forwarded:
            if self._opening is not None and self.screen is self._opening:
                self._early.append(event)
                return
            self._sent_to[event] = self.screen
        await super().on_event(event)

    async def _on_key(self, event: Key) -> None:
        """Take back a key that was on its way to a screen when the key before it opened a dialog."""
        sent_to = self._sent_to.pop(event, None)
        if sent_to not in (None, self.screen) and isinstance(self.screen, ModalScreen):
            event.stop()
            event.prevent_default()
            self.post_message(Key(event.key, event.character))  # a new event: this one is marked as dealt with
