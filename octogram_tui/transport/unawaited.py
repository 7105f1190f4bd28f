"""Calls that may take long, in threads that nobody has to wait for.

Those of the loop's own pool are waited for when the loop is closed, and again when the program ends: a command of the
configuration or a name server that is silent would then hold up whoever wants to leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")

AT_ONCE = min(32, (os.cpu_count() or 1) + 4)  # as the loop's own pool has it


class Unawaited:
    """Threads of one loop that end with the program, so many at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call it, and wait; whoever is cancelled leaves it to itself."""
        loop = asyncio.get_running_loop()
        async with self._room:
            told: asyncio.Future[Result] = loop.create_future()

            def tell(set_: Callable[[Any], None], what: Any) -> None:
                def now() -> None:
                    if not told.done():
                        set_(what)

                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(now)

            def work() -> None:
                try:
                    result = function(*arguments)
                except Exception as error:
                    tell(told.set_exception, error)
                else:
                    tell(told.set_result, result)

            threading.Thread(target=work, name="unawaited", daemon=True).start()
            return await told


class LeavingLoop(asyncio.SelectorEventLoop):
    """A loop that can be closed while a name is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self._lookups = Unawaited()

    async def getaddrinfo(self, host: Any, port: Any, **wanted: int) -> Any:
        """Look a name up, as the library does."""
        return await self._lookups.call(partial(socket.getaddrinfo, host, port, **wanted))
