"""Reads what the terminal sends, whatever that is, and writes what it takes: no byte of it ends the console.

The library's own reader ends the app at the first byte that is not UTF-8, at a report that it cannot read, and spins
when the terminal is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import selectors
import signal
import struct
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from typing import Any

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from octogram_tui.streams import Outlet
from octogram_tui.tui.guard import GuardedApp

READ_BYTES = 65_536
WAIT_S = 0.1
LOST_S = 1.0
"""When nothing came for so long, an Esc or a Ctrl-C is no part of a paste: its end was lost on the way."""

_PARTS = re.compile(r"\x1b?[^\x1b]+|\x1b")


class TerminalInput:
    """Turns bytes into keys, pastes, clicks and reports.

    take: is given each; caught: hears of what could not be read
    """

    def __init__(self, take: Callable[[Message], None], caught: Callable[[Exception], None]) -> None:
        self._take = take
        self._caught = caught
        self._parser = XTermParser()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._tail = ""  # of what came last in a paste, in which its end may begin
        self._is_pasting = False
        self._came_s = 0.0

    def feed(self, data: bytes, now_s: float) -> None:
        """Take in what came."""
        if self._is_pasting and data in (b"\x1b", b"\x03") and now_s - self._came_s >= LOST_S:
            self._read(BRACKETED_PASTE_END)
        self._came_s = now_s
        self._read(self._decode(data))

    def tick(self) -> None:
        """Nothing came: what was begun may have been all."""
        self._guarded(self._parser.tick())

    def _read(self, text: str) -> None:
        seen = self._tail + text
        begins, ends = seen.rfind(BRACKETED_PASTE_START), seen.rfind(BRACKETED_PASTE_END)
        if begins != ends:
            self._is_pasting = begins > ends
        self._tail = seen[-len(BRACKETED_PASTE_END) + 1 :]
        for part in _PARTS.findall(text):  # what cannot be read is lost up to the next sequence, and no further
            self._guarded(self._parser.feed(part))

    def _guarded(self, messages: Iterable[Message]) -> None:
        try:
            for message in messages:
                self._take(message)
        except Exception as error:  # what was sent means nothing, and what comes next has a reader of its own
            self._parser = XTermParser()
            self._is_pasting = False
            self._caught(error)


class TerminalDriver(LinuxDriver):
    """The library's driver, with the reader above, and without its answers to being stopped and let go on.

    They would stay behind when the app has ended: the next signal would start it again, without a loop.
    What is drawn goes to the terminal as it takes it, and nobody waits for that; a key that is a signal takes nothing
    of it away.

    has_been   whether an app of this process had the terminal, and has left it
    """

    has_been = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
        super().__init__(*arguments, **options)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        self._outlet = Outlet(self._file.fileno() if self._file else 2)
        self._encoding = self._file.encoding if self._file else "utf-8"
        self.follows = TerminalDriver.has_been

    @property
    def is_behind(self) -> bool:
        """Whether the terminal has not yet taken what was drawn: to draw more would only make it later."""
        return self._outlet.is_behind

    def write(self, data: str) -> None:
        """Write what the terminal takes now, and the rest as soon as it takes more."""
        self._outlet.write(data.encode(self._encoding, "backslashreplace"))

    def start_application_mode(self) -> None:
        """Take the terminal; what was typed where nothing was to be seen between two screens is for neither."""
        if self.follows:
            with contextlib.suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            self._writer_thread.stop()  # nothing goes through it

    def stop_application_mode(self) -> None:
        """Give the terminal back, once it has taken all: till then a key that is a signal may take nothing away."""
        before, self.attrs_before = self.attrs_before, None
        super().stop_application_mode()
        self._outlet.drain(None)
        if before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, before)

    def close(self) -> None:
        """There is nothing to be closed: what was written is taken."""
        TerminalDriver.has_been = True

    @classmethod
    def _patch_lflag(cls, attrs: int) -> int:
        # Else the system throws away at Ctrl-C, Ctrl-Z and Ctrl-\ what the terminal has not yet shown: a part of the
        # screen is never drawn, and who waits for room to write may wait for ever.
        return super()._patch_lflag(attrs) | termios.NOFLSH

    def run_input_thread(self) -> None:
        """Read until it is told to end, or the terminal is gone: then it is as if that had been said by a signal."""
        reader = TerminalInput(self.process_message, self._tell)
        early = self._typed_early()
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if not selector.select(WAIT_S):
                    reader.tick()
                    continue
                try:
                    data = os.read(self.fileno, READ_BYTES)
                except OSError:
                    data = b""
                if not data:
                    os.kill(os.getpid(), signal.SIGHUP)
                    return
                if early > 0:  # a line was ended as lines are: it is the key all the same
                    data, early = data[:early].replace(b"\n", b"\r") + data[early:], early - len(data)
                reader.feed(data, time.monotonic())
                reader.tick()

    def _typed_early(self) -> int:
        """Count the bytes that were typed while the terminal still read lines."""
        with contextlib.suppress(OSError):
            return int(struct.unpack("i", fcntl.ioctl(self.fileno, termios.FIONREAD, bytes(4)))[0])
        return 0

    def _tell(self, error: Exception) -> None:
        if isinstance(self._app, GuardedApp):  # for the file of faults: nobody can do anything about it here and now
            self._app.faults.add(error, "terminal")
