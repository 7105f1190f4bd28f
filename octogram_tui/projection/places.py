"""Rows of the plan as patterns, and back: what a breakpoint or a step names, and which rows a pattern is about."""

from __future__ import annotations

from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Kind, Row


def pattern_of(row: Row | AgentRow) -> str:
    """Write the pattern that means a row, and no other: a stage, a job, a job on an agent, an instance, an agent."""
    if isinstance(row, AgentRow):
        return str(Pattern.of("", agent=row.name))
    return str(Pattern.of(*row.key))


def is_about(pattern: Pattern, row: Row) -> bool:
    """Whether a row is what a pattern names, or holds it: the row at which one looks for it.

    What has no part of its own that says so (`*`, `@node_7`) is about no row: it would be about all of them.
    """
    if not pattern.stage and not pattern.job:
        return False
    if not pattern.matches_stage(row.stage.name):
        return False
    if isinstance(row, Group) and row.kind is Kind.STAGE:
        return not pattern.job
    job = row.job if isinstance(row, InstanceRow) else row.above if row.kind is Kind.AGENT else row
    if not pattern.job or not pattern.matches_job(row.stage.name, job.name):
        return False
    if row is job:
        return True
    if not pattern.agent and pattern.item is None:
        return False
    if not pattern.matches_agent(row.agent):
        return False
    return not isinstance(row, InstanceRow) or row.key.item is None or pattern.matches(row.key)
