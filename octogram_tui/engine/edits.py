"""The scenario's file was edited: it is in force at once, or waits to be asked for, told what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import EditWaits, ReloadModeChosen
from octogram_tui.engine.foreseeing import foresee_edit
from octogram_tui.engine.reload import adopt
from octogram_tui.engine.stimuli import EditReport, ReloadModeRequest

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine
    from octogram_tui.model.scenario import Scenario


class Edits:
    """Takes edits in, or lets them wait. mode: now, or ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.mode = "now"
        self.waiting: Scenario | None = None

    def report(self, stimulus: EditReport) -> None:
        """The file was read again."""
        new = stimulus.scenario
        if self.mode == "now" or stimulus.is_asked or new is None:
            self.waiting = None
            adopt(self._engine, stimulus)
        elif new.digest == self._engine.core.scenario.digest:
            if self.waiting is not None:
                self._engine.core.emit(EditWaits(digest=new.digest))
            self.waiting = None
            adopt(self._engine, stimulus)  # a refused edit may have been taken back
        elif self.waiting is None or self.waiting.digest != new.digest:
            self.waiting = new
            self._tell(new)

    def choose(self, stimulus: ReloadModeRequest) -> None:
        """Take edits at once from now on, or let them wait."""
        if stimulus.mode == self.mode:
            return
        self.mode = stimulus.mode
        self._engine.core.emit(ReloadModeChosen(mode=self.mode))
        if self.waiting is not None and self.mode == "now":
            self.report(EditReport(self.waiting, is_asked=True))

    def _tell(self, new: Scenario) -> None:
        seen = foresee_edit(self._engine, new)
        self._engine.core.emit(
            EditWaits(
                digest=new.digest,
                changes=seen.changes or ["nothing that matters to the run"],
                stale=len(seen.stale),
                fresh=len(seen.fresh),
                failed=len(seen.failed),
                new=len(seen.new),
                gone=len(seen.gone),
            )
        )
