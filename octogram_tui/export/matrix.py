"""Agents and jobs as a table: what became of each job on each agent. Of very many agents those alike are one line."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from octogram_tui.export.account import Account
from octogram_tui.export.bounds import CELLS, SAME_CELLS
from octogram_tui.projection.row_states import State, loudest, new_tally, quietest
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, RowKey

_LOUD = (State.FAILED, State.LOST, State.HELD, State.RUNNING, State.RETRYING, State.TOLERATED, State.STALE)
NAMED = 4


class Cell(NamedTuple):
    """What became of a job on an agent. size: of how many instances; row: the one to look at."""

    state: State
    size: int
    row: InstanceRow


class MatrixLine(NamedTuple):
    """An agent, or several that are alike, and a cell for each job; None where it has no part in one."""

    names: list[str]
    cells: list[Cell | None]

    @property
    def label(self) -> str:
        """Name them, not all of many."""
        more = len(self.names) - NAMED
        return ", ".join(self.names) if more <= 0 else f"{', '.join(self.names[:NAMED])} and {more} more"


class Matrix(NamedTuple):
    """The table. stages: with the jobs that are columns; left_out: agents that have no line, for there are too many."""

    stages: list[tuple[Group, list[Group]]]
    lines: list[MatrixLine]
    left_out: int
    are_grouped: bool


def matrix_of(account: Account) -> Matrix:
    """Lay the table out."""
    stages = [
        (stage, jobs)
        for stage in account.board.stages
        if (jobs := [job for job in stage.children if isinstance(job, Group)])
    ]
    columns = {job.key: place for place, job in enumerate(job for _, jobs in stages for job in jobs)}
    agents = sorted(account.board.agents.values(), key=lambda agent: agent.order)
    lines = [MatrixLine([agent.name], _cells(agent, columns)) for agent in agents]
    are_grouped = len(lines) * len(columns) > SAME_CELLS
    if are_grouped:
        lines = _grouped(lines)
    most = max(1, CELLS // max(1, len(columns)))
    left_out = sum(len(line.names) for line in lines[most:])
    return Matrix(stages, lines[:most], left_out, are_grouped)


def _cells(agent: AgentRow, columns: dict[RowKey, int]) -> list[Cell | None]:
    found: list[list[InstanceRow]] = [[] for _ in columns]
    for row in agent.instances:
        place = columns.get(row.job.key)
        if place is not None:
            found[place].append(row)
    return [_cell(rows) if rows else None for rows in found]


def _cell(rows: list[InstanceRow]) -> Cell:
    tally = new_tally()
    for row in rows:
        tally[row.state] += 1
    state = loudest(tally)
    if state is None:
        state = State.TOLERATED if tally[State.TOLERATED] else quietest(tally)
    return Cell(state, len(rows), next((row for row in rows if row.state is state), rows[0]))


def _grouped(lines: list[MatrixLine]) -> list[MatrixLine]:
    """Put agents that have the same states together; those where something went wrong come first, the rarest first."""
    groups: dict[tuple[State | None, ...], MatrixLine] = {}
    for line in lines:
        key = tuple(None if cell is None else cell.state for cell in line.cells)
        if key in groups:
            groups[key].names.extend(line.names)
        else:
            groups[key] = line
    return sorted(groups.values(), key=lambda line: (_loudness(line), len(line.names)))


def _loudness(line: MatrixLine) -> int:
    states = Counter(cell.state for cell in line.cells if cell is not None)
    return next((place for place, state in enumerate(_LOUD) if states[state]), len(_LOUD))
