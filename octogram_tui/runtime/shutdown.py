"""Signals are stimuli: the first asks for a clean end, the second forces it, the third leaves at once.

So does the second when the loop has not even taken the first. Ctrl-Z is refused: a run that stands still gives no sign
of life, and its agents would end what they run. Signals are noted until a run can take them, so that none ends the
program between making a run and being able to stop it; and what comes when the run is over does not keep its last
reports from being written. Who leaves at once has them written as they stand, which takes some seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import FrameType
from typing import Any, NoReturn, Self

from octogram_tui.engine.events import Event, StopRequested
from octogram_tui.engine.stimuli import StopRequest
from octogram_tui.errors import ExitCode
from octogram_tui.template import bound

CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.HANGUP,
}
NOT_IN_TIME = "octogram-tui: not all reports could be written in time\n"
BLOCKED_S = 1.0  # after which a signal that the loop has not taken says that it will not
NOT_SUSPENDED = (
    "octogram-tui: a run is not suspended: its agents end what they run when they hear of nobody. "
    "Ctrl-C ends it in order\n"
)
LAST_REPORTS_S = 5  # for what is written when the run is over, once a signal has come; and for all of it at a third
ONE_REPORT_S = 2  # for each of them at a third


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
        self._waiting_s: float | None = None  # since when the loop has not taken one
        self._parting = ""
        self._reports: Callable[[], Iterable[Callable[[], object]]] = tuple
        self._is_leaving = False
        self._is_over = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in CODES:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started by `nohup`: the run is to outlive its terminal
            self._before[number] = signal.signal(number, self._came)
        if signal.getsignal(signal.SIGTSTP) != signal.SIG_IGN:
            self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._refuse)
        return self

    def leave_with(self, reports: Callable[[], Iterable[Callable[[], object]]]) -> None:
        """Have reports written when we leave at once: each call writes one, as far as the run has come."""
        self._reports = reports

    def listen(self, submit: Callable[[StopRequest], None], parting: str = "") -> None:
        """Turn them into stimuli, those too that have come meanwhile; parting: what is said when we leave at once."""
        self._parting = parting
        self._loop = asyncio.get_running_loop()
        self._submit = submit
        while self._early:
            self._ask(self._early.pop(0))

    def _came(self, number: int, _frame: FrameType | None) -> None:
        came = signal.Signals(number)
        if self._is_leaving:
            os._exit(int(CODES[came]))
        elif self._is_over:
            self._hurry(came)
        elif self._loop is None or self._submit is None:
            self._early.append(came)
        else:
            self._ask(came)

    def _ask(self, number: signal.Signals) -> None:
        # A closed terminal sends HUP, and whoever started us may follow with TERM: only one of them counts twice.
        self._count += 1
        bound.give_up()
        now_s = time.monotonic()
        is_blocked = self._waiting_s is not None and now_s - self._waiting_s >= BLOCKED_S
        if (self._count > 2 or (self._count > 1 and is_blocked)) and number != signal.SIGHUP:
            self._leave(number, is_blocked=is_blocked)
            return
        force = self._count > 1 and number != signal.SIGHUP
        if self._waiting_s is None:
            self._waiting_s = now_s
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._hand_on, StopRequest(number.name, int(CODES[number]), force=force))

    def _hand_on(self, request: StopRequest) -> None:
        self._waiting_s = None
        assert self._submit is not None
        self._submit(request)

    def _leave(self, number: signal.Signals, *, is_blocked: bool) -> None:
        """Leave at once, and say what that means; a terminal that takes nothing more is not waited for."""
        assert self._loop is not None
        self._is_leaving = True
        _say(self._parting)
        leave = partial(self._write_and_leave, int(CODES[number]))
        if is_blocked:
            leave()
        # Between two turns of the loop no report is amid an event; a loop that does not turn is not waited for.
        signal.signal(signal.SIGALRM, lambda *_: leave())
        signal.setitimer(signal.ITIMER_REAL, BLOCKED_S)
        self._loop.call_soon_threadsafe(leave)

    def _write_and_leave(self, code: int) -> NoReturn:
        """Write what can be written of the reports in bounded time, say of what cannot, and be gone."""
        ends_s = time.monotonic() + LAST_REPORTS_S

        def is_too_long(*_: object) -> None:
            if time.monotonic() >= ends_s:
                _say(NOT_IN_TIME)
                os._exit(code)
            raise TimeoutError("it takes too long")

        try:
            signal.signal(signal.SIGALRM, is_too_long)
            for write in self._reports():
                try:
                    signal.setitimer(signal.ITIMER_REAL, ONE_REPORT_S, ONE_REPORT_S)
                    write()
                except BaseException as error:  # whatever it is, the next one is written all the same
                    said = getattr(error, "message", "") or repr(error)
                    _say(f"octogram-tui: a report is not written: {said}\n")
        finally:
            os._exit(code)

    def _refuse(self, _number: int, _frame: FrameType | None) -> None:
        _say(NOT_SUSPENDED)

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


class StopBound:
    """Bounds how long the end of a run may take that was asked to stop: then what is left is ended by force."""

    def __init__(self, limit_s: float, submit: Callable[[StopRequest], None]) -> None:
        self._limit_s = limit_s
        self._submit = submit
        self._timer: asyncio.TimerHandle | None = None

    def apply(self, events: Sequence[Event]) -> None:
        """See whether it was asked to."""
        if self._timer is None:
            for event in events:
                if type(event) is StopRequested:
                    self.begin()
                    break

    def begin(self) -> None:
        """Let the time run."""
        request = StopRequest(f"the limit of {self._limit_s:g} s for a stop", 0, force=True)
        self._timer = asyncio.get_running_loop().call_later(self._limit_s, self._submit, request)

    def close(self) -> None:
        """The run is over."""
        if self._timer is not None:
            self._timer.cancel()


def _say(text: str) -> None:
    """Say something from within a signal handler. A standard error that takes nothing more is not waited for."""
    with contextlib.suppress(OSError):
        if text and select.select([], [2], [], 0)[1]:
            os.write(2, text.encode(errors="replace"))
