"""One command on the other side of an SSH connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

import asyncssh

from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.transport.base import Receiver
from octogram_tui.transport.ssh.outflow import Outflow
from octogram_tui.transport.ssh.packets import leave_out_log

HIGH_WATER_BYTES = 64 * 1024
PACKET_BYTES = 32 * 1024  # what OpenSSH takes at a time
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def remote_command(argv: Sequence[str]) -> str:
    """Quote a command so that sh, csh and fish all read the same words.

    Inside single quotes csh still sees `!`, and fish sees backslashes, so that those stand outside, escaped.
    """
    return " ".join(_quote(word) for word in argv)


def _quote(word: str) -> str:
    if PLAIN.fullmatch(word):
        return word
    parts = re.split(r"(['\\!])", word)
    return "".join(f"\\{part}" if part in ("'", "\\", "!") else f"'{part}'" for part in parts if part) or "''"


class SshChannel(asyncssh.SSHClientSession[bytes]):
    """A session channel as `transport.base.Channel`.

    `explain` turns the library's reason for a loss into an error; `on_open` and `on_end` tell that the server has
    opened the channel, and that it is free again.
    """

    def __init__(
        self,
        receiver: Receiver,
        explain: Callable[[BaseException], TransportError],
        on_open: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._explain = explain
        self._on_open = on_open
        self._on_end = on_end
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._outflow: Outflow | None = None
        self._status: int | None = None
        self._is_started = False
        self._is_over = False
        self._is_gone = False
        self._is_ended = False  # we said that nothing more will come
        self._closed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_over(self) -> bool:
        """Tell whether the last call to the receiver is made, or is on its way."""
        return self._is_over

    # What the program calls.

    def write(self, data: bytes) -> None:
        """Send bytes to the command's standard input; what comes after its end is dropped."""
        if self._channel is None or not data or self._is_ended or self._channel.is_closing():
            return
        if self._outflow is not None:
            self._outflow.write(data)
            return
        if len(data) <= PACKET_BYTES:
            self._channel.write(data)
            return
        view = memoryview(data)  # cut here, where it costs one copy: the library would make three
        for start in range(0, len(data), PACKET_BYTES):
            self._channel.write(view[start : start + PACKET_BYTES])

    async def drain(self) -> None:
        """Wait until the buffer is small again. Raises LinkLost when there is nobody to drain to."""
        await self._writable.wait()
        if self._is_over:
            raise LinkLost("the command has ended, or the way to it is lost")

    def write_eof(self) -> None:
        """End the command's standard input."""
        if self._channel is not None and not self._channel.is_closing():
            self._is_ended = True
            self._channel.write_eof()

    def pause_reading(self) -> None:
        """Take no more data until `resume_reading`; the window then holds the other side back."""
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        """Take data again."""
        if self._channel is not None and not self._is_over:
            self._channel.resume_reading()

    def abort(self) -> None:
        """Drop the channel now; a peer that does not answer cannot delay this."""
        if self._channel is not None and not self._is_gone:
            self._channel.abort()
        self._finish(None)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the command's terminal there that ours has another size."""
        if self._channel is not None and not self._is_over:
            self._channel.change_terminal_size(columns, rows)

    async def wait_closed(self) -> int | None:
        """Wait for the end; the exit status, None after a signal, an abort or a loss."""
        await self._closed.wait()
        return self._status

    # What the library calls.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open; the command is not started yet."""
        self._channel = chan
        leave_out_log(chan)
        self._on_open()
        self._outflow = Outflow.when_known(chan)
        chan.set_write_buffer_limits(0 if self._outflow is not None else HIGH_WATER_BYTES)

    def session_started(self) -> None:
        """The server has started the command."""
        self._is_started = True

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Pass output on. What a receiver raises ends its own channel, not the connection that others share."""
        if self._is_over:
            return
        try:
            if datatype is None:
                self._receiver.data_received(data)
            else:
                self._receiver.stderr_received(data)
        except Exception as error:
            self._report(error)
            self.abort()

    def eof_received(self) -> bool:
        """Keep our own direction open: the command may still read."""
        return True

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The buffer is small again."""
        self._writable.set()

    def exit_status_received(self, status: int) -> None:
        """The command has ended."""
        self._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed: by its command's end, or with the whole connection."""
        self._is_gone = True
        self._on_end()
        self._finish(self._explain(exc) if exc is not None else None)

    def _finish(self, error: TransportError | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._writable.set()
        self._closed.set()
        if self._is_started:  # otherwise `open` raises, and nobody was told of a channel
            self._loop.call_soon(self._receiver.channel_closed, error)

    def _report(self, error: Exception) -> None:
        context: dict[str, Any] = {"message": "a receiver of channel data failed", "exception": error}
        self._loop.call_exception_handler(context)


class SocketChannel(SshChannel):
    """A connection that the server has made to a socket: there is no command, and so no status."""

    def eof_received(self) -> bool:
        """End with it: whoever closes a socket does not read from it either."""
        return False
