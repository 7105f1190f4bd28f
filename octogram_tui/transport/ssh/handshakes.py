"""How many handshakes may be under way: per server and in all. A server that drops us gets fewer."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

PER_SERVER = 8  # sshd starts to drop at 10 that have not logged in (MaxStartups 10:30:100)
OVERALL = 32


class HandshakeLimit:
    """The handshakes of one server. Its limit is halved by every drop, and grows back one success at a time."""

    def __init__(self) -> None:
        self._limit = PER_SERVER
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a turn, first come first served."""
        while self._busy >= self._limit:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()  # the turn may have been ours already
                raise
        self._busy += 1

    def leave(self) -> None:
        """Give the turn to the next."""
        self._busy -= 1
        self._wake()

    def dropped(self) -> None:
        """The server closed a connection before the login was decided."""
        self._limit = max(1, self._limit // 2)

    def passed(self) -> None:
        """A login was decided."""
        self._limit = min(PER_SERVER, self._limit + 1)

    def _wake(self) -> None:
        free = self._limit - self._busy
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


class HandshakeLimits:
    """The handshakes of all servers, and the limit over all of them."""

    def __init__(self) -> None:
        self._limits: dict[str, HandshakeLimit] = {}
        self._overall = asyncio.Semaphore(OVERALL)

    def of(self, host: str, port: int) -> HandshakeLimit:
        """Find a server's limit. All loopback addresses are one machine, and most likely one server."""
        try:
            if ipaddress.ip_address(host).is_loopback:
                host = "localhost"
        except ValueError:
            pass
        return self._limits.setdefault(f"{host.lower()}:{port}", HandshakeLimit())

    @asynccontextmanager
    async def turn(self, limit: HandshakeLimit) -> AsyncIterator[None]:
        """Hold a turn at a server and one of the overall ones."""
        await limit.enter()
        try:
            async with self._overall:
                yield
        finally:
            limit.leave()


def pause_s(attempt: int, random: Random, *, base_s: float = 0.1, cap_s: float = 1.5) -> float:
    """Pick how long to wait before a further handshake: full jitter, so that many agents do not come back together.

    attempt counts from 1. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0.0, min(cap_s, base_s * 2.0 ** min(attempt, 16)))
