"""Ctrl-Z, `fg` and `bg`: the terminal is given back in order, taken again in order, and drawn anew."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from octogram_tui.tui import terminal_modes

if TYPE_CHECKING:
    from octogram_tui.tui.terminal_app import TerminalApp


class Background:
    """Stops the process when it is asked to, and takes the terminal again when the process goes on.

    The library stops in the handler of the signal, in the midst of whatever was being written, by a signal that stops
    also where no shell is that could wake us. Here it is done between two turns of the loop, and by the signal that
    the system itself holds back where there is no shell.
    """

    def __init__(self, app: TerminalApp[Any]) -> None:
        self._app = app
        self._is_stopping = False
        self._was_woken = False

    def enter(self) -> None:
        """Give the terminal back and stop, until somebody lets us go on in the foreground."""
        app = self._app
        driver = app.terminal_driver()
        if driver is None:
            return
        if app.is_lent:
            self._stop()  # the modes are the borrower's, who was stopped as well
            return
        with app.batch_update(), app.handed_over(driver):
            is_stopped = self._stop()
        app.draw_anew()
        if not is_stopped:
            app.notify("there is no shell to go back to", severity="warning", markup=False)

    def woken(self) -> bool:
        """Take note, in the handler of SIGCONT, that somebody let us go on. False when it was not us who stopped."""
        self._was_woken = True
        return self._is_stopping

    def leave(self) -> None:
        """Take the terminal again after others stopped us: they have left it as they liked."""
        app = self._app
        driver = app.terminal_driver()
        if app.is_lent or driver is None:
            return
        if not terminal_modes.is_foreground():
            self._stop()
        with app.batch_update(), app.handed_over(driver):
            pass
        app.draw_anew()

    def _stop(self) -> bool:
        """Stop here and now. False when nothing stopped us: without a shell nobody could let us go on."""
        self._is_stopping = True
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        main = threading.main_thread().ident or 0
        has_stopped = False
        try:
            while True:
                self._was_woken = False
                # To this very thread: what is sent to the process may stop it a moment later.
                signal.pthread_kill(main, signal.SIGTSTP)
                has_stopped = has_stopped or self._was_woken
                if terminal_modes.is_foreground() or not self._was_woken:
                    return has_stopped
        finally:
            signal.signal(signal.SIGTSTP, handler)
            self._is_stopping = False
