"""A command on this machine, as a channel.

The pipes are read and written straight from the event loop, and the end of a child is learnt from its pidfd: no thread
and no stream object per process, so that a hundred agents here cost little. Knows no agents' protocol.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from octogram_tui.errors import BootstrapFailed, LinkLost
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.unixsocket import SocketChannel, connect

READ_BYTES = 256 * 1024
BULK_PIPE_BYTES = 1024 * 1024  # where files go through: as much as the system lets anybody have
HIGH_WATER_BYTES = 64 * 1024
LOW_WATER_BYTES = 16 * 1024
MOST_READS = 8  # of a pipe whose command has ended: more than any pipe holds
AFTER_EXIT_S = 2.0  # how long output that somebody else still holds open is waited for once the command has ended
ABORT_GRACE_S = 2.0  # between TERM and KILL for a command whose channel was dropped


class LocalTransport:
    """Commands on this machine, each in a session of its own, so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, agent: str, files: tuple[int, int] | None = None) -> None:
        """files: how many its commands may have open, soft and hard limit; None: as many as we may."""
        self._agent = agent
        self._files = files
        self._channels: set[ProcessChannel] = set()
        self._connections: set[SocketChannel] = set()

    @property
    def description(self) -> str:
        """Where this leads, for messages."""
        return "this machine"

    @property
    def host(self) -> str:
        """There is no host in between."""
        return ""

    async def reach(self) -> str:
        """Tell which machine this is."""
        return "local"

    async def open(self, argv: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> ProcessChannel:
        """Start a command. Raises BootstrapFailed when there is no such program or it cannot be executed."""
        try:
            return start_process(argv, receiver, self._channels, bulk=bulk, files=self._files)
        except OSError as error:
            text = error.strerror or type(error).__name__
            raise BootstrapFailed(
                f"agent {self._agent}: cannot start `{argv[0] if argv else ''}` on this machine: {text}",
                hint=start_hint(error, "see that the program is installed and executable"),
                code="boot.command",
            ) from error

    async def connect(self, place: str, receiver: Receiver) -> SocketChannel:
        """Connect to a socket. Raises BootstrapFailed."""
        try:
            return await connect(place, receiver, self._connections)
        except OSError as error:
            text = error.strerror or type(error).__name__
            raise BootstrapFailed(f"agent {self._agent}: cannot connect to {place}: {text}") from error

    async def close(self) -> None:
        """Drop every channel, and wait a bounded time for their processes to end."""
        for connection in list(self._connections):
            connection.abort()
        await end_processes(self._channels)


def start_hint(error: OSError, otherwise: str) -> str:
    """Say what to do about a process that could not be started."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "raise the limit of open files (ulimit -n): each agent takes a few"
    if error.errno == errno.EAGAIN:
        return "this user, or what this runs in, may have no more processes: see `ulimit -u`, and a container's limit"
    return otherwise


def start_process(
    argv: Sequence[str],
    receiver: Receiver,
    channels: set[ProcessChannel],
    *,
    bulk: bool = False,
    grace_s: float = ABORT_GRACE_S,
    files: tuple[int, int] | None = None,
) -> ProcessChannel:
    """Start a command whose channel stays in `channels` until its process is gone. Raises OSError when it cannot.

    grace_s: between TERM and KILL once the channel is dropped; 0: it is killed at once.
    files: how many it may have open, soft and hard limit, where that is not as many as we may.
    """
    if not argv:
        raise FileNotFoundError(2, "the command is empty")
    try:
        process = subprocess.Popen(
            list(argv),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pipesize=BULK_PIPE_BYTES if bulk else -1,
        )
    except (ValueError, UnicodeError) as error:  # a NUL byte or a lone surrogate in a word
        raise OSError(22, str(error)) from error
    if files is not None:
        with suppress(OSError, AttributeError):  # it has ended; or there is no such call
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, files)
    return ProcessChannel(process, receiver, channels, grace_s)


async def end_processes(channels: set[ProcessChannel]) -> None:
    """Drop the channels and wait until their processes are gone, KILL included."""
    leaving = list(channels)
    for channel in leaving:
        channel.abort()
    if leaving:
        await asyncio.wait(
            [asyncio.ensure_future(channel.wait_gone()) for channel in leaving], timeout=ABORT_GRACE_S + 1.0
        )


class ProcessChannel:
    """One child process of ours and its three pipes."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        receiver: Receiver,
        channels: set[ProcessChannel],
        grace_s: float = ABORT_GRACE_S,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._receiver = receiver
        self._channels = channels
        self._channels.add(self)
        self._grace_s = grace_s
        self._output = bytearray()
        self._stdin = -1
        self._stdout = -1
        self._stderr = -1
        self._is_reading = True
        self._eof_wanted = False
        self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._take_pipes()
        self._watch_exit()

    def write(self, data: bytes) -> None:
        """Send bytes to the command's standard input; what a closed pipe refuses is dropped."""
        if self._stdin < 0 or self._eof_wanted:
            return
        if not self._output:
            try:
                sent = os.write(self._stdin, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._close_stdin()
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._stdin, self._write_ready)
        self._output += data
        if len(self._output) > HIGH_WATER_BYTES:
            self._drained.clear()

    async def drain(self) -> None:
        """Wait until the buffer is small again. Raises LinkLost when the command takes no more input."""
        await self._drained.wait()
        if self._is_closed or (self._stdin < 0 and not self._eof_wanted):
            raise LinkLost("the command has closed its standard input or has ended", code="agent.lost")

    def write_eof(self) -> None:
        """End the command's standard input once all is written."""
        self._eof_wanted = True
        if not self._output:
            self._close_stdin()

    def pause_reading(self) -> None:
        """Take no more data until `resume_reading`; the pipes then hold the command back."""
        if self._is_reading:
            self._is_reading = False
            for fd in (self._stdout, self._stderr):
                if fd >= 0:
                    self._loop.remove_reader(fd)

    def resume_reading(self) -> None:
        """Take data again."""
        if not self._is_reading and not self._is_closed:
            self._is_reading = True
            self._add_readers()

    def abort(self) -> None:
        """Drop the channel now: TERM to the command's own session, KILL after a grace, if there is any."""
        if self._is_closed:
            return
        self._finish()
        if not self._exited.is_set():
            self._signal(signal.SIGTERM if self._grace_s else signal.SIGKILL)
            if self._grace_s:
                self._timer = self._loop.call_later(self._grace_s, self._signal, signal.SIGKILL)

    async def wait_closed(self) -> int | None:
        """Wait for the end; the exit status, None after a signal or an abort."""
        await self._closed.wait()
        return self.exit_status

    @property
    def is_closed(self) -> bool:
        """Tell whether the last call to the receiver is made, or is on its way."""
        return self._is_closed

    @property
    def pid(self) -> int:
        """The command's process."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """The status once the command has ended by itself; None before, and after a signal."""
        code = self._process.returncode
        return code if code is not None and code >= 0 else None

    async def wait_gone(self) -> None:
        """Wait until the process itself has ended."""
        await self._exited.wait()

    # The pipes.

    def _take_pipes(self) -> None:
        # Plain descriptors from here on: the file objects would only add a layer that warns when it is not closed.
        fds = []
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            fds.append(os.dup(pipe.fileno()))
            pipe.close()
            os.set_blocking(fds[-1], False)
        self._stdin, self._stdout, self._stderr = fds
        self._add_readers()

    def _add_readers(self) -> None:
        if self._stdout >= 0:
            self._loop.add_reader(self._stdout, self._stdout_ready)
        if self._stderr >= 0:
            self._loop.add_reader(self._stderr, self._stderr_ready)

    def _stdout_ready(self) -> bool:
        """Pass on what is there; whether there may be more."""
        data = self._read(self._stdout)
        if data:
            self._pass_on(self._receiver.data_received, data)
        elif data is not None:
            self._loop.remove_reader(self._stdout)
            os.close(self._stdout)
            self._stdout = -1
            self._finish_if_over()
        return bool(data)

    def _stderr_ready(self) -> bool:
        """Pass on what is there; whether there may be more."""
        data = self._read(self._stderr)
        if data:
            self._pass_on(self._receiver.stderr_received, data)
        elif data is not None:
            self._loop.remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = -1
            self._finish_if_over()
        return bool(data)

    def _pass_on(self, receive: Callable[[bytes], None], data: bytes) -> None:
        """Hand data over; a receiver that fails has its channel ended, and is told so, rather than wait for ever."""
        try:
            receive(data)
        except Exception as error:
            context = {"message": "a receiver of channel data failed", "exception": error}
            self._loop.call_exception_handler(context)
            self.abort()

    @staticmethod
    def _read(fd: int) -> bytes | None:
        """Read what is there: empty at the end, None when there is nothing yet, or no pipe any more."""
        if fd < 0:
            return None
        try:
            return os.read(fd, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _write_ready(self) -> None:
        try:
            sent = os.write(self._stdin, self._output)
        except BlockingIOError:
            return
        except OSError:
            self._close_stdin()
            return
        del self._output[:sent]
        if len(self._output) <= LOW_WATER_BYTES:
            self._drained.set()
        if not self._output:
            self._loop.remove_writer(self._stdin)
            if self._eof_wanted:
                self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            self._loop.remove_writer(self._stdin)
            os.close(self._stdin)
            self._stdin = -1
        self._output.clear()
        self._drained.set()

    # The end.

    def _watch_exit(self) -> None:
        try:
            fd = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # no pidfd here: a thread that does nothing but wait
            threading.Thread(target=self._wait_in_thread, name="octogram-wait", daemon=True).start()
        else:
            self._loop.add_reader(fd, self._pidfd_ready, fd)

    def _pidfd_ready(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        os.close(fd)
        self._process.wait()  # it has ended: this only collects the status
        self._process_exited()

    def _wait_in_thread(self) -> None:
        self._process.wait()
        try:
            self._loop.call_soon_threadsafe(self._process_exited)
        except RuntimeError:
            pass  # the loop is closed: nobody is interested any more

    def _process_exited(self) -> None:
        self._exited.set()
        self._channels.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_closed:
            self._close_stdin()
            self._timer = self._loop.call_later(AFTER_EXIT_S, self._give_up_output)
            self._finish_if_over()

    def _give_up_output(self) -> None:
        """End although a descendant keeps the output open.

        What the command itself has written is in the pipes by now: it is passed on first, also when the receiver has
        just begun to read again; a receiver that does not read yet is waited for.
        """
        for ready in (self._stdout_ready, self._stderr_ready):
            for _ in range(MOST_READS):
                if self._is_closed or not self._is_reading or not ready():
                    break
        if self._is_closed:
            return
        if self._is_reading:
            self._finish()
        else:
            self._timer = self._loop.call_later(AFTER_EXIT_S, self._give_up_output)

    def _finish_if_over(self) -> None:
        if self._exited.is_set() and self._stdout < 0 and self._stderr < 0:
            self._finish()

    def _finish(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close_stdin()
        for fd in (self._stdout, self._stderr):
            if fd >= 0:
                self._loop.remove_reader(fd)
                os.close(fd)
        self._stdout = self._stderr = -1
        self._closed.set()
        self._loop.call_soon(self._receiver.channel_closed, None)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the command's session, which has no other member that we did not start."""
        if not self._exited.is_set():
            try:
                os.killpg(self._process.pid, number)
            except (ProcessLookupError, PermissionError):
                pass
