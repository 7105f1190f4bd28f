"""How much of a plan a pattern is about, as far as the plan is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.board import Board
from octogram_tui.projection.rows import Group


class Reach(NamedTuple):
    """Jobs and the agents that there are of those that are meant. Items are only known when their job starts."""

    jobs: int = 0
    agents: int = 0

    def __bool__(self) -> bool:
        return bool(self.jobs and self.agents)


def reach_of(board: Board, pattern: Pattern) -> Reach:
    """Say how much a pattern is about; nothing, where no job or no agent fits."""
    jobs = list(jobs_of(board, pattern))
    names = (
        list(board.agents) if pattern.agent else list(dict.fromkeys(name for job in jobs for name in job.stage.agents))
    )
    return Reach(len(jobs), sum(map(pattern.matches_agent, names or board.agents)))


def jobs_of(board: Board, pattern: Pattern) -> Iterator[Group]:
    """Give the jobs that a pattern is about, whatever it says of agents and items."""
    for stage in board.stages:
        if not stage.is_gone:
            for job in stage.children:
                if isinstance(job, Group) and not job.is_gone and pattern.matches_job(stage.name, job.name):
                    yield job
