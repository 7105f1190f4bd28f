"""A run whose process has died goes on in another one: which attempts go on, which end, which are in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import RequestRefused
from octogram_tui.engine.stimuli import TakeUpRequest

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


class TakingUp:
    """What happens to a run that was rebuilt from its journal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take_up(self, stimulus: TakeUpRequest) -> None:
        """Start the agents again, each with the question what it knows."""
        self._engine.core.emit(RequestRefused(request="resume", message="this program cannot take a run up again"))
