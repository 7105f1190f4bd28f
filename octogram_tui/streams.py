"""The standard streams, whatever they are: closed, full, slow, or of an encoding that lacks a sign.

Nothing that is printed raises, or holds a run up: what cannot be written at once is written by a thread, what cannot be
encoded is replaced, and what is lost is remembered, for the exit code.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import threading
import time
from collections import deque

TYPE_CHECKING = False  # not typing's: every start of the program pays for what is imported here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer

WAITING_BYTES = 16 << 20
"""How much may wait for a slow reader while a run goes on; what comes then is lost, and said to be. Where nothing else
is to be done the reader is waited for instead."""
READER_WAIT_S = 300.0
"""How long the reader of a pipe may take nothing, once there is nothing else to do, before the rest is lost."""
LOOK_EVERY_S = 1.0
_PIECE_BYTES = 4096  # a pipe that is ready takes as much without blocking
_NO_ROOM_S = 0.02  # for a terminal that is ready and has no room for the next sign


class Outlet:
    """Writes to a descriptor; whoever has a loop to run never waits for its reader. `fault`: why something is lost."""

    def __init__(self, fd: int) -> None:
        self.fault: OSError | None = None
        self._fd = unwaiting(fd)
        self._may_wait = self._fd == fd and os.isatty(fd)
        self._is_file = _kind(fd) == stat.S_IFREG
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._took_s = 0.0  # when the reader took something last
        self._unread: int | None = None  # what was in the pipe when it was looked at last

    @property
    def patience_s(self) -> float | None:
        """How long its reader may take nothing; None: for ever."""
        return None if os.isatty(self._fd) else READER_WAIT_S

    def write(self, data: ReadableBuffer) -> None:
        """Write now what can be, and the rest as soon as the reader takes it.

        Who would have more wait than may, and has no loop to run, waits for the reader.
        """
        left = memoryview(data).cast("B")
        with self._changed:
            if self._waiting_bytes + len(left) > WAITING_BYTES and not _has_loop():
                self.drain(self.patience_s)
            if self.fault is not None:
                return
            if not self._waiting and not (self._may_wait and _has_loop()):
                left = self._write_ready(left)
            if not left or self.fault is not None:
                return
            if self._waiting_bytes + len(left) > WAITING_BYTES and _has_loop():
                self.fault = OSError(errno.ETIMEDOUT, "its reader takes too little")
                return
            self._waiting.append(bytes(left))
            self._waiting_bytes += len(left)
            if self._thread is None:
                self._took_s, self._unread = time.monotonic(), None
                self._thread = threading.Thread(target=self._pour, name="outlet", daemon=True)
                self._thread.start()

    @property
    def is_behind(self) -> bool:
        """Whether something waits for the reader."""
        return bool(self._waiting)

    def drain(self, patience_s: float | None) -> None:
        """Wait for the reader, as long as it takes something every so often; None: for ever."""
        with self._changed:
            while self._waiting and self.fault is None:
                left_s = None if patience_s is None else self._took_s + patience_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    self.fault = OSError(errno.ETIMEDOUT, "its reader takes nothing")
                    return
                self._changed.wait(left_s)

    def _write_ready(self, left: memoryview) -> memoryview:
        """Write as long as that does not block; gives what is left."""
        ready = select.poll()
        ready.register(self._fd, select.POLLOUT)
        try:
            while left and (self._is_file or ready.poll(0)):
                left = left[os.write(self._fd, left if self._is_file else left[:_PIECE_BYTES]) :]
        except BlockingIOError:
            pass  # there is too little room, or somebody else took it; the thread waits for more
        except OSError as error:
            self.fault = error
        return left

    def _pour(self) -> None:
        ready = select.poll()
        ready.register(self._fd, select.POLLOUT)
        while True:
            with self._changed:
                if not self._waiting or self.fault is not None:
                    self._thread = None
                    self._changed.notify_all()
                    return
            if not ready.poll(LOOK_EVERY_S * 1000):
                self._look()
                continue
            first = self._waiting[0]  # nobody else takes from there, or writes while there is something
            rest = bytes(self._write_ready(memoryview(first)))
            with self._changed:
                if len(rest) == len(first):
                    self._changed.wait(_NO_ROOM_S)
                    continue
                self._took_s = time.monotonic()
                self._waiting_bytes -= len(first) - len(rest)
                if rest:
                    self._waiting[0] = rest
                else:
                    self._waiting.popleft()
                self._changed.notify_all()

    def _look(self) -> None:
        """See whether the reader has taken something, though not yet enough to write more."""
        from octogram_tui.pipes import unread_bytes

        with self._changed:
            before, self._unread = self._unread, unread_bytes(self._fd)
            if before is not None and self._unread is not None and self._unread < before:
                self._took_s = time.monotonic()
                self._changed.notify_all()


def _has_loop() -> bool:
    """Tell whether whoever writes runs a loop, which may not be held up."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


