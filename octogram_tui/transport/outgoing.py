"""Sends what a piece of work writes to many machines when it is done, and not in a later turn of the event loop."""

from __future__ import annotations

from collections.abc import Callable


class Together:
    """`with TOGETHER:` around the writing; what connections gather meanwhile is sent at its end."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] | None = None  # None: nobody writes to many

    def __enter__(self) -> None:
        self._waiting = []

    def __exit__(self, *_: object) -> None:
        waiting, self._waiting = self._waiting, None
        for send in waiting or ():
            send()

    def takes(self, send: Callable[[], None]) -> bool:
        """Send at the end; False when there is none to come."""
        if self._waiting is None:
            return False
        self._waiting.append(send)
        return True


TOGETHER = Together()
"""That of the event loop, of which a process has one."""
