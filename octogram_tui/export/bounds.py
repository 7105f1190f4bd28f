"""How much of a run an export tells: a run may have more than any browser opens, and says then what is left out."""

from __future__ import annotations

from octogram_tui.dataclass import dataclass

MIB = 1 << 20
KEPT_LINES = 1000
"""So many lines of an attempt's output can be asked for at most."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a page that options change.

    rows: instances that are told with arguments and output; lines: of the output of an attempt that did not end well,
    half of them its first and half its last; log_bytes: of all output together.
    """

    rows: int = 2000
    lines: int = 200
    log_bytes: int = 8 * MIB

    @property
    def lines_of_ok(self) -> int:
        """Lines of an attempt that ended well: few look there."""
        return max(4, self.lines // 5)


LINE_CHARACTERS = 2000
"""A longer line of output is cut, and says how long it was."""
ATTEMPT_BYTES = 48 * 1024
"""So much of an attempt's output is kept, half of it of the beginning, however long its lines are."""
VALUE_CHARACTERS = 20_000
"""Of any text of a page, whatever it is."""
VARIABLES = 1000
CELLS = 20_000
"""Cells of the matrix; from SAME_CELLS on, agents with the same states are one row."""
SAME_CELLS = 6000
LANES = 120
"""Agents that have a line of their own in the timeline."""
LANE_BARS = 6000
JOB_LANES = 300
"""Jobs that have a line of their own in the timeline."""
CLUSTERS = 100
CLUSTER_NAMES = 200
DEEDS = 1000
DEED_CHARACTERS = 2000
SOURCE_CHARACTERS = 1 << 20
