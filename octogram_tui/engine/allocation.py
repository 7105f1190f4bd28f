"""The allocation of a scheduler in which agents of the run have their nodes: what became of it, and its end."""

from __future__ import annotations

from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import EndAllocation
from octogram_tui.engine.events import AllocationChanged
from octogram_tui.engine.stimuli import AllocationReport


class Allocation:
    """The one of a run; most have none."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._is_held = False
        self._is_ending = False

    @property
    def is_over(self) -> bool:
        """Whether there is none, or it has ended."""
        return not self._is_held

    def reported(self, report: AllocationReport) -> None:
        """Take what became of it."""
        if report.state == "ended" and not self._is_held:
            return
        self._is_held = report.state != "ended"
        self._core.emit(
            AllocationChanged(
                state=report.state,
                job=report.job,
                message=report.message,
                nodes=list(report.nodes),
                position=report.position,
                reason=report.reason,
                left_s=report.left_s,
                is_confirmed=report.is_confirmed,
            )
        )

    def end(self, *, force: bool = False) -> None:
        """Have it ended, once; by force also while that is under way."""
        if self._is_held and (force or not self._is_ending):
            self._is_ending = True
            self._core.order(EndAllocation(force))

    def end_again(self) -> None:
        """The process that was told to end it has died."""
        self._is_ending = False
