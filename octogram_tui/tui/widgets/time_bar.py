"""The line that says which moment one looks at, when that is not now: how far back it is, and what happened there."""

from __future__ import annotations

from octogram_tui.projection.telling import told
from octogram_tui.projection.text import safe
from octogram_tui.tui.format import clock_of
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece

LEAST_TOLD_CELLS = 12


class TimeBar(Bar):
    """Always there in a replay; in a live run while one looks back. What it names can be clicked."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="time")
        self._told = (-1, "")  # what the event of the moment was

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The moment, how far it is behind, what happened, and the way back, which stays longest."""
        model, brush = self.model, self.brush
        if not model.time.history or not (model.is_back or model.is_replay) or not model.head.seq:
            return []
        player, shown, head = model.player, model.shown, model.head
        self.over = "" if model.is_replay else "banner-held"
        sign = brush.pick("▸", ">") if player.is_playing else brush.pick("∎", "#")
        playing = f" {sign} {player.speed_text} " if player.is_playing or model.is_replay else " "
        parts = [
            Part([(playing, "key" if player.is_playing else "dim")], "play") if playing.strip() else Part([(" ", "")])
        ]
        parts.append(Part([(f"event {number(shown.seq)} of {number(head.seq)}", "strong"), ("  ", "")], "moment"))
        whole_s = head.at_s
        when = f"{clock_of(shown.at_s, whole_s)} of {clock_of(whole_s, whole_s)}"
        parts.append(Part([(when, ""), ("  ", "")], "view('timeline')"))
        events, seconds = model.behind
        back = Part([])
        if model.is_back and not model.is_replay:
            said = f"{number(events)} event{'s' * (events != 1)}, {clock_of(seconds, whole_s)} behind now"
            parts.append(Part([(said, "held"), ("  ", "")]))
            back = Part([(f"{brush.way('now')} comes back ", "key")], "now")
        room = width - back.cells
        kept: list[Part] = []
        for part in parts:
            if part.cells > room:
                break
            kept.append(part)
            room -= part.cells
        if model.is_back and room >= LEAST_TOLD_CELLS:
            kept.append(Part([(brush.text(self._happened(), limit=room - 1), "dim")]))
            room -= kept[-1].cells
        return [self.lay([*kept, Part([(" " * max(0, room), "")]), back], width)]

    def _happened(self) -> str:
        """What the latest event of the moment says."""
        seq = self.model.shown.seq
        if self._told[0] != seq:
            event = self.model.time.event(seq)
            self._told = (seq, safe(told(event)) if event is not None else "")
        return self._told[1]


def number(count: int) -> str:
    """Write a number so that it can be read: 1 234 567."""
    return f"{count:,}".replace(",", " ")
