"""What a page tells of one instance: why, its attempts, what each was given and gave, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from octogram_tui.export.account import Account, attempts_of
from octogram_tui.export.markup import output_html, value_text
from octogram_tui.export.outputs import NOTHING, Output
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, Group, InstanceRow
from octogram_tui.projection.value_text import stamp
from octogram_tui.report.phrases import duration

SHORT = 90


class Named(NamedTuple):
    """A value by its name, over lines; is_short: it fits beside the name."""

    name: str
    text: str
    note: str = ""

    @property
    def is_short(self) -> bool:
        """Whether it fits beside the name."""
        return len(self.text) <= SHORT and "\n" not in self.text


class Written(NamedTuple):
    """Output as HTML. is_withheld: the page has no room for it."""

    head: Markup
    left_out: int
    tail: Markup
    lines: int
    is_withheld: bool = False


class AttemptView(NamedTuple):
    """One attempt."""

    number: int
    why: str
    state: State
    began: str
    took: str
    cause: str
    kind: str
    hint: str
    reason: str
    detail: list[Named]
    arguments: list[Named]
    result: list[Named]
    written: Written


class Entry(NamedTuple):
    """One instance. is_calm: its name says all that most want to know."""

    number: int
    row: InstanceRow
    state: State
    took: str
    message: str
    attempts: list[AttemptView]
    is_calm: bool


class JobEntries(NamedTuple):
    """Those of a job. left_out: how many are not told of."""

    stage: Group
    job: Group
    rows: list[tuple[InstanceRow, int]]
    left_out: int
    is_first: bool


class Entries:
    """Makes them one by one, as the page is written. log_bytes: for all output; what comes later has none."""

    def __init__(self, account: Account, numbers: dict[InstanceRow, int], log_bytes: int) -> None:
        self._account = account
        self._numbers = numbers
        self._room = self._shares(log_bytes)
        self.withheld = 0

    def _shares(self, log_bytes: int) -> set[tuple[Any, int]] | None:
        """Choose whose output is told, the most telling first; None: of all."""
        sizes: list[tuple[int, int, tuple[Any, int], int]] = []
        for row, number in self._numbers.items():
            for attempt in attempts_of(row):
                rank = 0 if attempt.failure is not None or row.state in _TELLING else 1
                size = self._account.outputs.of((row.key, attempt.number)).size_bytes
                sizes.append((rank, number, (row.key, attempt.number), size))
        if sum(size for *_, size in sizes) <= log_bytes:
            return None
        told = set()
        for *_, key, size in sorted(sizes, key=lambda each: each[:2]):
            if size <= log_bytes:
                log_bytes -= size
                told.add(key)
        return told

    def jobs(self) -> Iterator[JobEntries]:
        """Give the jobs in order, each with its rows."""
        by_job: dict[Any, list[tuple[InstanceRow, int]]] = {}
        for row, number in self._numbers.items():
            by_job.setdefault(row.job.key, []).append((row, number))
        for stage in self._account.board.stages:
            is_first = True
            for job in stage.children:
                if isinstance(job, Group) and job.known:
                    # What is told in a line of its own comes first, and leaves the others side by side.
                    rows = sorted(by_job.get(job.key, []), key=lambda each: _is_calm(each[0]))
                    yield JobEntries(stage, job, rows, max(0, sum(1 for _ in job.below()) - len(rows)), is_first)
                    is_first = False

    def entry(self, row: InstanceRow, number: int) -> Entry:
        """Tell of one."""
        took = row.duration_s(self._account.end_s)
        attempts = [self._attempt(row, attempt) for attempt in reversed(attempts_of(row))]
        return Entry(
            number, row, row.state, "" if took is None else duration(took), row.message, attempts, _is_calm(row)
        )

    def _attempt(self, row: InstanceRow, attempt: AttemptRow) -> AttemptView:
        given = self._account.given(row.key, attempt.number)
        failure = attempt.failure
        edited = set(attempt.reading.edited)
        arguments = [
            Named(name, value_text(value), "given by the operator" if name in edited else "")
            for name, value in (given.arguments or {}).items()
        ]
        written = self._written(row, attempt)
        result = dict(given.result) if isinstance(given.result, dict) else {"result": given.result}
        if written.lines:
            for name in ("stdout", "stderr"):  # the same once more
                result.pop(name, None)
        detail = {} if failure is None else dict(failure.detail)
        detail.pop("last_lines", None)  # they are in the output
        argv = detail.get("argv")
        if isinstance(argv, list) and argv and argv[-1] in (given.arguments or {}).values():
            del detail["argv"]  # a shell, and the script that stands above
        state = row.state if attempt is row.last else attempt.state
        return AttemptView(
            attempt.number,
            attempt.why,
            state,
            stamp(attempt.started_s),
            duration(attempt.duration_s if attempt.ended_seq else self._account.end_s - attempt.started_s),
            "" if failure is None else str(cause_of(failure)),
            "" if failure is None else failure.kind,
            "" if failure is None else failure.hint,
            attempt.reason,
            [Named(name, value_text(value)) for name, value in detail.items() if result.get(name) != value],
            arguments,
            [Named(name, value_text(value)) for name, value in result.items() if not _is_empty(value)],
            written,
        )

    def _written(self, row: InstanceRow, attempt: AttemptRow) -> Written:
        key = (row.key, attempt.number)
        output = self._account.outputs.of(key)
        if output is NOTHING and attempt.failure is not None:
            return NOT_WRITTEN
        if self._room is not None and key not in self._room:
            self.withheld += 1
            return NOT_WRITTEN._replace(is_withheld=output is not NOTHING)
        return written_of(output)


def _is_calm(row: InstanceRow) -> bool:
    return row.state in _QUIET and not row.earlier


def _is_empty(value: Any) -> bool:
    return value in (None, {}, []) or (isinstance(value, str) and not value.strip())


NOT_WRITTEN = Written(Markup(""), 0, Markup(""), 0)
_QUIET = (State.OK, State.SKIPPED, State.CANCELLED, State.PENDING)
_TELLING = (State.FAILED, State.LOST, State.TOLERATED, State.RUNNING, State.HELD, State.RETRYING)


def written_of(output: Output) -> Written:
    """Write an output as HTML."""
    count = len(output.head) + output.left_out + len(output.tail)
    return Written(output_html(output.head), output.left_out, output_html(output.tail), count)