class _Raw(io.RawIOBase):
    """What the text streams write into: an outlet that never fails."""

    def __init__(self, fd: int) -> None:
        self.outlet = Outlet(fd)
        self.was_closed = False
        self.is_used = False
        self._fd = fd

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def fileno(self) -> int:
        """Give the descriptor."""
        return self._fd

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return os.isatty(self._fd)

    def write(self, data: ReadableBuffer) -> int:
        """Take everything."""
        self.is_used = True
        self.outlet.write(data)
        return memoryview(data).nbytes


class _Text(io.TextIOWrapper):
    """A text stream that hides what must not be printed, whoever prints it."""

    def write(self, text: str) -> int:
        """Print a text."""
        super().write(hidden(text))
        return len(text)


_HIDING: Callable[[str], str] | None = None


def hide(hiding: Callable[[str], str] | None) -> None:
    """Have every text changed before it is printed, tracebacks too; None: as it is."""
    global _HIDING
    _HIDING = hiding


def hidden(text: str) -> str:
    """Give a text as it would be printed, for what is written another way."""
    return text if _HIDING is None else _HIDING(text)


_STDOUT: list[_Raw] = []
"""The standard output of this process, once it is made safe."""


def prepare() -> None:
    """Make the standard streams safe to use. Streams that somebody has put in their place stay as they are."""
    closed = [fd for fd in (0, 1, 2) if _kind(fd) is None]
    for fd in closed:  # or the next file or socket that is opened gets that number, and is printed into
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != fd:
            os.dup2(nowhere, fd)
            os.close(nowhere)
        os.set_inheritable(fd, True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is sys.__stdout__:
        raw = _Raw(1)
        raw.was_closed = 1 in closed
        sys.stdout = _text(raw, getattr(sys.stdout, "encoding", None))
        _STDOUT[:] = [raw]
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Raw(2), getattr(sys.stderr, "encoding", None), is_immediate=True)


def finish(code: int) -> int:
    """Write what is still to be written; gives the exit code: 74 for a run that is well but was not heard."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    if not _STDOUT:
        return code
    raw = _STDOUT[0]
    raw.outlet.drain(raw.outlet.patience_s)
    fault = raw.outlet.fault
    if raw.was_closed and raw.is_used:
        fault = OSError(errno.EBADF, "it is closed")
    if fault is None or fault.errno == errno.EPIPE:  # whoever stopped reading wanted no more
        return code
    from octogram_tui.errors import ExitCode

    print(f"octogram-tui: standard output cannot be written: {fault.strerror}", file=sys.stderr)
    return code or int(ExitCode.IO)


def print_bytes(data: bytes) -> None:
    """Print what is no text for people."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def keep_pace() -> bool:
    """Wait until the reader has taken what was printed; gives whether it will take more."""
    if not _STDOUT:
        return True
    outlet = _STDOUT[0].outlet
    outlet.drain(outlet.patience_s)
    return outlet.fault is None


def print_all(pieces: Iterable[bytes]) -> int:
    """Print data of any size, as fast as its reader takes it; gives how much. What is lost is told by `finish`."""
    size = 0
    for piece in pieces:
        print_bytes(piece)
        size += len(piece)
        if not keep_pace():
            break
    return size


def lacks_signs(stream: object) -> bool:
    """Tell whether a stream's encoding has not every sign."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"


def _text(raw: _Raw, encoding: str | None, *, is_immediate: bool = False) -> io.TextIOWrapper:
    buffered = io.BufferedWriter(raw)
    line_buffering = is_immediate or raw.isatty()
    return _Text(buffered, encoding=encoding or "utf-8", errors="backslashreplace", line_buffering=line_buffering)


def unwaiting(fd: int) -> int:
    """Give what a descriptor's reader is written to by without waiting.

    A terminal that is ready takes one byte, or more, and waits for its reader with the others. It is opened anew for
    us alone: what is set for a descriptor holds for everybody who shares it, as a shell does.
    """
    if not os.isatty(fd):
        return fd
    try:
        os.tcgetpgrp(fd)  # refused where it is not the one that controls us
        name = "/dev/tty"  # which is open to us also where it is another user's, as after `su`
    except OSError:
        name = ""
    try:
        return os.open(name or os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return fd


def _kind(fd: int) -> int | None:
    """Give the kind of file behind a descriptor; None when it is closed."""
    try:
        return stat.S_IFMT(os.fstat(fd).st_mode)
    except OSError:
        return None
