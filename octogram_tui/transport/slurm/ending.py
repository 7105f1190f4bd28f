"""How a job of Slurm is ended, and that it has ended is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from octogram_tui.errors import TransportError
from octogram_tui.transport.slurm.commands import Commands
from octogram_tui.transport.slurm.queue import STANDING, standing_of

GENTLE_S = 3.0  # for the script in it to end by itself, before the job is cancelled
END_S = 25.0
FORCED_END_S = 5.0
LOOK_S = 0.25


async def end_job(
    commands: Commands,
    job: str,
    on_lost: Callable[[], Awaitable[None]],
    on_trouble: Callable[[TransportError], None],
    *,
    force: bool,
) -> None:
    """End it, as a job that is done where it can be; comes back when it is over, however long that takes.

    on_lost: called when it had ended before, by somebody else. on_trouble: told why a try came to nothing.
    Raises TransportError when no further try would do better.
    """
    end = _End(commands, job, on_lost, force=force)
    while True:
        try:
            if await end.go_on():
                return
        except TransportError as error:
            if not error.is_retryable:
                raise
            on_trouble(error)
        await asyncio.sleep(LOOK_S)


class _End:
    """How far it is."""

    def __init__(self, commands: Commands, job: str, on_lost: Callable[[], Awaitable[None]], *, force: bool) -> None:
        self._commands = commands
        self._job = job
        self._on_lost = on_lost
        self._force = force
        self._is_seen = False
        self._begun_s = 0.0
        self._is_cancelled = False

    async def go_on(self) -> bool:
        """Do what is next; gives whether it is over. Raises TransportError."""
        standing = await standing_of(self._commands, self._job)
        if not self._is_seen:
            self._is_seen = True
            if standing.state not in ("RUNNING", "PENDING", *STANDING):
                await self._on_lost()
        if standing.is_over:
            return True
        if standing.state == "RUNNING" and not self._begun_s and not self._force:
            self._begun_s = time.monotonic()
            await self._commands.run("scancel", "--quiet", "--batch", "--signal=TERM", self._job)
        elif not self._is_cancelled and standing.state != "COMPLETING" and time.monotonic() - self._begun_s > GENTLE_S:
            await self._commands.run("scancel", "--quiet", self._job)
            self._is_cancelled = True
        return False
