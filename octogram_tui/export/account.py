"""All that an export tells of a run, folded from its events in one pass."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.export.bounds import Bounds
from octogram_tui.export.deeds import Deeds
from octogram_tui.export.outputs import Outputs
from octogram_tui.export.recorded import Recorded
from octogram_tui.export.store import Place, Store
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.projection.board import Board
from octogram_tui.projection.breakpoints import BreakpointList
from octogram_tui.projection.rows import AttemptRow, InstanceRow
from octogram_tui.projection.summary import Summary
from octogram_tui.projection.timeline import Timeline
from octogram_tui.projection.variables import Variables

if TYPE_CHECKING:
    from octogram_tui.report.document import Document

MOST_LOADS = 100_000


class Given(NamedTuple):
    """What an attempt was given, and what it gave."""

    arguments: dict[str, Value] | None
    result: Value
    procedure: str


NOT_GIVEN = Given(None, None, "")


class _Board(Board):
    """What attempts were given and gave is in the store, all of it."""

    def _keep_detail(self, attempt: AttemptRow) -> None:
        attempt.let_go()


class Account:
    """The folds of a run. keeps: what is given to attempts, and their output, is remembered too.

    report: what tells of it as the run itself does, where that is wanted
    """

    def __init__(self, bounds: Bounds, *, keeps: bool = True, report: Document | None = None) -> None:
        self.report = report
        self.board: Board = _Board()
        self.summary = Summary()
        self.timeline = Timeline()
        self.variables = Variables()
        self.breakpoints = BreakpointList()
        self.deeds = Deeds()
        self.loads: list[ev.AgentLoad] = []
        self.begun: ev.RunStarted | None = None
        self.finished: ev.RunFinished | None = None
        self.now_s = 0.0  # of a run that goes on: when it was looked at
        self.store = Store()
        self.outputs = Outputs(self.store, bounds)
        self._keeps = keeps
        self.ended: dict[tuple[InstanceId, int], float] = {}  # when the run was told
        self._given: dict[tuple[InstanceId, int], Place] = {}
        self._gave: dict[tuple[InstanceId, int], Place] = {}

    @classmethod
    def of(cls, run: Recorded, bounds: Bounds, *, keeps: bool = True, report: Document | None = None) -> Account:
        """Read a run. Raises JournalError when nothing of it can be read."""
        account = cls(bounds, keeps=keeps, report=report)
        told_s = _written_s(run.journal)
        for event in run.events():
            account.apply(event)
        if run.state == "running" and account.finished is None:
            account.now_s = account.board.at_s + max(0.0, time.time() - told_s)
        return account

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        kind = event.TYPE
        if self.report is not None:
            self.report.apply([event])
        if kind == "job_output":  # most are
            self.board.at_s = max(self.board.at_s, event.at_s)
            if self._keeps:
                self.outputs.apply(event)
            return
        self.board.apply(event)
        self.summary.apply(event)
        self.timeline.apply(event)
        self.variables.apply(event)
        self.breakpoints.apply(event)
        self.deeds.apply(event)
        match event:
            case ev.JobStarted() if self._keeps:
                kept = [event.arguments, event.procedure]
                self._given[event.instance, event.attempt] = self.store.put(kept)
            case ev.JobFinished():
                self.ended.setdefault((event.instance, event.attempt), event.at_s)
                self.outputs.apply(event)
                if self._keeps and event.result is not None:
                    self._gave[event.instance, event.attempt] = self.store.put(event.result)
            case ev.AgentLoad() if len(self.loads) < MOST_LOADS:
                self.loads.append(event)
            case ev.RunStarted():
                self.begun = event
            case ev.RunFinished():
                self.finished = event

    def given(self, instance: InstanceId, attempt: int) -> Given:
        """Say what an attempt was given and gave."""
        place, gave = self._given.get((instance, attempt)), self._gave.get((instance, attempt))
        arguments, procedure = self.store.get(place) if place is not None else (None, "")
        return Given(arguments, self.store.get(gave) if gave is not None else None, procedure)

    def ended_s(self, row: InstanceRow, attempt: AttemptRow) -> float:
        """Say when an attempt ended; now, when it has not."""
        found = self.ended.get((row.key, attempt.number))
        return max(self.end_s if found is None else found, attempt.started_s)

    @property
    def end_s(self) -> float:
        """The time of the last thing that is known, or of now."""
        return max(self.board.at_s, self.now_s, 0.001)


def _written_s(journal: Path) -> float:
    """Say when a journal was written to last; from then on a run's own clock went on as ours did."""
    try:
        return journal.stat().st_mtime
    except OSError:
        return time.time()


def attempts_of(row: InstanceRow) -> list[AttemptRow]:
    """List the attempts of an instance, the first first."""
    return [*row.earlier, *([row.last] if row.last is not None else ())]
