"""Bytes of one turn of the loop, sent together: the library sends each packet, and an empty one before it, alone."""

from __future__ import annotations

import asyncio
from typing import Any

from octogram_tui.transport.base import TOGETHER

MOST_BYTES = 256 * 1024  # that are held until the turn's end: then they go at once


class GatheringTransport:
    """A transport as the library uses one: half of the system calls for a message, a tenth for a file."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, data: bytes) -> None:
        """Send soon, and in order."""
        if not self._held and not TOGETHER.takes(self._send):
            self._loop.call_soon(self._send)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= MOST_BYTES:
            self._send()

    def _send(self) -> None:
        if self._held:
            held, self._held, self._held_bytes = self._held, [], 0
            self._transport.write(b"".join(held))

    def close(self) -> None:
        """Send what is left, and close."""
        self._send()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._held.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether nothing more is sent."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Give what the transport knows of itself."""
        return self._transport.get_extra_info(name, default)
