"""A line that goes bad: a TCP proxy in a thread of its own, which a test has delay, throttle, cut or spoil."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Way = Literal["there", "back"]
"""From the client to the server, or from the server to the client."""

RESENT_AFTER_S = 3.0  # what TCP waits before it sends again what was lost, where an answer takes two seconds
LINGER_NOT = struct.pack("ii", 1, 0)  # closing is a reset then


class FaultProxy:
    """Forwards to a port of this machine; all faults are for every connection that is open, and those to come."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.accepted = 0
        self.delay_s = 0.0  # each way
        self.loses_each = 0  # of what is delayed, each so-manieth piece is lost: late, to TCP, with all that follows
        self.lost = 0
        self.bytes_per_s = 0.0  # on the way back; 0: as fast as can be
        self.muted: set[Way] = set()  # what comes this way is lost, and nobody is told
        self.refuses = False  # new connections are reset
        self.spoils: set[Way] = set()  # the next byte this way is another one
        self._delayed = 0
        self._dumb: set[asyncio.StreamWriter] = set()
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._all: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()

    def cut(self) -> None:
        """Reset every connection, at both ends."""

        def act() -> None:
            for pair in self._pairs:
                for writer in pair:
                    _reset(writer)
            self._pairs.clear()

        self._do(act)

    def half_close(self, way: Way) -> None:
        """End every connection one way only."""

        def act() -> None:
            for client, server in self._pairs:
                with suppress(OSError):
                    (server if way == "there" else client).write_eof()

        self._do(act)

    def forget(self) -> None:
        """Have the connections that are open stay dumb for ever, and those to come work again."""
        self._do(lambda: self._dumb.update(client for client, _server in self._pairs))
        self.muted = set()

    def _do(self, act: Callable[[], object]) -> None:
        done = threading.Event()

        def turn() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(turn)
        assert done.wait(60)

    # -- in the thread --------------------------------------------------------------------------------------------

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        await _turns()  # for what was accepted in this moment
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for writer in self._all:
            writer.transport.abort()
        await _turns()  # only then the sockets are closed

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._all.append(writer)
        if self.refuses:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except (OSError, asyncio.CancelledError):
            _reset(writer)
            return
        self._all.append(far_writer)
        self._pairs.append((writer, far_writer))
        ways = [
            asyncio.ensure_future(self._carry("there", reader, far_writer, writer)),
            asyncio.ensure_future(self._carry("back", far_reader, writer, writer)),
        ]
        try:
            await asyncio.gather(*ways, return_exceptions=True)
        except asyncio.CancelledError:
            pass  # the test is over, and the streams' own machinery makes an error of it
        finally:
            for one in (writer, far_writer):
                with suppress(OSError):
                    one.close()

    async def _carry(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, owner: asyncio.StreamWriter
    ) -> None:
        due_s = 0.0
        with suppress(OSError):
            while data := await reader.read(16384):
                if way in self.muted or owner in self._dumb:
                    continue
                if way in self.spoils:
                    self.spoils.discard(way)
                    data = bytes([data[0] ^ 0xFF]) + data[1:]
                if self.bytes_per_s and way == "back":
                    await self._slowly(writer, data)
                elif self.delay_s:
                    due_s = max(due_s + 1e-6, self._loop.time() + self.delay_s + self._lost_s())
                    self._loop.call_at(due_s, writer.write, data)
                else:
                    writer.write(data)
                    await writer.drain()
            if way not in self.muted and owner not in self._dumb:
                writer.write_eof()

    def _lost_s(self) -> float:
        """Say how much later a piece arrives, as it was lost at first."""
        self._delayed += 1
        if not self.loses_each or self._delayed % self.loses_each:
            return 0.0
        self.lost += 1
        return RESENT_AFTER_S

    async def _slowly(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        for start in range(0, len(data), 512):
            piece = data[start : start + 512]
            await asyncio.sleep(len(piece) / self.bytes_per_s if self.bytes_per_s else 0)
            writer.write(piece)
            await writer.drain()


async def _turns() -> None:
    """Let the loop do what is due."""
    for _ in range(5):
        await asyncio.sleep(0)


def _reset(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    with suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()


@contextmanager
def fault_proxy(port: int) -> Iterator[FaultProxy]:
    """Have a proxy to a port, for a while."""
    proxy = FaultProxy(port)
    ready, over = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=proxy._loop.run_until_complete, args=(proxy.serve(ready, over),))
    thread.start()
    assert ready.wait(60)
    try:
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(over.set)
        thread.join(60)
        proxy._loop.close()
