"""Numbers as signs that rise: how much, at a glance. Some terminals draw them two cells wide: ASCII has its own."""

from __future__ import annotations

from collections.abc import Sequence

from octogram_tui.tui.widgets.brush import Brush

RISING = " ▁▂▃▄▅▆▇█"
RISING_ASCII = " .:-=+*%#"


def rising(share: float, *, ascii_only: bool) -> str:
    """Draw a share of a whole, 0 to 1, as one sign; what is not nothing is never drawn as nothing."""
    signs = RISING_ASCII if ascii_only else RISING
    top = len(signs) - 1
    return signs[max(0 if share <= 0 else 1, min(top, round(share * top)))]


def spark(values: Sequence[float], cells: int, brush: Brush) -> str:
    """Draw the last values, full height being one load by CPU."""
    return "".join(rising(min(1.0, value), ascii_only=brush.ascii_only) for value in values[-cells:]).rjust(cells)
