"""Takes log lines from all agents in slices, so that a flood leaves room in each turn of the event loop.

Only log lines wait, and what an agent says last: whatever else it says goes past them, as it does on the agent's side.
How much may wait is bounded by the credit for log lines; with more than any has, it is taken, and judged, at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

SLICE_BYTES = 256 * 1024  # of a turn of the loop
PART_BYTES = 64 * 1024  # of one agent, before it is the next one's turn
MOST_WAITING_BYTES = 4 << 20  # of one agent: more than it ever has credit for
LATE = (b'{"t":"output"', b'{"t":"stopped"')
"""What lines that may wait begin with, as daemons write them."""


class Queue:
    """The lines of one agent that wait. take: takes lines."""

    def __init__(self, intake: Intake, take: Callable[[list[bytes]], None]) -> None:
        self.take = take
        self.size_bytes = 0
        self._intake = intake
        self._waiting: deque[bytes] = deque()

    def sift(self, lines: list[bytes]) -> list[bytes]:
        """Give those of the lines that are to be taken at once; the others are taken in some later turn."""
        if not self._waiting and self._intake.admits(sum(map(len, lines))):
            return lines
        now = []
        was_waiting = bool(self._waiting)
        for line in lines:
            if line.startswith(LATE):
                self._waiting.append(line)
                self.size_bytes += len(line)
            else:
                now.append(line)
        if self.size_bytes > MOST_WAITING_BYTES:
            return now + self.part(self.size_bytes)
        if self._waiting and not was_waiting:
            self._intake.enqueue(self)
        return now

    def part(self, size_bytes: int) -> list[bytes]:
        """Take out so much, or a little more."""
        lines = []
        while self._waiting and size_bytes > 0:
            lines.append(self._waiting.popleft())
            size_bytes -= len(lines[-1])
            self.size_bytes -= len(lines[-1])
        return lines

    def finish(self) -> None:
        """Have all taken that waits: nothing comes after it."""
        lines = self.part(self.size_bytes)
        if lines:
            self.take(lines)


class Intake:
    """That of one run."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._left_bytes = SLICE_BYTES
        self._is_due = False
        self._queues: deque[Queue] = deque()

    def admits(self, size_bytes: int) -> bool:
        """Whether lines that just came can be taken in this turn."""
        had_room = self._left_bytes > 0
        self._left_bytes -= size_bytes
        if self._left_bytes < SLICE_BYTES // 2:  # else there is enough for this turn and for the next
            self._plan()
        return had_room

    def enqueue(self, queue: Queue) -> None:
        """Let one have its turn."""
        self._queues.append(queue)
        self._plan()

    def _plan(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Begin a slice: it is first for those who wait, a part of each."""
        self._is_due = False
        self._left_bytes = SLICE_BYTES
        while self._queues and self._left_bytes > 0:
            queue = self._queues.popleft()
            before_bytes = queue.size_bytes
            lines = queue.part(PART_BYTES)
            self._left_bytes -= before_bytes - queue.size_bytes
            if queue.size_bytes:
                self._queues.append(queue)
            if lines:
                queue.take(lines)
        if self._queues:
            self._plan()
