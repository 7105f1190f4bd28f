"""The moments of a run in a line: stages, failures, what the operator did, and where one is."""

from __future__ import annotations

from octogram_tui.projection.row_states import State
from octogram_tui.projection.ticks import TickKind, Ticks
from octogram_tui.tui.format import LOOKS
from octogram_tui.tui.widgets.brush import Brush, Piece

LOUDEST: tuple[TickKind, ...] = ("loss", "failure", "reload", "act", "stage")
"""Of several in one cell the first is seen."""


def tick_line(ticks: Ticks, brush: Brush, cells: int, whole_s: float, here_s: float | None) -> list[Piece]:
    """Draw them on a scale. here_s: the moment that is looked at, where that is not the latest."""
    width_s = whole_s / cells
    line: list[Piece] = []
    for cell in range(cells):
        start_s = cell * width_s
        end_s = start_s + width_s if cell < cells - 1 else float("inf")
        found = next((kind for kind in LOUDEST if ticks.of[kind].is_between(start_s, end_s)), None)
        line.append((" ", "") if found is None else sign_of(found, brush))
    if here_s is not None:
        at = min(cells - 1, int(here_s / width_s))
        line[at] = (brush.pick("▾", "v"), "key")
    return line


def sign_of(kind: TickKind, brush: Brush) -> Piece:
    """Give the sign of a kind, and its style."""
    if kind in ("failure", "loss"):
        look = LOOKS[State.FAILED if kind == "failure" else State.LOST]
        return brush.sign(look), look.style
    return {"reload": ("e", "changed"), "act": ("!", "accent")}.get(kind, (brush.pick("╷", "|"), "faint"))
