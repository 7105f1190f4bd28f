"""Signals that come while somebody sits at the prompt."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


class Signals:
    """INT, TERM, HUP and QUIT are answered by the loop while we are here."""

    NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

    def __init__(self, came: Callable[[int], None]) -> None:
        self.came = came
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Signals:
        for number in self.NUMBERS:
            with suppress(ValueError, RuntimeError):
                self._loop.add_signal_handler(number, self.came, number)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self.NUMBERS:
            with suppress(ValueError, RuntimeError):
                self._loop.remove_signal_handler(number)
