"""Lines that are typed, or come through a pipe: one is read when it is wanted, in a thread that holds nothing up."""

from __future__ import annotations

import asyncio
import os
import select
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from octogram_tui.prompt.outlet import Outlet

READ_BYTES = 65536
MOST_NAMES = 500


class Lines:
    """Reads standard input by lines. `is_typed`: somebody types them; then the prompt is written."""

    def __init__(self, fd: int, *, is_typed: bool) -> None:
        self.is_typed = is_typed
        self._fd = fd
        self._rest = b""
        self._is_over = False

    async def next(self, outlet: Outlet) -> str | None:
        """Give the next line; None when there is none any more."""
        if self.is_typed:
            outlet.open_prompt(writes=self._writes_prompt)
        try:
            return await _in_thread(self._read)
        finally:
            outlet.close_prompt()

    _writes_prompt = True

    def _read(self) -> str | None:
        """Read without the interpreter's own buffer, which could not be left while it waits."""
        parts = [self._rest]
        while b"\n" not in parts[-1] and not self._is_over:
            parts.append(_read_some(self._fd))
            self._is_over = not parts[-1]
        whole = b"".join(parts)
        line, _, self._rest = whole.partition(b"\n")
        return line.decode("utf-8", "replace") if whole else None

    def typed(self) -> str:
        """Give what is typed so far, where that is known."""
        return ""

    def close(self) -> None:
        """Leave the terminal as it was."""


class EditedLines(Lines):
    """Lines of a terminal that are edited, completed and remembered by readline."""

    _writes_prompt = False

    def __init__(self, fd: int, readline: ModuleType, prompt: str, names: Callable[[], list[str]]) -> None:
        super().__init__(fd, is_typed=True)
        import termios

        self._readline: Any = readline
        self._prompt = prompt
        self._names = names
        self._termios = termios
        self._before = termios.tcgetattr(fd)
        self._found: list[str] = []
        readline.parse_and_bind("set enable-bracketed-paste off")  # it would write what is no line
        readline.parse_and_bind("tab: complete")
        readline.set_completer_delims(" \t\n")
        readline.set_completer(self._complete)

    def _complete(self, text: str, state: int) -> str | None:
        if state == 0:
            self._found = [name for name in self._names() if name.startswith(text)][:MOST_NAMES]
        return self._found[state] if state < len(self._found) else None

    def _read(self) -> str | None:
        try:
            typed = input(self._prompt).encode("utf-8", "surrogateescape")
        except UnicodeDecodeError as error:  # bytes that are no text, from another terminal's encoding
            typed = bytes(error.object)
        except (EOFError, OSError):
            return None
        return typed.decode("utf-8", "replace")

    def typed(self) -> str:
        """Give what readline has of the line."""
        return str(self._readline.get_line_buffer())

    def close(self) -> None:
        """Give the terminal back its modes: readline may still be waiting."""
        try:
            self._termios.tcsetattr(self._fd, self._termios.TCSADRAIN, self._before)
        except (OSError, self._termios.error):
            pass


def lines_of(prompt: str, names: Callable[[], list[str]]) -> Lines:
    """Choose how standard input is read: edited on a terminal that can, by plain lines else."""
    fd = _stdin()
    is_typed = fd >= 0 and os.isatty(fd)
    if is_typed and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", ""):
        try:
            import readline
        except ImportError:
            pass
        else:
            return EditedLines(fd, readline, prompt, names)
    return Lines(fd, is_typed=is_typed)


def _stdin() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return -1  # it is closed: there are no lines


def _read_some(fd: int) -> bytes:
    """Read; what others made not wait, as some programs leave a terminal, is waited for. Nothing: the end."""
    while True:
        try:
            return os.read(fd, READ_BYTES)
        except BlockingIOError:
            select.select([fd], [], [])
        except OSError:
            return b""


async def _in_thread(read: Callable[[], str | None]) -> str | None:
    """Wait for a thread that nobody waits for when all is over."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str | None] = loop.create_future()

    def give(line: str | None) -> None:
        if not found.done():
            found.set_result(line)

    def work() -> None:
        line = read()
        try:
            loop.call_soon_threadsafe(give, line)
        except RuntimeError:
            pass  # the loop is closed

    threading.Thread(target=work, name="typed lines", daemon=True).start()
    return await found
