"""The log lines that wait when all has ended: sent if that is soon done, else counted."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from octogram_agentd.kernel import Kernel
    from octogram_agentd.wire.outbox import Outbox

MOST_S = 20.0  # shorter than `Limits.drain_s` of the orchestrator
SEEN_S = 2.0  # after which is known whether that is enough
LOOK_S = 0.02


async def drain(kernel: Kernel, outbox: Outbox, goes_on: Callable[[], bool], flush: Callable[[], None]) -> None:
    """Send what waits, as long as there is a way, and it is quick enough for all of it; then count the rest."""
    began_s = time.monotonic()
    began_bytes = outbox.taken_bytes
    while outbox.backlog.sources and goes_on():
        passed_s = time.monotonic() - began_s
        left_s = MOST_S - passed_s
        going_bytes = (outbox.taken_bytes - began_bytes) * left_s / max(passed_s, LOOK_S)
        if left_s <= 0 or (passed_s > SEEN_S and outbox.backlog.size_bytes > going_bytes):
            break
        flush()
        await kernel.sleep(LOOK_S)
    outbox.give_up_output()
