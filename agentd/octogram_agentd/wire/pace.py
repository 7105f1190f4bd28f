"""How much log text may be under way: little at first, more as long as what is sent is quickly taken.

What is under way stands in line before results, in the buffers of whatever leads to the orchestrator. How long it
stands there shows in the time between sending and being told that it was taken; what that takes at least is the way
itself. Knows no clock.
"""

from __future__ import annotations

LEAST_BYTES = 16 * 1024
MOST_BYTES = 2 << 20
QUICK_S = 0.5  # of standing in line: there is room for more
LONG_S = 1.0


class Pace:
    """The amount for one connection. least_bytes: below which it never goes."""

    def __init__(self, least_bytes: int = LEAST_BYTES) -> None:
        self.window_bytes = least_bytes
        self._least_bytes = least_bytes
        self._way_s = float("inf")  # the shortest time from sending to taking
        self._since_s = 0.0  # when it was last made smaller

    def took(self, size_bytes: int, sent_s: float, now_s: float, was_full: bool) -> None:
        """So much was taken, the last of it sent then. was_full: more would have been sent, had it been allowed."""
        took_s = now_s - sent_s
        self._way_s = min(self._way_s, took_s)
        stood_s = took_s - self._way_s
        if stood_s > LONG_S:
            if sent_s >= self._since_s:  # what was sent before stood behind the larger amount
                self._since_s = now_s
                self.window_bytes = max(self._least_bytes, int(self.window_bytes * max(0.25, LONG_S / stood_s)))
        elif stood_s < QUICK_S and was_full:
            self.window_bytes = min(MOST_BYTES, self.window_bytes + size_bytes)
