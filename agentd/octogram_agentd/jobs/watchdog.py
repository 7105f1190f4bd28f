"""Interrupts code of other people's procedures that never waits: nothing else would have its turn again.

Only Python code can be interrupted, and only where it runs in the daemon itself: what it calls in C goes on to its end.
"""

from __future__ import annotations

from octogram_agentd import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Set

    from octogram_agentd.kernel import Kernel, Task

TICK_S = 5.0
"""Code that has gone on for as long, and at most twice as long, is interrupted."""


class HeldUp(BaseException):
    """Raised where such code is; nothing that catches exceptions by habit catches it."""


class Watchdog:
    """Looks every TICK_S whether the same step of a guarded task goes on, as long as there is one."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._guarded: Set[Optional[Task]] = set()
        self._seen_steps = -1

    def guard(self, task: Optional[Task]) -> None:
        """Watch the steps of a task."""
        if not self._guarded:
            signals.handle(signals.ALRM, self._look)
            signals.ring_every(TICK_S)
        self._guarded.add(task)

    def release(self, task: Optional[Task]) -> None:
        """Watch them no more."""
        self._guarded.discard(task)
        if not self._guarded:
            signals.ring_every(0)

    def _look(self, _number: int, _frame: object) -> None:
        task = self._kernel.stepping
        if task is not None and task in self._guarded and self._kernel.steps == self._seen_steps:
            raise HeldUp
        self._seen_steps = self._kernel.steps
