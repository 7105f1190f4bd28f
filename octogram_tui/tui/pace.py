"""How often the console draws while events come: thirty times a second, less where a frame takes long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FRAME_S = 1 / 30
LONGEST_S = 1 / 8
"""However long a frame takes, one is drawn so often."""
DRAWING_SHARE = 0.15
"""No more of a core goes into frames than this, as far as LONGEST_S allows."""
SMOOTHING = 0.25


class Pace:
    """Watches what frames cost. cpu_s: the CPU that this thread has taken."""

    def __init__(self, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._cpu_s = cpu_s
        self._since_s = 0.0  # what went into drawing since the last frame was begun
        self.frame_cpu_s = 0.0  # what a frame takes lately
        self._depth = 0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Count what is done meanwhile as drawing."""
        began_s = self._cpu_s()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._since_s += self._cpu_s() - began_s

    def next_frame(self) -> float:
        """Begin another frame; gives how long after it the next should be begun."""
        self.frame_cpu_s += (self._since_s - self.frame_cpu_s) * SMOOTHING
        self._since_s = 0.0
        return min(LONGEST_S, max(FRAME_S, self.frame_cpu_s / DRAWING_SHARE))
