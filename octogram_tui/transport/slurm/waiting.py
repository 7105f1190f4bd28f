"""How an allocation waits in the queue: until it has nodes, would never have any, or is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.transport.slurm import queue
from octogram_tui.transport.slurm.commands import Commands
from octogram_tui.transport.slurm.queue import Standing
from octogram_tui.transport.slurm.terms import AllocationState, refused

FIRST_LOOK_S = 0.2
LONGEST_LOOK_S = 15.0
GROWTH = 1.5  # of the time between two looks


class Tell(Protocol):
    """Tells of an allocation: its state, what is said after its number, and further fields."""

    def __call__(self, state: AllocationState, message: str, **more: Any) -> None: ...


class Waiting:
    """One job's. gone: gives the error of a job that is over."""

    def __init__(self, commands: Commands, job: str, tell: Tell, gone: Callable[[], Awaitable[TransportError]]) -> None:
        self._commands = commands
        self._job = job
        self._tell = tell
        self._gone = gone
        self._told: tuple[object, ...] = ()

    async def wait(self) -> Standing:
        """Wait, and tell of each change of the place and the reason. Raises TransportError."""
        delay_s = FIRST_LOOK_S
        while True:
            try:
                standing = await queue.standing_of(self._commands, self._job)
                if standing.state == "RUNNING":
                    return standing
                if standing.is_over:
                    raise await self._gone()
                if standing.never:
                    message = f"slurm: job {self._job} would wait for ever: {standing.reason}"
                    raise refused(message, standing.never, "slurm.limit")
                await self._tell_place(standing)
            except LinkLost as error:
                self._tell_once(("", str(error)), f"is waited for, and nothing is known of it: {error.message}")
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * GROWTH, LONGEST_LOOK_S)

    async def _tell_place(self, standing: Standing) -> None:
        if standing.state != "PENDING":  # it is being configured
            state = standing.state.lower()
            self._tell_once((state,), f"has nodes, which are made ready ({state})")
            return
        place, of = await queue.position_of(self._commands, self._job, standing.partition)
        if not place:  # it has left the queue meanwhile
            return
        reason = "" if standing.reason == "None" else standing.reason  # nobody has looked at it yet
        why = f": {reason}" if reason else ""
        start = f", may begin at {standing.start}" if standing.start else ""
        message = f"waits at place {place} of {of} in partition {standing.partition}{why}{start}"
        self._tell_once((place, reason), message, place, reason)

    def _tell_once(self, what: tuple[object, ...], message: str, place: int = 0, reason: str = "") -> None:
        if what != self._told:
            self._told = what
            self._tell("waiting", message, position=place, reason=reason)
