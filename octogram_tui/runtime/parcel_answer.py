"""What an agent's end of a file transfer says: lines, and the parcel of `get` after them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from octogram_agentd.parcels.parcel import MAGIC, show, told_error
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.wire.lines import WireError, decode
from octogram_tui.cuts import ending_bytes
from octogram_tui.errors import TransportError
from octogram_tui.runtime.reading import count
from octogram_tui.transport.base import Channel

_MAX_ANSWER_BYTES = 128 * 1024
_MAX_STDERR_BYTES = 8 * 1024
_READ_AHEAD_BYTES = 1 << 20
_AT_ONCE_BYTES = 512 * 1024  # of the stream: for less a thread is not troubled while more comes in the next turns
_TURNS = 3


class ParcelAnswer:
    """What comes back from `put` and `get`: whatever a login shell prints, MAGIC, a line, then the parcel of `get`."""

    def __init__(self, on_progress: Callable[[int], None] = lambda done_bytes: None) -> None:
        self._on_progress = on_progress
        self.channel: Channel | None = None
        self.is_over = False
        self._error: TransportError | None = None
        self._data = bytearray()  # what has come is its beginning: it stays as large as it once was
        self._size_bytes = 0
        self._spare = bytearray()  # takes what comes while what was taken is looked at
        self._stderr = b""
        self._changed = asyncio.Event()
        self._line: dict[str, Any] | None = None
        self._is_paused = False

    def data_received(self, data: bytes) -> None:
        """Keep what came, and hold the agent back when that is much."""
        end = self._size_bytes + len(data)
        if end > len(self._data):  # another one: somebody may still look at this
            grown = bytearray(2 * end)
            grown[: self._size_bytes] = memoryview(self._data)[: self._size_bytes]
            self._data = grown
        self._data[self._size_bytes : end] = data
        self._size_bytes = end
        if end > _READ_AHEAD_BYTES and not self._is_paused and self.channel is not None:
            self._is_paused = True
            self.channel.pause_reading()
        self._changed.set()

    def stderr_received(self, data: bytes) -> None:
        """Keep the end of it, for an agent that could not even answer."""
        self._stderr = ending_bytes(self._stderr + data, _MAX_STDERR_BYTES)

    def channel_closed(self, error: TransportError | None) -> None:
        """Note that nothing more comes."""
        self.is_over = True
        self._error = error
        self._changed.set()

    async def wait_line(self) -> dict[str, Any]:
        """Give the answer's line. Raises the ProcedureFailed that it is, or what became of the channel."""
        while self._line is None:
            start = self._data.find(MAGIC, 0, self._size_bytes)
            end = self._data.find(b"\n", start + len(MAGIC), self._size_bytes) if start >= 0 else -1
            if end >= 0:
                line = _read_line(bytes(self._data[start + len(MAGIC) : end]))
                del self._data[: end + 1]
                self._size_bytes -= end + 1
                if line["t"] == "progress":
                    self._on_progress(_progress_of(line))
                else:
                    self._line = line
            elif self._size_bytes > _MAX_ANSWER_BYTES:
                raise ProcedureFailed("the agent's answer to a file transfer makes no sense", kind="protocol")
            else:
                await self._wait()
        if self._line["t"] == "error":
            raise told_error(self._line)
        return self._line

    async def take(self) -> memoryview:
        """Give what has come of the stream, at least a byte: it may be looked at until the next call."""
        while not self._size_bytes:
            await self._wait()
        for _ in range(_TURNS):
            if self._size_bytes < _AT_ONCE_BYTES and not self.is_over:
                await asyncio.sleep(0)
        data = memoryview(self._data)[: self._size_bytes]
        self._data, self._spare, self._size_bytes = self._spare, self._data, 0
        if self._is_paused and self.channel is not None:
            self._is_paused = False
            self.channel.resume_reading()
        return data

    async def _wait(self) -> None:
        """Wait for more. Raises what ended the channel when there cannot be more."""
        if self.is_over:
            if self._error is not None:
                raise self._error
            lines = self._stderr.strip().splitlines()
            reason = show(lines[-1]) if lines else "no reason given"
            raise ProcedureFailed(f"the file transfer ended without an answer: {reason}", kind="transfer")
        self._changed.clear()
        await self._changed.wait()


def _read_line(text: bytes) -> dict[str, Any]:
    try:
        return decode(text, names_files=True)
    except WireError:
        raise ProcedureFailed("the agent's answer to a file transfer makes no sense", kind="protocol") from None


def _progress_of(line: dict[str, Any]) -> int:
    try:
        return count(line["bytes"])
    except (KeyError, ValueError) as error:
        raise senseless(error) from None


def senseless(error: Exception) -> ProcedureFailed:
    """Make the error for an answer that is none."""
    return ProcedureFailed(f"the agent's answer to a file transfer makes no sense: {error}", kind="protocol")
