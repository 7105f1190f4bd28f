"""Which row is meant by what somebody typed: its whole name, or as much of it as no other row has."""

from __future__ import annotations

from collections.abc import Sequence

from octogram_tui.cuts import quoted
from octogram_tui.errors import UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.tui.model import Model, most_telling

HERE = "."
"""Stands for the row that the run is at."""
NAMED = 4


def find_row(text: str, model: Model) -> Row:
    """Find a row by its name, by a part of it, or by an agent's name: what that agent is at. Raises UsageError."""
    board = model.board
    if text in ("", HERE):
        row = model.focus_row()
        if row is None:
            raise UsageError("nothing has run yet: name a row", hint="`list` shows them")
        return row
    exact = exact_row(text, model)
    if exact is not None:
        return exact
    stage = board.current_stage
    agent = text.removeprefix("@")
    if agent in board.agents:
        found = most_telling(stage, agent) if stage is not None else None
        if found is None:
            raise UsageError(f"agent {agent} has no part in the stage that runs: name a row")
        return found
    return _one_of([row for row in every_row(model) if text.lower() in row.full_name.lower()], text)


def exact_row(text: str, model: Model) -> Row | None:
    """Find the row that has this very name, or a stage or job that the scenario calls so."""
    board = model.board
    for job in [job for stage in board.stages for job in stage.children if isinstance(job, Group)]:
        board.reveal(job)
    return next((row for row in every_row(model) if text in (row.full_name, _plain(row))), None)


def find_instance(text: str, model: Model) -> InstanceId:
    """Find one instance; one that is still to come by its whole name. Raises UsageError."""
    try:
        row = find_row(text, model)
    except UsageError:
        try:
            return InstanceId.parse(text)
        except ValueError:
            pass
        raise
    if isinstance(row, InstanceRow):
        return row.key
    return _only(row, text).key


def every_row(model: Model) -> list[Row]:
    """Give all rows that are known, each stage before its jobs."""
    rows: list[Row] = []
    for stage in model.board.stages:
        rows.append(stage)
        for job in stage.children:
            rows.append(job)
            if isinstance(job, Group):
                rows += job.below()
    return rows


def _plain(row: Row) -> str:
    """Name a stage or a job as the scenario does."""
    return row.name if isinstance(row, Group) and row.kind is not Kind.AGENT else ""


def _only(row: Group, text: str) -> InstanceRow:
    """Give the one instance of a group that is meant: it has no other, or no other failed."""
    rows = list(row.below())
    loud = [each for each in rows if each.cause is not None] or rows
    return _instance(_one_of(loud, text or row.full_name))


def _instance(row: Row) -> InstanceRow:
    assert isinstance(row, InstanceRow)
    return row


def _one_of(rows: Sequence[Row], text: str) -> Row:
    if not rows:
        raise UsageError(
            f"there is no row {quoted(text, 60)}", hint="`list` shows the rows, `where` those that matter now"
        )
    if len(rows) > 1 and len({row.full_name for row in rows}) > 1:
        names = ", ".join(row.full_name for row in rows[:NAMED])
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        raise UsageError(f"{quoted(text, 60)} may be {names}{more}", hint="write more of the name")
    return rows[0]
