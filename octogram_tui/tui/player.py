"""Plays a run: time passes as it did, or faster, and at the end of what is known it is over."""

from __future__ import annotations

import time
from typing import NamedTuple

from octogram_tui.tui.time_line import TimeLine

SPEEDS = (1.0, 2.0, 10.0, 100.0, 0.0)
"""How many times as fast as it went; 0: as fast as it can be shown."""
BUDGET_S = 0.03
"""At full speed, so long is folded before it is drawn."""


class Opening(NamedTuple):
    """How a replay opens. at: the moment that is shown first; speed: it plays from there, or from the start."""

    at: str = ""
    speed: float | None = None


class Player:
    """Moves a time line on while it plays."""

    def __init__(self, line: TimeLine, speed: float = 1.0) -> None:
        self.is_playing = False
        self.speed = speed
        self._line = line
        self._at_s = 0.0  # where it is in the run's time, between two events

    @property
    def speed_text(self) -> str:
        """Say how fast."""
        return f"{self.speed:g}x" if self.speed else "at full speed"

    def next_speed(self) -> None:
        """Take the next speed, after the last the first."""
        faster = [speed for speed in SPEEDS if speed > self.speed > 0]
        self.speed = faster[0] if faster else 0.0 if self.speed else SPEEDS[0]

    def start(self) -> None:
        """Play on from the moment that is looked at."""
        self.is_playing = True
        self._at_s = self._line.shown.at_s

    def stop(self) -> None:
        """Stay at the moment that is looked at."""
        self.is_playing = False

    def advance(self, seconds: float) -> bool:
        """Let time pass; says whether another moment is shown."""
        if not self.is_playing:
            return False
        line = self._line
        if not line.is_back:
            self.stop()
            return True
        if not self.speed:
            return self._as_fast_as_can_be()
        self._at_s = max(self._at_s, line.shown.at_s) + seconds * self.speed
        if self._at_s >= line.head.at_s:
            line.go_to_head()
            self.stop()
            return True
        return line.go_to(max(line.shown.seq, line.seq_at(self._at_s)))

    def _as_fast_as_can_be(self) -> bool:
        deadline_s = time.monotonic() + BUDGET_S
        by, line = 1, self._line
        while line.is_back and time.monotonic() < deadline_s:
            line.step(by)
            by = min(by * 2, 256)
        return True
