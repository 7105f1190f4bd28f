"""The terminal around the app: what it can draw, and signals that leave it in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from octogram_tui.errors import ExitCode
from octogram_tui.streams import unwaiting
from octogram_tui.tui import terminal_modes


def draws_ascii_only(*, is_linux_terminal: bool) -> bool:
    """Say whether this terminal cannot be trusted with more than ASCII: the kernel's own has few signs."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding != "utf8" or is_linux_terminal


def draw_on_terminal() -> None:
    """Draw where the terminal is. Textual draws on standard error, which may be a file: `2>errors.log`."""
    is_there = sys.__stderr__ is not None and sys.__stderr__.isatty()
    if not is_there and sys.__stdout__ is not None and sys.__stdout__.isatty():
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]


class ConsoleSignals:
    """Ours instead of Textual's: each is answered between two turns of the loop; the run is another process.

    answers  what is done about each; after HUP there is no terminal to be written to, and nothing is
    woken    called at once on CONT; its answer is given unless this says that it is expected
    parting  what is said when there is no time for more: a signal that came twice before the loop saw it ends us
    """

    def __init__(
        self,
        answers: Mapping[int, Callable[[], object]],
        *,
        woken: Callable[[], bool] = lambda: False,
        parting: str = "",
    ) -> None:
        self._answers = answers
        self._woken = woken
        self._parting = parting
        self._loop = asyncio.get_running_loop()
        self._unanswered = 0
        self._old: dict[int, object] = {}

    def install(self, earlier: Sequence[int] = ()) -> None:
        """Take over, and answer the first that came earlier, when nobody was there to take it."""
        for number in (*self._answers, signal.SIGHUP):
            self._old[number] = signal.signal(number, self._came)
        for came_earlier in earlier[:1]:
            self._came(came_earlier, None)

    def remove(self) -> None:
        """Give back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._old.clear()

    def _came(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            os._exit(ExitCode.HANGUP)
        if number == signal.SIGCONT:
            if not self._woken():
                self._loop.call_soon_threadsafe(self._answers[number])
            return
        if number != signal.SIGTSTP:
            self._unanswered += 1
            if self._unanswered > 1:  # the loop has not even seen the one before
                self._give_up(128 + number)
        self._loop.call_soon_threadsafe(self._answer, number)

    def _answer(self, number: int) -> None:
        self._unanswered = 0
        self._answers[number]()

    def _give_up(self, exit_code: int) -> None:
        """Restore the terminal by hand, and go."""
        try:
            terminal = unwaiting(sys.__stdout__.fileno() if sys.__stdout__ else 1)
            os.write(terminal, terminal_modes.ENDS_TEXTUAL)
            terminal_modes.make_sane()
            if self._parting:
                os.write(unwaiting(2), f"{self._parting}\n".encode(errors="replace"))
        except (OSError, ValueError):
            pass
        os._exit(exit_code)
