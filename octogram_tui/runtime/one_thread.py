"""Functions that block, called in threads one after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class OneThread:
    """Calls functions in threads, never two at a time, even when nobody waits for the first any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call, and give what it returns. Cancelled, the function may still be running."""
        return await asyncio.to_thread(self._call_alone, function, *arguments)

    async def last(self, function: Callable[[], None]) -> None:
        """Call what cleans up, after whatever is still running, and even when we are being cancelled."""
        await asyncio.shield(asyncio.create_task(self.call(function)))

    def _call_alone(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._lock:
            return function(*arguments)
