"""How many daemons may boot on one machine at the same time, and which agent waits for that.

A boot is a shell with all that its start files do, Python, and the daemon's greeting. Hundreds of them at once take
each other's processor, until none is done in time; one after the other they are done sooner. A machine begins with a
few, and gets more as long as they boot as fast together as alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from octogram_tui.transport.turns import Turns

AT_ONCE = 8  # enough to keep the processors of an ordinary machine busy
MOST_AT_ONCE = 64
STALL_S = 10.0  # without an end of any boot, one that hangs is taken to be the reason, and its place does not count
TELL_AFTER_S = 1.0  # a shorter wait is not worth a word

OnWait = Callable[[str], None]
"""Told why an agent waits, and with an empty text when that is over."""


class Boots(Turns):
    """The boots of one machine that are under way."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        super().__init__(at_once)
        self._best_s = float("inf")
        self._hanging = 0  # the places that do not count
        self._latest_s = 0.0  # when a boot last ended, or the first one began
        self._watch: asyncio.TimerHandle | None = None

    async def enter(self) -> None:
        """Wait for a place; one that never gets free again holds up nobody but whoever has it."""
        loop = asyncio.get_running_loop()
        if not self.busy:
            self._latest_s = loop.time()
        if self.is_full and self._watch is None:
            self._watch = loop.call_later(STALL_S, self._look)
        await super().enter()

    def leave(self) -> None:
        """Give the place to the next."""
        self._latest_s = asyncio.get_running_loop().time()
        super().leave()

    def ended(self, took_s: float, *, is_up: bool) -> None:
        """Learn from a boot, before it leaves."""
        if took_s >= STALL_S and self._hanging:
            self._hanging -= 1
            self.at_once -= 1
        if not is_up:
            return
        self._best_s = min(self._best_s, took_s)
        least, most = AT_ONCE + self._hanging, MOST_AT_ONCE + self._hanging
        if took_s <= 2 * self._best_s and self.at_once < most:
            self.at_once += 1
        elif took_s > 4 * self._best_s and self.at_once > least:
            self.at_once -= 1

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._watch = None
        if not self.is_awaited:
            return
        if loop.time() - self._latest_s >= STALL_S:
            self._latest_s = loop.time()
            self._hanging += 1
            self.at_once += 1
            self.admit()
        self._watch = loop.call_at(self._latest_s + STALL_S, self._look)


class FirstBoot:
    """The first boot for a user of a machine: what it puts there, all the others find at once.

    When it fails they go on all together: one after the other they would wait for a dead machine again and again.
    """

    def __init__(self, *, is_over: bool = False) -> None:
        self._turns = Boots(1)
        if is_over:
            self.over()

    def over(self) -> None:
        """Let everybody in."""
        self._turns.at_once = sys.maxsize
        self._turns.admit()

    @asynccontextmanager
    async def turn(self, on_wait: OnWait) -> AsyncIterator[None]:
        """Be the first, or wait for it."""
        await _wait(self._turns, on_wait, "waits for the first agent of its machine to come up")
        try:
            yield
        finally:
            self.over()
            self._turns.leave()


@asynccontextmanager
async def place(boots: Boots, on_wait: OnWait) -> AsyncIterator[None]:
    """Hold one of a machine's places, for the time of a boot."""
    await _wait(boots, on_wait, "waits for its turn: the agents of a machine start a few at a time")
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    is_up = False
    try:
        yield
        is_up = True
    finally:
        boots.ended(loop.time() - began_s, is_up=is_up)
        boots.leave()


async def _wait(turns: Turns, on_wait: OnWait, why: str) -> None:
    """Wait for a place, and tell of it when it takes long."""
    if not turns.is_full:
        await turns.enter()
        return
    told: list[str] = []

    def tell() -> None:
        told.append(why)
        on_wait(why)

    timer = asyncio.get_running_loop().call_later(TELL_AFTER_S, tell)
    try:
        await turns.enter()
    finally:
        timer.cancel()
        if told:
            on_wait("")
