"""The terminal around the app: what it can draw, signals that leave it in order, and lending it to an editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App, SuspendNotSupported

from octogram_tui.errors import ExitCode

_RESTORE = b"\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?7h\x1b[?25h\x1b[?1049l"
"""Undoes what Textual asked of the terminal, for when Textual cannot: keyboard, focus, paste, mouse, wrap, screen."""

_LINE_AFTER = {"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "ne", "mcedit", "pico"}
_LINE_IN_NAME = {"hx", "helix", "subl", "zed"}


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
    """Ours instead of Textual's: each ends the console in order, and again at once; the run is another process.

    INT asks `interrupt`; TERM and QUIT call `leave`; after HUP there is no terminal to be written to.
    parting: what is said when there is no time for more.
    """

    def __init__(
        self,
        interrupt: Callable[[], object],
        leave: Callable[[int], object],
        parting: str = "",
    ) -> None:
        self._interrupt = interrupt
        self._leave = leave
        self._parting = parting
        self._loop = asyncio.get_running_loop()
        self._attributes: list[object] | None = None
        self._unanswered = 0
        self._old: dict[int, object] = {}

    def install(self, earlier: Sequence[int] = ()) -> None:
        """Take over, and answer the first that came earlier, when nobody was there to take it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
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
        self._unanswered += 1
        if self._unanswered > 1:  # the loop has not even seen the one before
            self._give_up(128 + number)
        self._loop.call_soon_threadsafe(self._answer, number)

    def _answer(self, number: int) -> None:
        self._unanswered = 0
        if number == signal.SIGINT:
            self._interrupt()
        else:
            self._leave(128 + number)

    def _give_up(self, exit_code: int) -> None:
        """Restore the terminal by hand, and go."""
        try:
            os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, _RESTORE)
            _make_sane()
            if self._parting:
                os.write(2, f"{self._parting}\n".encode(errors="replace"))
        except (OSError, ValueError):
            pass
        os._exit(exit_code)


def _make_sane() -> None:
    """Let the terminal echo and edit lines again."""
    import termios

    descriptor = sys.__stdin__.fileno() if sys.__stdin__ else 0
    attributes = termios.tcgetattr(descriptor)
    attributes[0] |= termios.ICRNL | termios.IXON
    attributes[3] |= termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def editor_command(editor: str, path: str, line: int) -> list[str]:
    """Make the command that opens a file at a line, for editors that can."""
    command = shlex.split(editor) or ["vi"]
    name = os.path.basename(command[0])
    if line <= 0:
        return [*command, path]
    if name in _LINE_AFTER:
        return [*command, f"+{line}", path]
    if name in ("code", "codium"):
        return [*command, "--goto", f"{path}:{line}"]
    return [*command, f"{path}:{line}"] if name in _LINE_IN_NAME else [*command, path]


async def edit(app: App[Any], command: list[str]) -> str:
    """Lend the terminal to an editor; events keep coming meanwhile. Returns what went wrong, empty when nothing did."""
    try:
        with app.batch_update(), app.suspend():
            process = await asyncio.create_subprocess_exec(*command)
            code = await process.wait()
    except SuspendNotSupported:
        return "an editor cannot be opened in this terminal"
    except OSError as error:
        return f"cannot start {command[0]}: {error.strerror}"
    return f"{command[0]} ended with exit status {code}" if code else ""
