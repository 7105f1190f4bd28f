"""How an allocation is watched over: what becomes of it and of its nodes is told, and it is renewed."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from octogram_tui.errors import TransportError
from octogram_tui.transport.slurm import queue
from octogram_tui.transport.slurm.commands import Commands
from octogram_tui.transport.slurm.queue import Standing
from octogram_tui.transport.slurm.request import RENEWAL
from octogram_tui.transport.slurm.waiting import GROWTH, LONGEST_LOOK_S, Tell

NEAR_S = 600.0  # before its end, that is told; of a short one, a tenth of its time
NEAR_SHARE = 0.1
SOONEST_S = 0.5  # Slurm tells whole seconds


class Watch:
    """Over one job. names: of its nodes, which Slurm lists as `listed`; time_s: how long it may be there in all.

    renews: whether it ends unless somebody renews it.
    """

    def __init__(
        self,
        commands: Commands,
        job: str,
        names: Sequence[str],
        listed: str,
        time_s: float,
        tell: Tell,
        *,
        renews: bool,
    ) -> None:
        self._renews = renews
        self._commands = commands
        self._job = job
        self._names = tuple(names)
        self._listed = listed
        self._tell = tell
        self._troubles: dict[str, str] = {}
        self._failed: set[str] = set()
        self._near_s = min(NEAR_S, time_s * NEAR_SHARE)
        self._is_near = False
        self._near_at_s = math.inf  # of this process's clock
        self._stands = False

    async def run(self, look: Callable[[], Awaitable[bool]], lease_s: float) -> None:
        """Look at it until look says that it is gone. The controller may be down for a while: it is there all the same.

        Both commands may hang, as a signal does that cannot be delivered: neither waits for the other.
        """
        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(self._renew(lease_s), name="renewal of the allocation")
            async for _ in _turns(lease_s, lambda: self._near_at_s):
                with suppress(TransportError):
                    if await look():
                        break
                    await self._look_at_nodes()
            renewing.cancel()

    async def see(self, standing: Standing) -> bool:
        """Take how it stands, and tell what is new in that; gives whether it is gone. Raises TransportError."""
        if standing.is_over or standing.state == "COMPLETING" or standing.state in queue.BACK:
            return True
        stands = standing.state in queue.STANDING
        if stands != self._stands:
            self._stands = stands
            how = "is suspended: what runs in it stands still" if stands else "is no longer suspended"
            self._tell("node", how, nodes=self._names)
        if standing.nodes and standing.nodes != self._listed:
            await self._see_what_is_left(standing.nodes)
        self._near_at_s = math.inf if self._is_near else time.monotonic() + standing.left_s - self._near_s
        if not self._is_near and standing.left_s < self._near_s:
            self._is_near = True
            self._tell("ending", f"ends in {minutes(standing.left_s)}", left_s=told_s(standing.left_s))
        return False

    async def _renew(self, lease_s: float) -> None:
        async for _ in _turns(lease_s):
            if self._renews and not self._stands:  # its script counts no further then
                with suppress(TransportError):
                    await self._commands.run("scancel", "--quiet", "--batch", f"--signal={RENEWAL}", self._job)

    async def _see_what_is_left(self, listed: str) -> None:
        """Tell of nodes that failed: the allocation goes on without them. Their agents have until their lease."""
        left = await queue.names_of(self._commands, listed)
        self._listed = listed
        for name in self._names:
            if name not in left and name not in self._failed:
                self._failed.add(name)
                self._tell("node", f"has lost its node {name}, which failed", nodes=(name,))

    async def _look_at_nodes(self) -> None:
        troubles = await queue.troubles_of(self._commands, self._names)
        for name, what in troubles.items():
            if name not in self._failed and self._troubles.get(name) != what:
                self._tell("node", f"has a node, {name}, that is {what}", nodes=(name,))
        self._troubles = troubles


async def _turns(lease_s: float, due_s: Callable[[], float] = lambda: math.inf) -> AsyncIterator[None]:
    """Give turns for ever: the first at once, then closer together in the beginning than later, one when due."""
    longest_s = min(LONGEST_LOOK_S, max(1.0, lease_s / 3))
    delay_s = 1.0
    while True:
        yield
        await asyncio.sleep(min(delay_s, max(SOONEST_S, due_s() - time.monotonic() + SOONEST_S)))
        delay_s = min(delay_s * GROWTH, longest_s)


def minutes(seconds: float) -> str:
    """Give a time as people are told it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def told_s(left_s: float) -> float:
    """Give what is left as events tell it: -1 where there is no limit."""
    return -1.0 if left_s == float("inf") else left_s
