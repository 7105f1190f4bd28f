"""The process in which templates are evaluated that may take long: started when one needs it, ended by any bound.

Knows bytes only. It is no copy of the process that starts it, so that starting it is cheap however large that is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from octogram_tui.template.requests import Bound

CPU_S = 2.0
"""What one evaluation may take of a processor."""
WALL_S = 30.0
"""What it may take where the machine has no processor for it."""
MEMORY_BYTES = 256 << 20
"""What it may take of memory beyond what the process has when it is ready."""
MOST_ANSWERED_BYTES = 64 << 20
LOOK_S = 0.1
IDLE, OUT_OF_MEMORY = 0, 3
"""How the process ends by itself: asked nothing for long, or told that there is no more memory."""

_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from octogram_tui.template.apart import main; main()"


class AtBound(Exception):
    """An evaluation ended at a bound."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound)
        self.bound: Bound = bound


class Process:
    """One of them. Whoever has forked since, or is another thread, needs one of its own."""

    def __init__(self) -> None:
        import socket

        ours, theirs = socket.socketpair()
        ours.settimeout(LOOK_S)
        argv = [sys.executable, "-ISXutf8", "-c", _PROGRAM, *filter(None, sys.path)]
        with theirs:
            null = os.devnull
            self._pid = os.posix_spawn(
                sys.executable,
                argv,
                {name: os.environ[name] for name in _KEPT if name in os.environ},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
                ],
                setpgroup=0,  # Ctrl-C is for who waits for it
            )
        self._socket = ours
        self._owner = os.getpid()
        self.is_gone = False

    @property
    def is_ours(self) -> bool:
        """Whether it can be asked."""
        return not self.is_gone and self._owner == os.getpid()

    def ask(self, request: bytes, is_unwanted: Callable[[], bool]) -> bytes:
        """Send a request and wait for the answer; empty when the process had ended before, as it does when idle.

        Raises AtBound; it is gone then.
        """
        ends_s = time.monotonic() + WALL_S
        try:
            self._send(len(request).to_bytes(4, "big") + request, ends_s, is_unwanted)
            size = int.from_bytes(self._receive(4, ends_s, is_unwanted), "big")
            if size > MOST_ANSWERED_BYTES:
                raise AtBound("broken")
            return self._receive(size, ends_s, is_unwanted)
        except OSError:
            ended = self._end()
            if ended == IDLE:
                return b""
            raise AtBound(_bound_of(ended)) from None
        except BaseException:
            self._end()
            raise

    def _send(self, data: bytes, ends_s: float, is_unwanted: Callable[[], bool]) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                _look(ends_s, is_unwanted)

    def _receive(self, size: int, ends_s: float, is_unwanted: Callable[[], bool]) -> bytes:
        pieces = []
        while size:
            try:
                piece = self._socket.recv(min(size, 1 << 20))
            except TimeoutError:
                _look(ends_s, is_unwanted)
                continue
            if not piece:
                raise ConnectionResetError
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _end(self) -> int:
        """End it, and give how it ended: minus the signal, or its exit code."""
        if self.is_gone:
            return -signal.SIGKILL
        self.is_gone = True
        self._socket.close()
        if self._owner != os.getpid():
            return -signal.SIGKILL
        for _ in range(20):  # it says why by itself when it has closed its end
            pid, status = _waited(self._pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(_waited(self._pid, 0)[1])

    def close(self) -> None:
        """End it at once, whatever it does."""
        if not self.is_gone and self._owner == os.getpid():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._end()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()


def _waited(pid: int, options: int) -> tuple[int, int]:
    try:
        return os.waitpid(pid, options)
    except ChildProcessError:  # somebody else has waited for it
        return pid, signal.SIGKILL


def _look(ends_s: float, is_unwanted: Callable[[], bool]) -> None:
    if is_unwanted():
        raise AtBound("stopped")
    if time.monotonic() > ends_s:
        raise AtBound("time")


def _bound_of(ended: int) -> Bound:
    if ended == -signal.SIGPROF:
        return "time"
    return "memory" if ended == OUT_OF_MEMORY else "broken"
