"""Which instances of a run a page tells of in full: those that somebody looks for first, and as many as it may."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest

from octogram_tui.export.account import Account
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow

_RANKS = {
    State.FAILED: 0,
    State.LOST: 0,
    State.RUNNING: 1,
    State.HELD: 1,
    State.RETRYING: 1,
    State.TOLERATED: 2,
    State.STALE: 3,
    State.CANCELLED: 6,
    State.SKIPPED: 6,
    State.PENDING: 7,
}


def in_order(account: Account) -> Iterator[InstanceRow]:
    """Go through all instances in the order of the plan, those of a job as agents are counted."""
    orders = {agent.name: agent.order for agent in account.board.agents.values()}
    for stage in account.board.stages:
        for job in stage.children:
            if isinstance(job, Group):
                yield from sorted(job.below(), key=lambda row: orders.get(row.agent, len(orders)))


def chosen(account: Account, most: int) -> dict[InstanceRow, int]:
    """Choose so many, and number them in the order of the plan.

    The first of each cause go first, then what failed, what has not ended, what was tried again, what took long.
    """
    firsts = {
        id(account.board.instances.get(cluster.first.struck.instance))
        for cluster in account.summary.clusters.all
        if cluster.first.struck.instance is not None
    }
    slow = {slow.instance for slow in account.summary.slowest}
    rows = list(in_order(account))

    def rank(place: int) -> tuple[int, int]:
        row = rows[place]
        if id(row) in firsts:
            return -1, place
        found = _RANKS.get(row.state)
        if found is None:
            found = 4 if row.earlier or row.key in slow else 5
        return found, place

    places = range(len(rows)) if len(rows) <= most else sorted(nsmallest(most, range(len(rows)), key=rank))
    return {rows[place]: number for number, place in enumerate(places, 1)}
