"""Attempts over time, in lanes: what overlaps on one agent stands in another lane."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from octogram_tui.export.account import Account, attempts_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, InstanceRow

SLACK_S = 0.01
"""An agent begins what comes next by itself, before the run was told of the end: so much is no overlap."""


class Stay(NamedTuple):
    """One attempt, from when to when, in which lane of its group (0 is the first)."""

    start_s: float
    end_s: float
    lane: int
    row: InstanceRow
    attempt: AttemptRow

    @property
    def state(self) -> State:
        """How it ended: of the latest attempt as its instance stands."""
        return self.row.state if self.attempt is self.row.last else self.attempt.state


def lanes_of(account: Account, rows: Iterable[InstanceRow]) -> list[Stay]:
    """Give the attempts of some instances by their beginnings, each in the first lane that is free then."""
    found = [
        (attempt.started_s, account.ended_s(row, attempt), place, row, attempt)
        for place, row in enumerate(rows)
        for attempt in attempts_of(row)
        if attempt.state is not State.PENDING and ran(attempt)
    ]
    found.sort(key=lambda each: each[:3])
    busy: list[tuple[float, int]] = []  # until when, and which lane
    free: list[int] = []
    latest: list[int] = []  # of each lane
    stays: list[Stay] = []
    for start_s, end_s, _, row, attempt in found:
        while busy and busy[0][0] <= start_s + SLACK_S:
            heappush(free, heappop(busy)[1])
        lane = heappop(free) if free else len(latest)
        if lane == len(latest):
            latest.append(-1)
        elif stays[latest[lane]].end_s > start_s:
            stays[latest[lane]] = stays[latest[lane]]._replace(end_s=max(stays[latest[lane]].start_s, start_s))
        latest[lane] = len(stays)
        heappush(busy, (end_s, lane))
        stays.append(Stay(start_s, end_s, lane, row, attempt))
    return stays


def ran(attempt: AttemptRow) -> bool:
    """Tell whether an attempt was sent at all: one that could not be expanded has neither a beginning nor a length."""
    return attempt.seq != attempt.ended_seq
