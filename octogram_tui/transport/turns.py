"""Who may go on where many want to: so many at a time, first come first served."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """So many places. Used from one event loop."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()  # those who gave up too, until it is their turn
        self._awaited = 0  # without those

    @property
    def is_awaited(self) -> bool:
        """Tell whether anybody waits for a place."""
        return self._awaited > 0

    @property
    def is_full(self) -> bool:
        """Tell whether whoever comes now has to wait."""
        return self.busy >= self.at_once or self.is_awaited

    async def enter(self) -> None:
        """Wait for a place. Whoever is cancelled meanwhile has none, even if one was just given to it."""
        if not self.is_full:
            self.busy += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._awaited += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._awaited -= 1
            else:
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to the next."""
        self.busy -= 1
        self.admit()

    def admit(self) -> None:
        """Let in whom there is room for: to be called when there are more places."""
        while self._waiting and self.busy < self.at_once:
            turn = self._waiting.popleft()
            if not turn.done():
                self._awaited -= 1
                self.busy += 1
                turn.set_result(None)
