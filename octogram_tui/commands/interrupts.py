"""Signals that come while a console starts its run: noted, and obeyed where that leaves no run without an owner."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Self, TypeVar

LOOK_AGAIN_S = 0.02
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_WHOLE: set[CodeType] = set()
_F = TypeVar("_F", bound=Callable[..., object])


def whole(function: _F) -> _F:
    """Let `raised` end the program before or after this function, never within it, where it has something half made."""
    _WHOLE.add(function.__code__)
    return function


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Let INT, TERM and HUP end the program by an exception, once: what was begun is then tidied up undisturbed.

    Not within an import, which would make another error of it, nor in what is `whole`: they come again after it.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # it is when `nohup` started us
        numbers.append(signal.SIGHUP)

    def leave(number: int, frame: FrameType | None) -> None:
        if _must_not_end(frame):
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), number))
            signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN_S)
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _must_not_end(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code in _WHOLE or frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


class Interrupts:
    """Notes INT, TERM, HUP and QUIT from here on. `came` has them in order; `fileno` can be read once one has come."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self._before: dict[signal.Signals, Any] = {}
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        """Give what `select` waits for."""
        return self._reading

    @property
    def exit_code(self) -> int:
        """Give the exit code of the first that came."""
        return 128 + self.came[0]

    def drain(self) -> None:
        """Let `select` wait for the next one."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 1024)

    def __enter__(self) -> Self:
        for number in NUMBERS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reading)
        os.close(self._writing)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(number)
        with contextlib.suppress(OSError):
            os.write(self._writing, b"\0")
