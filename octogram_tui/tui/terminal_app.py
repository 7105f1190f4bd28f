"""An app that lends its terminal, gives it back to the shell, and takes it again as if nothing had been."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import ReturnType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from octogram_tui.errors import OctogramError
from octogram_tui.projection.text import safe
from octogram_tui.tui import terminal_modes
from octogram_tui.tui.background import Background
from octogram_tui.tui.calling import POP_TITLE, PUSH_TITLE, How, set_title, sounds
from octogram_tui.tui.clipboard import by_tmux, is_too_long, osc52, said_of
from octogram_tui.tui.guard import GuardedApp
from octogram_tui.tui.lending import Borrower, pager_command, why_not
from octogram_tui.tui.terminal_driver import TerminalDriver
from octogram_tui.tui.typed_text import escaped

NO_TERMINAL = "here is no terminal that could be lent: a browser shows this console"


class TerminalApp(GuardedApp[ReturnType]):
    """Holds the terminal, but for the times when somebody else does; then it draws nothing, and does not end.

    pager       the command that shows a text
    notifies    how it calls for somebody; called_by: how it did, before that was switched off
    has_title   whether the terminal's title says how things stand
    is_in_tmux  whether tmux is between us and the terminal
    """

    pager = "less"
    notifies: How = "off"
    called_by: How = "bell"
    has_title = False
    is_in_tmux = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._borrower: Borrower | None = None
        self._leaving: Callable[[], None] | None = None  # how it was to be left while somebody had the terminal
        self.background = Background(self)
        self._title = ""  # as it was set
        self._is_looked_at: bool | None = None  # None: the terminal does not say

    def get_driver_class(self) -> type[Driver]:
        """On a terminal, read whatever it sends."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    @property
    def is_lent(self) -> bool:
        """Whether somebody else has the terminal now."""
        return self._borrower is not None

    def terminal_driver(self) -> Driver | None:
        """Give what draws on a terminal; None in a browser, in tests, and before there is one."""
        driver = self._driver
        return driver if driver is not None and driver.can_suspend and not self.is_headless else None

    @property
    def is_terminal_behind(self) -> bool:
        """Whether the terminal has not yet taken what was drawn."""
        driver = self._driver
        return isinstance(driver, TerminalDriver) and driver.is_behind

    @property
    def follows(self) -> bool:
        """Whether another app of this process had the terminal."""
        driver = self._driver
        return isinstance(driver, TerminalDriver) and driver.follows

    def draw_anew(self) -> None:
        """Draw all of the screen: what was on it is not there any more."""
        if self._screen_stack:
            self.screen.refresh(layout=True)

    def _check_resize(self) -> None:
        """Tell the screens of another size, and then draw all: the terminal may have cut or moved what was there.

        The library draws only what changed its place: nothing where the size is soon what it was again.
        """
        was_told = self._resize_event is not None
        super()._check_resize()
        if was_told and self._resize_event is None:
            self.screen.call_later(self.screen.refresh)  # behind the size, which it hears of first

    def way(self, action: str) -> str:
        """Say how an action is done now."""
        return f"`{action}`"

    # Calling

    def show_title(self, text: str) -> None:
        """Say in the terminal's title how things stand; the one before is kept by the terminal, and comes back."""
        driver = self.terminal_driver()
        if not self.has_title or text == self._title or driver is None or self.is_lent:
            return
        driver.write(("" if self._title else PUSH_TITLE) + set_title(text))
        self._title = text

    def give_title_back(self) -> None:
        """Show the title that there was."""
        driver = self.terminal_driver()
        if self._title and driver is not None:
            driver.write(POP_TITLE)
        self._title = ""

    def call_for_somebody(self, text: str) -> None:
        """Ring, or send a notification; not to who looks at the terminal, as far as that can be told."""
        driver = self.terminal_driver()
        if driver is None or (self._is_looked_at and not self.is_lent):
            return
        if self.is_lent:  # whoever has the terminal is in the midst of its own sequences: a bell does no harm
            terminal_modes.write(b"\a" if self.notifies != "off" else b"")
        elif sequence := sounds(self.notifies, text, in_tmux=self.is_in_tmux):
            driver.write(sequence)

    def on_app_focus(self) -> None:
        """The terminal says that somebody looks at it."""
        self._is_looked_at = True

    def on_app_blur(self) -> None:
        """The terminal says that nobody looks at it."""
        self._is_looked_at = False

    # Copying

    def copy_out(self, text: str) -> None:
        """Give a text to the clipboard of the terminal, with nothing in it that is obeyed where it is pasted."""
        text = escaped(text)
        if not text:
            self.notify("there is nothing to copy", timeout=2, markup=False)
        elif is_too_long(text):
            said = f"too long for a clipboard: {self.way('write log')} writes a whole log to a file"
            self.notify(said, severity="warning", markup=False)
        else:
            self._clipboard = text
            self.run_worker(self._copied(text), group="copying")

    async def _copied(self, text: str) -> None:
        driver = self._driver
        if not (self.is_in_tmux and await by_tmux(text)) and driver is not None and not self.is_lent:
            driver.write(osc52(text))
        self.notify(said_of(text), timeout=2, markup=False)

    # Lending

    def lend(self, command: Callable[[], Sequence[str]], *, gone: Callable[[], None] | None = None) -> None:
        """Let a program have the terminal, and do not wait for it. gone: what to do when it has ended."""

        async def to_the_end() -> None:
            try:
                await self.lent(command)
            finally:
                if gone is not None:
                    gone()

        self._begin_lending(to_the_end)

    def _begin_lending(self, lending: Callable[[], Coroutine[None, None, Any]]) -> None:
        if not self.is_lent:
            self.run_worker(lending, group="lending", exclusive=True, exit_on_error=False)

    async def lent(self, command: Callable[[], Sequence[str]]) -> None:
        """Let a program have the terminal until it ends, and tell how it ended when there is something to tell.

        command: makes its command line; may raise OctogramError
        """
        try:
            problem = await self.lent_to(command())
        except OctogramError as error:
            problem = f"{error.message}; {error.hint}" if error.hint else error.message
        if problem:
            self.notify(safe(problem, limit=200), severity="warning", markup=False)

    async def lent_to(self, command: Sequence[str]) -> str:
        """Lend the terminal until a command ends. Gives what went wrong; empty when nothing did."""
        if self.is_lent:
            return "the terminal is lent already"
        driver = self.terminal_driver()
        problem = NO_TERMINAL if driver is None else why_not(command)
        if problem or driver is None:
            return problem
        self._borrower = Borrower(command)
        try:
            with self.batch_update(), self.handed_over(driver):
                return await self._borrower.run()
        finally:
            self._borrower = None
            self.draw_anew()
            if self._leaving is not None:
                self._leaving()

    def show_in_pager(self, text: str, name: str) -> None:
        """Show a text in the user's pager. `name`: what its file is called there."""

        async def read() -> None:
            with tempfile.TemporaryDirectory(prefix="octogram-tui-", ignore_cleanup_errors=True) as folder:
                path = Path(folder, name)
                path.write_bytes(text.encode("utf-8", "replace"))
                await self.lent(lambda: pager_command(self.pager, str(path)))

        self._begin_lending(read)

    @contextlib.contextmanager
    def handed_over(self, driver: Driver) -> Iterator[None]:
        """Hold still while another has the terminal, and take it back whatever comes of it.

        The library's own `suspend` does not come back after an exception, and takes what the other left for its own.
        """
        self.app_suspend_signal.publish(self)
        self.give_title_back()
        driver.suspend_application_mode()
        attributes = terminal_modes.attributes()
        try:
            with driver.no_automatic_restart():
                yield
        finally:
            terminal_modes.restore(attributes)
            driver.resume_application_mode()
            self.app_resume_signal.publish(self)

    # Leaving

    def signals(
        self, *, interrupt: Callable[[], object], leave: Callable[[], object]
    ) -> dict[int, Callable[[], object]]:
        """Say what is done about each signal. Those of keys are the borrower's while somebody has the terminal."""
        return {
            signal.SIGINT: lambda: self.is_lent or interrupt(),
            signal.SIGQUIT: lambda: self.is_lent or leave(),
            signal.SIGTERM: leave,
            signal.SIGTSTP: partial(self.call_later, self.background.enter),
            signal.SIGCONT: partial(self.call_later, self.background.leave),
        }

    def exit(self, result: ReturnType | None = None, return_code: int = 0, message: Any = None) -> None:
        """Leave; while somebody has the terminal, when they give it back."""
        leave = super().exit
        if self.is_lent:
            self._leaving = lambda: leave(result, return_code, message)
        else:
            leave(result, return_code, message)

    def exit_now(self, result: ReturnType) -> None:
        """Leave, and end whoever has the terminal: a signal does not wait for an editor."""
        self.exit(result)
        if self._borrower is not None:
            self.run_worker(self._borrower.stop(), group="ending")

    def action_suspend_process(self) -> None:
        """Go back to the shell, as Ctrl-Z does."""
        self.background.enter()
