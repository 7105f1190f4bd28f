"""How a job of Slurm is ended, and that it has ended is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from octogram_tui.transport.slurm.commands import Commands
from octogram_tui.transport.slurm.queue import STANDING, standing_of

GENTLE_S = 3.0  # for the script in it to end by itself, before the job is cancelled
END_S = 25.0
FORCED_END_S = 5.0
LOOK_S = 0.25


async def end_job(commands: Commands, job: str, on_lost: Callable[[], Awaitable[None]], *, force: bool) -> None:
    """End it, as a job that is done where it can be; comes back when it is over. Raises TransportError.

    on_lost: called when it had ended before, by somebody else.
    """
    begun_s, is_cancelled = 0.0, False
    while True:
        standing = await standing_of(commands, job)
        if not (begun_s or is_cancelled) and standing.state not in ("RUNNING", "PENDING", *STANDING):
            await on_lost()
        if standing.is_over:
            return
        if standing.state == "RUNNING" and not begun_s and not force:
            begun_s = time.monotonic()
            await commands.run("scancel", "--quiet", "--batch", "--signal=TERM", job)
        elif not is_cancelled and standing.state != "COMPLETING" and time.monotonic() - begun_s > GENTLE_S:
            is_cancelled = True
            await commands.run("scancel", "--quiet", job)
        await asyncio.sleep(LOOK_S)
