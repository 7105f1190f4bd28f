"""What is typed goes before what comes: as long as a key is not answered on the screen, no event is taken in."""

from __future__ import annotations

import asyncio

from textual.events import Click, Key, MouseDown, MouseScrollDown, MouseScrollUp, MouseUp, Paste
from textual.message import Message

TYPED = (Key, Paste, Click, MouseDown, MouseUp, MouseScrollDown, MouseScrollUp)
SHOWS_S = 0.03
"""A key that changes nothing on the screen is over after so long."""
MOST_S = 0.25
"""So long events wait for what is typed; then some are taken in, whatever is held down."""


def is_of_hand(message: Message) -> bool:
    """Whether a message is what somebody typed or did with the mouse, and not what a widget leaves to the app."""
    return isinstance(message, TYPED) and not message.is_forwarded


class TypedFirst:
    """Knows whether something that was typed is still to be done or shown."""

    def __init__(self) -> None:
        self.waiting = 0  # that came, and were not looked at yet
        self._settled = asyncio.Event()
        self._settled.set()
        self._patience: asyncio.TimerHandle | None = None

    def came(self, message: Message) -> None:
        """Take note of what comes for the app."""
        if is_of_hand(message):
            self.waiting += 1
            self._settled.clear()

    def done(self) -> None:
        """One was done; what it changed is still to be shown."""
        if self.waiting:
            self.waiting -= 1
            if not self.waiting:
                self._wait_no_longer_than(SHOWS_S)

    def shown(self) -> None:
        """Something was drawn."""
        if not self.waiting:
            self._settle()

    async def settled(self) -> None:
        """Let the loop go on, and what is typed before all else."""
        await asyncio.sleep(0)
        if not self._settled.is_set():
            try:
                async with asyncio.timeout(MOST_S):
                    await self._settled.wait()
            except TimeoutError:
                self._settle()

    def _wait_no_longer_than(self, seconds: float) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(seconds, self._settle)

    def _settle(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._settled.set()
