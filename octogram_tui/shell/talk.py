"""Our terminal, or our streams, on one side; a channel to a far shell on the other."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from octogram_tui.cuts import ending
from octogram_tui.errors import BootstrapFailed, TransportError
from octogram_tui.transport.base import Channel

READ_BYTES = 65536
LEAVE = b"~."
"""At the beginning of a line: leave, whatever the other side does, as with ssh."""
NONE_SPOKE = 255


class Talk:
    """Receives from the channel. Until the other side says the mark, what comes is the login's own words."""

    def __init__(self, mark: str, order: bytes, write: Callable[[int, bytes], None]) -> None:
        self._mark = mark.encode()
        self._order = order
        self._write = write
        self._before = b""
        self.listens = asyncio.Event()
        self.over: asyncio.Future[TransportError | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Take what the other side writes."""
        if self.listens.is_set():
            self._write(1, data)
            return
        self._before += data
        said, found, after = self._before.partition(self._mark)
        if found:
            self._before = b""
            self.listens.set()
            if said:
                self._write(2, said)
            if after:
                self._write(1, after)

    def stderr_received(self, data: bytes) -> None:
        """Take what it complains about."""
        self._write(2, data)

    def channel_closed(self, error: TransportError | None) -> None:
        """There is nobody any more."""
        if not self.over.done():
            self.over.set_result(error)

    async def hold(self, channel: Channel, *, is_terminal: bool) -> int:
        """Talk until the other side ends; gives its exit status. Raises TransportError."""
        listening = asyncio.ensure_future(self.listens.wait())
        first: list[asyncio.Future[Any]] = [listening, self.over]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if not self.listens.is_set():
            said = self._before.decode("utf-8", "replace").strip()
            raise self.over.result() or BootstrapFailed(
                f"no shell was started{f': {ending(said, 300)}' if said else ''}", hint="it takes Python 3.8 there"
            )
        channel.write(self._order)
        with _Near(channel, is_terminal=is_terminal):
            error = await self.over
        if error is not None:
            raise error
        status = await channel.wait_closed()
        return NONE_SPOKE if status is None else status


class _Near:
    """Our side: keys as they are pressed, the window's size, signals that end us; all given back."""

    def __init__(self, channel: Channel, *, is_terminal: bool) -> None:
        self._channel = channel
        self._is_terminal = is_terminal
        self._loop = asyncio.get_running_loop()
        self._modes: list[Any] | None = None
        self._is_line_begun = False
        self._held = b""

    def __enter__(self) -> _Near:
        if self._is_terminal:
            import termios
            import tty

            self._modes = termios.tcgetattr(0)
            tty.setraw(0, termios.TCSANOW)  # what is typed already is not lost
            if hasattr(self._channel, "resize"):
                self._loop.add_signal_handler(signal.SIGWINCH, self._resize)
            self._loop.add_reader(0, self._pressed)
        else:
            threading.Thread(target=self._pour, daemon=True, name="standard input").start()
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._loop.add_signal_handler(number, self._channel.abort)
        return self

    def __exit__(self, *_: object) -> None:
        if self._modes is not None:
            import termios

            self._loop.remove_reader(0)
            with suppress(termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, self._modes)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
            self._loop.remove_signal_handler(number)

    def _resize(self) -> None:
        size = os.get_terminal_size(0)
        resize: Callable[[int, int], None] = self._channel.resize  # type: ignore[attr-defined]
        resize(size.columns, size.lines)

    def _pressed(self) -> None:
        try:
            data = os.read(0, READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._channel.abort()
            return
        data, self._held = self._held + data, b""
        if not self._is_line_begun and data.startswith(LEAVE):
            self._channel.abort()
            return
        if not self._is_line_begun and data == LEAVE[:1]:
            self._held = data  # what comes next says whether it is meant
            return
        self._is_line_begun = data[-1:] not in (b"\r", b"\n")
        self._channel.write(data)

    def _pour(self) -> None:
        """Send what comes through a pipe, no faster than it is taken."""
        while data := _read():
            if not self._loop.is_running():
                return
            self._loop.call_soon_threadsafe(self._channel.write, data)
            with suppress(Exception):
                asyncio.run_coroutine_threadsafe(self._channel.drain(), self._loop).result()
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._channel.write_eof)


def _read() -> bytes:
    try:
        return os.read(0, READ_BYTES)
    except OSError:
        return b""
