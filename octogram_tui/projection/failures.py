"""Everything that failed for good in a run, in order, and what became of it: it stands, or was repaired, or skipped."""

from __future__ import annotations

from collections.abc import Iterator

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import NO_REASON, Failure
from octogram_tui.model.ids import InstanceId


class FailureRow:
    """One attempt that failed and was not tried again by itself. repaired_by: the attempt that ended well after it."""

    __slots__ = (
        "again",
        "at_s",
        "attempt",
        "failure",
        "instance",
        "is_skipped",
        "is_tolerated",
        "is_undone",
        "repaired_by",
        "seq",
    )

    def __init__(self, event: ev.JobFinished) -> None:
        self.instance: InstanceId = event.instance
        self.attempt = event.attempt
        self.failure: Failure = event.failure or NO_REASON
        self.at_s = event.at_s
        self.seq = event.seq
        self.is_tolerated = event.is_tolerated
        self.again = 0  # the attempt that was made after it; 0 when there is none
        self.repaired_by = 0  # 0 while none has
        self.is_skipped = False  # the operator went on without it
        self.is_undone = False  # the run went back before it

    @property
    def stands(self) -> bool:
        """Whether nobody has dealt with it: neither run again nor skipped, nor does the scenario go on after it."""
        return not (self.again or self.is_skipped or self.is_tolerated or self.is_undone)

    @property
    def fate(self) -> str:
        """Say in a few words what became of it; empty when it stands."""
        if self.repaired_by:
            return f"repaired by attempt {self.repaired_by}"
        if self.is_skipped:
            return "skipped"
        if self.again:
            return f"run again as attempt {self.again}"
        if self.is_undone:
            return "the run went back before it"
        return "tolerated" if self.is_tolerated else ""


class Failures:
    """The fold. It grows with what failed only."""

    def __init__(self) -> None:
        self.rows: list[FailureRow] = []  # in the order in which they failed, repaired ones too
        self.version = 0
        self._of: dict[InstanceId, list[FailureRow]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[FailureRow]:
        return iter(self.rows)

    def of(self, instance: InstanceId) -> list[FailureRow]:
        """Give those of an instance, the first first."""
        return self._of.get(instance, [])

    def started(self, event: ev.JobStarted) -> None:
        """An attempt began: what failed before it stands no more."""
        if event.instance in self._of:
            self.version += 1
            for row in self._of[event.instance]:
                row.again = row.again or event.attempt

    def undo(self, instance: InstanceId) -> None:
        """The run went back before an instance."""
        self.version += 1
        for row in self.of(instance):
            row.is_undone = True

    def finished(self, event: ev.JobFinished) -> None:
        """An attempt ended."""
        if event.state == "failed":
            if not event.will_retry:
                self._add(FailureRow(event))
        elif event.instance in self._of:
            self.version += 1
            for row in self._of[event.instance]:
                if event.state == "ok":
                    row.repaired_by = row.repaired_by or event.attempt
                elif event.state == "skipped":
                    row.is_skipped = row.is_skipped or not row.repaired_by

    def _add(self, row: FailureRow) -> None:
        self.version += 1
        mine = self._of.setdefault(row.instance, [])
        for earlier in mine:  # what fails before it is sent is told without a beginning
            earlier.again = earlier.again or row.attempt
        mine.append(row)
        self.rows.append(row)
