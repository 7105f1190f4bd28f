"""When a run stood still: nothing was in flight, and nothing could begin until somebody acted. That is no work time."""

from __future__ import annotations

from bisect import bisect_right


class Standstill:
    """The stretches of time, in order; how much of any stretch they cover is found without going through them."""

    __slots__ = ("_ended_s", "_open_s", "_starts", "_sums")

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._sums: list[float] = [0.0]  # how long it stood still before each start, and in all
        self._ended_s = 0.0  # the end of the latest that is over
        self._open_s: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether it stands still now."""
        return self._open_s is not None

    def set(self, stands: bool, at_s: float) -> None:
        """Say whether it stands still from now on."""
        if stands and self._open_s is None:
            self._open_s = max(at_s, self._ended_s)
        elif not stands and self._open_s is not None:
            self._starts.append(self._open_s)
            self._ended_s = max(at_s, self._open_s)
            self._sums.append(self._sums[-1] + self._ended_s - self._open_s)
            self._open_s = None

    def before(self, at_s: float) -> float:
        """Say how many seconds it stood still before a moment."""
        if self._open_s is not None and at_s > self._open_s:
            return self._sums[-1] + at_s - self._open_s
        place = bisect_right(self._starts, at_s)
        if not place:
            return 0.0
        start_s, before_s = self._starts[place - 1], self._sums[place - 1]
        return min(self._sums[place], before_s + at_s - start_s)

    def worked(self, start_s: float, end_s: float) -> float:
        """Say how many seconds of a stretch it did not stand still."""
        return max(0.0, end_s - start_s - (self.before(end_s) - self.before(start_s)))
