"""A run from its journal: what it was fed is fed again, and it stands as it stood.

The engine does no input or output, so that the same stimuli give the same events. Each is compared with the one that
the journal has: what differs is not guessed about, but refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from octogram_tui.engine.events import Event
from octogram_tui.engine.machine import Engine
from octogram_tui.engine.options import RunOptions
from octogram_tui.journal.inputs import ScenarioOf


@dataclass(slots=True)
class Restored:
    """A run as it stood when the last line of its journal was written.

    at_s: how long it had gone on; take_ups: how often it was taken up again already.
    """

    engine: Engine
    at_s: float
    take_ups: int


def restore(lines: Iterable[Event | dict[str, Any]], options: RunOptions, scenario_of: ScenarioOf) -> Restored:
    """Build the engine of a run again. lines: as `reader.read_lines` gives them; options: that it began with.

    Raises RunNotRestored when the run has not begun, is over, or does not come out as the journal has it; and what
    scenario_of raises.
    """
    raise NotImplementedError
