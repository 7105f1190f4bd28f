"""How a console was left."""

from __future__ import annotations

from typing import Literal

from octogram_tui.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ConsoleOutcome:
    """How the console was left. `exit_code` is the run's, None while it goes on without us, or went away (lost).

    next_run: the run that was chosen instead, by its name
    """

    kind: Literal["detached", "stopped", "finished", "lost"]
    exit_code: int | None
    next_run: str = ""
