"""How many daemons may boot on one machine at the same time, and which agent waits for that.

A boot is a shell with all that its start files do, Python, and the daemon's greeting. Hundreds of them at once take
each other's processor, until none is done in time. A machine begins with a few, and gets as many as are done in good
time even one after the other; more, as long as they boot as fast together as alone; fewer, when they are slow.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from octogram_tui.transport.turns import Turns

AT_ONCE = 8  # before anything is known of the machine
LEAST_AT_ONCE = 4
MOST_AT_ONCE = 64
ENOUGH_S = 10.0  # so many as one after the other would be done in this time: a fraction of what each one has
SLOW_S = 20.0
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
        if is_up:
            self._best_s = min(self._best_s, took_s)
            self.at_once = self._hanging + self._fitting(self.at_once - self._hanging, took_s)

    def _fitting(self, places: int, took_s: float) -> int:
        """Say how many places there should be after a boot that took so long."""
        if took_s > SLOW_S:
            return max(LEAST_AT_ONCE, places - 1)
        if took_s <= 2 * self._best_s:
            places += 1
        return min(MOST_AT_ONCE, max(places, int(ENOUGH_S / max(self._best_s, 0.001))))

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
