"""Keeps the collector of garbage from going through the whole of what is known of a run, again and again.

A full collection looks at every object: with a million of them the console stands still for a tenth of a second. What a
run leaves in the folds stays to its end, so it is set apart, some at a time, once it is certain that it is no garbage.
"""

from __future__ import annotations

import gc

EVERY_EVENTS = 2_500


class KeptObjects:
    """Sets apart what there is."""

    def __init__(self, every_events: int = EVERY_EVENTS) -> None:
        self._every_events = every_events
        self._events = 0
        self.count = 0  # how often

    def came(self, events: int, *, are_settled: bool) -> None:
        """Take note of events. are_settled: no other moment is looked at, whose folds may be garbage soon."""
        self._events += events
        if self._events < self._every_events or not are_settled:
            return
        self._events = 0
        self.count += 1
        gc.collect()  # what is garbage now would never be found again
        gc.freeze()
