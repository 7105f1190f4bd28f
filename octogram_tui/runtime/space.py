"""What a run does when the disk of its journal is full: it ends in order, or holds while somebody makes space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from octogram_tui.engine.stimuli import PauseRequest, Stimulus, StopRequest, TroubleReport
from octogram_tui.errors import ExitCode
from octogram_tui.journal.writer import Space

BY = "a full disk"


class SpaceWatch:
    """Is told by the journal's writer. is_attended: whether somebody looks on who may act."""

    def __init__(self, directory: Path, submit: Callable[[Stimulus], None], is_attended: Callable[[], bool]) -> None:
        self._directory = directory
        self._submit = submit
        self._is_attended = is_attended

    def take(self, space: Space) -> None:
        """The space for the journal has become this."""
        full = f"the disk of {self._directory} is full"
        if space == "enough":
            self._submit(TroubleReport(f"there is space for the journal again in {self._directory}"))
        elif space == "little" and self._is_attended():
            self._submit(TroubleReport(f"{full}: make space and go on; the run holds, and ends when it gets worse"))
            self._submit(PauseRequest())
        else:
            self._submit(TroubleReport(f"{full}: what is kept of it for the journal is for the end of the run"))
            self._submit(StopRequest(BY, int(ExitCode.IO)))
