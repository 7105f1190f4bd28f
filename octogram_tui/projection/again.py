"""What can be done again from where one is: each choice with its request, and what it would run, counted beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from octogram_tui.engine.stimuli import Inputs, RerunAllRequest, RerunRequest
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row

_UNDER_WAY = (State.RUNNING, State.RETRYING)
_NOT_RUN = (State.PENDING, State.HELD)


class Choice(NamedTuple):
    """One way to run something again. key: what chooses it; name: its word; says: of what.

    instances, agents: how many run again, and where. under_way: how many run right now, and so cannot.
    """

    key: str
    name: str
    says: str
    request: RerunRequest | RerunAllRequest
    instances: int
    agents: int
    under_way: int = 0


def choices(board: Board, row: Row | None, inputs: Inputs = "now") -> list[Choice]:
    """List what can be run again of a row, the nearest first, and of the whole run. What would run nothing is not."""
    found = list(_of_row(row, inputs)) if row is not None and not _is_gone(row) else []
    failed = list(board.undecided.values())
    stale = [each for stage in board.stages for each in _in(stage, State.STALE)]
    found.append(_choice("f", "failed", "all that stands failed", RerunAllRequest("failed", inputs=inputs), failed))
    found.append(_choice("t", "stale", "all that is stale", RerunAllRequest("stale", inputs=inputs), stale))
    if row is not None and not _is_gone(row):
        found.append(from_here(board, row, inputs))
    return [choice for choice in found if choice.instances or choice.under_way]


def _of_row(row: Row, inputs: Inputs) -> Iterable[Choice]:
    stage = row.stage
    job = row.job if isinstance(row, InstanceRow) else None if row.kind is Kind.STAGE else _job_of(row)
    if isinstance(row, InstanceRow):
        request = RerunRequest(stage.name, row.job.name, row.agent, row.key, inputs=inputs)
        word = "item" if row.parent.kind is Kind.AGENT else "row"
        item = f" [{row.label}]" if word == "item" else ""
        yield _choice("i", word, f"{row.job.name} @ {row.agent}{item}", request, [row])
    if job is not None and row.agent and job.has_items:
        items = [each for each in job.below() if each.agent == row.agent]
        request = RerunRequest(stage.name, job.name, row.agent, inputs=inputs)
        yield _choice("m", "items", f"all items of {job.name} on {row.agent}", request, items)
    if job is not None:
        request = RerunRequest(stage.name, job.name, inputs=inputs)
        yield _choice("j", "job", f"{job.name}, on all its agents", request, job.below())
    if row.agent:
        lane = [each for each in stage.below() if each.agent == row.agent]
        request = RerunRequest(stage.name, "", row.agent, inputs=inputs)
        yield _choice("g", "agent", f"all of {stage.name} on {row.agent}", request, lane)
    yield _choice("s", "stage", f"all of {stage.name}", RerunRequest(stage.name, inputs=inputs), stage.below())


def from_here(board: Board, row: Row, inputs: Inputs = "now") -> Choice:
    """Give the choice of a row and of what came after it, on the same agents."""
    stage = row.stage
    first = row if isinstance(row, Group) and row.kind is Kind.STAGE else _job_of(row)
    job = "" if first.kind is Kind.STAGE else first.name
    only = row.key if isinstance(row, InstanceRow) else None
    request = RerunRequest(stage.name, job, row.agent, only, inputs=inputs, from_here=True)
    rows: list[InstanceRow] = []
    has_begun = False
    for each in board.stages:
        for group in each.children:
            if not isinstance(group, Group) or group.is_gone:
                continue
            is_first = group is first or each is first
            has_begun = has_begun or is_first
            if has_begun:
                there = group.below() if only is None or not is_first else [board.instances[only]]
                rows += (one for one in there if row.agent in ("", one.agent))
    where = f" on {row.agent}" if row.agent else ""
    return _choice("h", "from here", f"{first.name}{where}, and all after it", request, rows)


def _choice(
    key: str, name: str, says: str, request: RerunRequest | RerunAllRequest, rows: Iterable[InstanceRow]
) -> Choice:
    ran = [row for row in rows if row.state not in _NOT_RUN or row.last is not None]
    free = [row for row in ran if row.state not in _UNDER_WAY]
    return Choice(key, name, says, request, len(free), len({row.agent for row in free}), len(ran) - len(free))


def _job_of(row: Row) -> Group:
    return row.job if isinstance(row, InstanceRow) else row.above if row.kind is Kind.AGENT else row


def _in(group: Group, state: State) -> Iterable[InstanceRow]:
    """Give the instances below that are in a state, and look only where there are some."""
    return (each for each in group.below() if each.state is state) if group.tally[state] else ()


def _is_gone(row: Row) -> bool:
    group: Group | None = _job_of(row) if row.kind is not Kind.STAGE else row.stage
    while group is not None:
        if group.is_gone:
            return True
        group = group.parent
    return False
