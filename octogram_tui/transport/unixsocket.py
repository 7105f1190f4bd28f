"""A Unix socket on this machine, as a channel: a server that is there already, instead of a command that is started."""

from __future__ import annotations

import asyncio
import socket

from octogram_tui.errors import LinkLost
from octogram_tui.transport.base import Receiver

HIGH_WATER_BYTES = 64 * 1024
LOW_WATER_BYTES = 16 * 1024


async def connect(path: str, receiver: Receiver, channels: set[SocketChannel]) -> SocketChannel:
    """Connect; the channel stays in `channels` until it is closed. Raises OSError, also when too many wait there."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.setblocking(False)
        peer.connect(path)
        channel = SocketChannel(receiver, channels)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=peer)
    except BaseException:
        peer.close()
        raise
    return channel


class SocketChannel(asyncio.Protocol):
    """One connection."""

    def __init__(self, receiver: Receiver, channels: set[SocketChannel]) -> None:
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        self._channels = channels
        self._transport: asyncio.Transport
        self._is_over = False
        self._is_ended = False  # we said that nothing more will come
        self._closed = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    # What the program calls.

    def write(self, data: bytes) -> None:
        """Send bytes; what comes after the end is dropped."""
        if not self._is_over and not self._is_ended and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the buffer is small again. Raises LinkLost when there is nobody to drain to."""
        await self._drained.wait()
        if self._is_over:
            raise LinkLost("the other side has closed the connection")

    def write_eof(self) -> None:
        """Say that nothing more will come."""
        if not self._is_over and not self._is_ended and not self._transport.is_closing():
            self._is_ended = True
            self._transport.write_eof()

    def pause_reading(self) -> None:
        """Take no more data until `resume_reading`."""
        if self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take data again."""
        if not self._is_over:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection now."""
        self._transport.abort()
        self._finish()

    async def wait_closed(self) -> int | None:
        """Wait for the end; there is no exit status."""
        await self._closed.wait()
        return None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._channels.add(self)
        transport.set_write_buffer_limits(HIGH_WATER_BYTES, LOW_WATER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Pass on what came; a receiver that fails has its channel ended, and is told so."""
        if self._is_over:
            return
        try:
            self._receiver.data_received(data)
        except Exception as error:
            context = {"message": "a receiver of channel data failed", "exception": error}
            self._loop.call_exception_handler(context)
            self.abort()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._channels.discard(self)
        self._finish()

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._drained.set()
            self._closed.set()
            self._loop.call_soon(self._receiver.channel_closed, None)
