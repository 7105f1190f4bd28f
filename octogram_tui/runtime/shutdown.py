"""Signals are stimuli: the first asks for a clean end, the second forces it, the third leaves at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from octogram_tui.engine.stimuli import StopRequest
from octogram_tui.errors import ExitCode

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HANGUP,
}


class Signals:
    """The signal handlers of a run's host. Leases clean the agents when even the host is gone."""

    def __init__(self, submit: Callable[[StopRequest], None]) -> None:
        self._submit = submit
        self._count = 0
        self._loop = asyncio.get_running_loop()
        for number in CODES:
            self._loop.add_signal_handler(number, self._came, number)

    def _came(self, number: signal.Signals) -> None:
        # A closed terminal sends HUP, and whoever started us may follow with TERM: only one of them counts twice.
        self._count += 1
        if self._count > 2 and number != signal.SIGHUP:
            os._exit(int(CODES[number]))
        self._submit(StopRequest(number.name, int(CODES[number]), force=self._count > 1 and number != signal.SIGHUP))

    def release(self) -> None:
        """Give the signals back."""
        for number in CODES:
            self._loop.remove_signal_handler(number)
