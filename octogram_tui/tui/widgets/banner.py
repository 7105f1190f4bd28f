"""The lines that say what needs the operator, and what to do about it. Every key that they name can be clicked."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from textual.events import Click

from octogram_tui.tui.live_keys import BY_NAME
from octogram_tui.tui.model import Model
from octogram_tui.tui.needs import SIGNS, Mark, Need, needs_of
from octogram_tui.tui.widgets.bar import Bar
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

SHOWN_NEEDS = 2
LEAST_LINES = 2
SHORT_ROWS = 16
"""On a screen that is less high there is one line, without keys if they do not fit behind the message."""
TIP_CELLS = 20
"""A tip that has less room than this is left out; the inspector has it."""
LOOKING = ("edit scenario",)
"""Actions without a verb that are of no use to who only watches."""


class Spot(NamedTuple):
    """Where a click does something: cells of a line, and what it calls."""

    line: int
    start: int
    end: int
    call: str


class Banner(Bar):
    """What needs the operator, the cause first, and below what to press. Empty while all goes well."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="banner")
        self.is_read_only = False
        self.pane = ""  # that has the keys
        self.spots: list[Spot] = []
        self._basis: object = None
        self._needs: list[Need] = []
        self._dismissed: set[Mark] = set()  # what the operator has seen

    def needs(self) -> list[Need]:
        """Say what there is to say; put together anew only when something happened, or a second has passed."""
        model = self.model
        basis = (model.board.version, int(model.now_s), model.is_lost, len(self._dismissed), model.scope.words())
        if basis != self._basis:
            self._basis = basis
            self._needs = needs_of(self.model, is_lost=self.model.is_lost, closed=self._dismissed)
        return self._needs

    def forget(self) -> None:
        """Another moment is looked at: what there is to say is another thing."""
        self._basis = None

    def close(self) -> bool:
        """Close what can be closed; False when there is nothing like it."""
        for need in self.needs():
            if need.mark is not None:
                self._dismissed.add(need.mark)
                return True
        return False

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Each need on its lines, as many as a third of the screen holds, and the keys at the end."""
        needs = self.needs()[:SHOWN_NEEDS]
        self.spots = []
        self.over = needs[0].ground if needs else ""
        if not needs:
            return []
        height = self.app.size.height
        is_short = height < SHORT_ROWS  # one line is all there is room for
        needs = needs[:1] if is_short else needs
        most = 1 if is_short else max(LEAST_LINES, height // 3) - 1
        lines: list[list[Piece]] = []
        for number, need in enumerate(needs):
            left = most - len(lines) - (len(needs) - 1 - number)
            lines += self._said(need, width, max(1, left), len(lines))
        keys = self._keys(needs, width)
        used = sum(cell_len(text) for text, _ in lines[-1]) if len(lines) == 1 else width
        asked = sum(cell_len(text) for text, _ in keys)
        if keys and used + asked <= width:
            self._find_spots(keys, 0, used, needs)
            return [[*lines[0], *keys, *self._tip(needs, width - used - asked)]]
        if keys and not is_short:
            self._find_spots(keys, len(lines), 0, needs)
            lines.append([*keys, *self._tip(needs, width - asked)])
        return lines

    def _said(self, need: Need, width: int, most: int, first_line: int) -> list[list[Piece]]:
        sign = SIGNS[need.kind][self.brush.ascii_only]
        room = max(10, width - 4)
        texts = wrap_cells(self.brush.text(need.message), room)
        if len(texts) > most:
            texts = [*texts[: most - 1], fit(" ".join(texts[most - 1 :]), room)]
        lines: list[list[Piece]] = []
        for number, text in enumerate(texts):
            lines.append([("   " if number else f" {sign} ", "strong"), (text, "strong")])
            self.spots.append(Spot(first_line + number, 0, width, "show_cause"))
        more = self.brush.text(need.more)
        spare = room - cell_len(texts[-1]) - 2
        if more and spare >= TIP_CELLS:
            lines[-1].append((f"  {fit(more, min(spare, cell_len(more)))}", ""))
        elif more and len(lines) < most:
            lines.append([("   ", ""), (fit(more, min(room, cell_len(more))), "")])
        return lines

    def _keys(self, needs: list[Need], width: int) -> list[Piece]:
        """The keys of every need, each once, as many as fit."""
        pieces: list[Piece] = [("   ", "")]
        used, seen = 3, set()
        for hint in (hint for need in needs for hint in need.hints):
            action = BY_NAME[hint.action]
            key = self._key(hint.action)
            is_idle = self.is_read_only and (action.needs_control or action.name in LOOKING)
            if not key or is_idle or hint.action in seen:
                continue
            used += cell_len(key) + cell_len(hint.words) + 4
            if used > width + 3:
                break
            seen.add(hint.action)
            pieces += [(key, "key"), (f" {hint.words}   ", "")]
        return pieces if len(pieces) > 1 else []

    def _key(self, action: str) -> str:
        return next(iter(self.brush.keys.here(action, self.pane)), "")

    def _find_spots(self, keys: list[Piece], line: int, start: int, needs: list[Need]) -> None:
        calls = {self._key(hint.action): BY_NAME[hint.action].call for need in needs for hint in need.hints}
        at, call = start, ""
        for text, style in keys:
            end = at + cell_len(text)
            call = calls[text] if style == "key" else call
            if call:
                self.spots.insert(0, Spot(line, at, end, call))
            at = end

    def _tip(self, needs: list[Need], room: int) -> list[Piece]:
        tip = next((need.tip for need in needs if need.tip), "")
        return [(fit(self.brush.text(tip), room - 1).rstrip(), "")] if tip and room >= TIP_CELLS else []

    def on_click(self, event: Click) -> None:
        """Do what the place says."""
        for spot in self.spots:
            if spot.line == event.y and spot.start <= event.x < spot.end:
                self.app.call_later(self.screen.run_action, spot.call)
                return


def wrap_cells(text: str, width: int) -> list[str]:
    """Part a text into lines of at most `width` cells, between words where that is possible."""
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        for piece in chop_cells(word, width) if cell_len(word) > width else [word]:
            cells = cell_len(piece)
            if line and used + 1 + cells > width:
                lines.append(line)
                line, used = piece, cells
            else:
                used += cells + (1 if line else 0)
                line = f"{line} {piece}" if line else piece
    return [*lines, line] if line else lines or [""]
