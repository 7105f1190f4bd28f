"""What a page tells of failures that have one cause: the first of them, what it wrote last, and whom else it struck."""

from __future__ import annotations

from typing import Any, NamedTuple

from octogram_tui.export.account import Account
from octogram_tui.export.bounds import CLUSTER_NAMES
from octogram_tui.export.entries import NOT_WRITTEN, Written, written_of
from octogram_tui.export.outputs import Line, Output, line_within
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import name_of
from octogram_tui.projection.clusters import Cluster
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.projection.summary import FailureNote
from octogram_tui.projection.value_text import stamp

TAIL_LINES = 20
ERROR_LINES = 6


class ClusterView(NamedTuple):
    """Failures of one cause. place: stage and job; struck: names, and the numbers of their rows, 0 for none."""

    title: str
    place: str
    text: str
    status: str
    kind: str
    hint: str
    size: int
    struck: list[tuple[str, int]]
    more: int
    line: int
    at: str
    written: Written
    row: int
    is_tolerated: bool


def cluster_view(account: Account, cluster: Cluster[FailureNote], numbers: dict[InstanceRow, int]) -> ClusterView:
    """Tell of one. numbers: of the rows that the page tells of."""
    member = cluster.first
    note = member.struck
    struck = [(each.short, _number(account, each, numbers)) for each in cluster.struck[:CLUSTER_NAMES]]
    job = account.board.jobs.get(note.instance[:2]) if note.instance is not None else None
    return ClusterView(
        note.where,
        name_of(*note.instance[:2]) if note.instance is not None else "agents",
        member.cause.text,
        member.cause.status,
        note.failure.kind,
        note.failure.hint,
        len(cluster),
        struck,
        max(0, len(cluster) - CLUSTER_NAMES),
        job.line if job is not None else 0,
        stamp(note.at_s),
        _last_lines(account, note),
        struck[0][1],
        note.is_tolerated,
    )


def _number(account: Account, note: FailureNote, numbers: dict[InstanceRow, int]) -> int:
    row = account.board.instances.get(note.instance) if note.instance is not None else None
    return numbers.get(row, 0) if row is not None else 0


def _last_lines(account: Account, note: FailureNote) -> Written:
    """Give the end of what the first one wrote, which is what one looks for."""
    if note.instance is None:
        return NOT_WRITTEN
    output = account.outputs.of((note.instance, note.attempt))
    every = [*output.head, *output.tail]
    if not every:
        return _told_lines(note.failure)
    # Both streams come apart: what it said of its failure may stand before the rest of what it printed.
    tail = [*every[-TAIL_LINES:]]
    errors = [line for line in every[:-TAIL_LINES] if line.stream == "stderr"][-ERROR_LINES:]
    errors = errors if not any(line.stream == "stderr" for line in tail) else []
    left_out = len(every) + output.left_out - len(tail) - len(errors)
    return written_of(Output(errors, left_out, tail))


def _told_lines(failure: Failure) -> Written:
    """Give the lines that a failure carries itself."""
    last, traceback = failure.detail.get("last_lines"), failure.detail.get("traceback")
    lines: list[Any] = traceback.splitlines() if isinstance(traceback, str) else last if isinstance(last, list) else []
    told = [Line(0.0, "stderr", line_within(str(line))) for line in lines[-TAIL_LINES:]]
    return written_of(Output([], 0, told))
