"""Signals are stimuli: the first asks for a clean end, the second forces it, the third leaves at once.

They are noted until a run can take them, so that none ends the program between making a run and being able to stop it;
and what comes when the run is over does not keep its last reports from being written.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from octogram_tui.engine.stimuli import StopRequest
from octogram_tui.errors import ExitCode

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HANGUP,
}
LAST_REPORTS_S = 5  # for what is written when the run is over, once a signal has come


class Signals:
    """The signals of a run's process. Leases clean the agents when even that is gone.

    Entered, it notes them; `listen` lets them through to a run, `release` ends that, and leaving gives them back. One
    handler serves all of it, so that there is no moment at which a signal meets none.
    """

    def __init__(self) -> None:
        self._submit: Callable[[StopRequest], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[signal.Signals] = []
        self._count = 0
        self._is_over = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in CODES:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started by `nohup`: the run is to outlive its terminal
            self._before[number] = signal.signal(number, self._came)
        return self

    def listen(self, submit: Callable[[StopRequest], None]) -> None:
        """Turn them into stimuli, those too that have come meanwhile."""
        self._loop = asyncio.get_running_loop()
        self._submit = submit
        while self._early:
            self._ask(self._early.pop(0))

    def _came(self, number: int, _frame: FrameType | None) -> None:
        came = signal.Signals(number)
        if self._is_over:
            self._hurry(came)
        elif self._loop is None or self._submit is None:
            self._early.append(came)
        else:
            self._ask(came)

    def _ask(self, number: signal.Signals) -> None:
        # A closed terminal sends HUP, and whoever started us may follow with TERM: only one of them counts twice.
        self._count += 1
        if self._count > 2 and number != signal.SIGHUP:
            os._exit(int(CODES[number]))
        force = self._count > 1 and number != signal.SIGHUP
        assert self._loop is not None
        assert self._submit is not None
        self._loop.call_soon_threadsafe(self._submit, StopRequest(number.name, int(CODES[number]), force=force))

    def release(self) -> None:
        """The run is over: from now on a signal only bounds how long the last reports may take."""
        self._is_over = True

    def _hurry(self, number: signal.Signals) -> None:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(int(CODES[number])))
        if signal.alarm(LAST_REPORTS_S):
            signal.alarm(1)  # asked again

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
