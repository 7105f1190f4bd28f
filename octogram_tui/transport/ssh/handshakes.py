"""How many handshakes may be under way: per server and in all. A server that drops us gets fewer."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from octogram_tui.transport.turns import Turns

PER_SERVER = 8  # sshd starts to drop at 10 that have not logged in (MaxStartups 10:30:100)
OVERALL = 32


class HandshakeLimit(Turns):
    """The handshakes of one server. Its limit is halved by every drop, and grows back one success at a time."""

    def __init__(self) -> None:
        super().__init__(PER_SERVER)

    def dropped(self) -> None:
        """The server closed a connection before the login was decided."""
        self.at_once = max(1, self.at_once // 2)

    def passed(self) -> None:
        """A login was decided."""
        self.at_once = min(PER_SERVER, self.at_once + 1)


class HandshakeLimits:
    """The handshakes of all servers, and the limit over all of them."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, int], HandshakeLimit] = {}
        self._overall = asyncio.Semaphore(OVERALL)

    def of(self, host: str, port: int) -> HandshakeLimit:
        """Find a server's limit."""
        return self._limits.setdefault((server_name(host), port), HandshakeLimit())

    @asynccontextmanager
    async def turn(self, limit: HandshakeLimit) -> AsyncIterator[None]:
        """Hold a turn at a server and one of the overall ones."""
        await limit.enter()
        try:
            async with self._overall:
                yield
        finally:
            limit.leave()


def server_name(host: str) -> str:
    """Name a machine: all loopback addresses are one, and most likely one server."""
    try:
        if ipaddress.ip_address(host).is_loopback:
            return "localhost"
    except ValueError:
        pass
    return host.lower()


def pause_s(attempt: int, random: Random, *, base_s: float = 0.1, cap_s: float = 1.5) -> float:
    """Pick how long to wait before a further handshake: full jitter, so that many agents do not come back together.

    attempt counts from 1. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0.0, min(cap_s, base_s * 2.0 ** min(attempt, 16)))
