"""How a run whose process has died goes on in this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from octogram_tui.dataclass import dataclass
from octogram_tui.journal.restoring import Restored
from octogram_tui.model.scenario import Scenario


@dataclass(frozen=True, slots=True)
class TakingUp:
    """What another process needs to know of it.

    restore     builds the engine as it stood from the journal; the caller has its lock
    edited      gives, of the scenario that was in force by its digest, what it is by now; None: the same
    the others  what the run was asked for is from now on so, where they are given
    """

    restore: Callable[[Path], Restored]
    edited: Callable[[str], Scenario | None] = lambda _: None
    on_failure: Literal["", "abort", "pause", "keep_going"] = ""
    confirm: Literal["", "ask", "yes", "no", "fail"] = ""
    keep_alive: bool | None = None
    timeout_s: float | None = None
