"""The plan: stages, jobs, agents and items as lines that unfold, each with its state, its count and its time."""

from __future__ import annotations

from collections.abc import Hashable

from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.tui.format import LOOKS, duration
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView

COUNT_CELLS = 11
TIME_CELLS = 8
NOTE_CELLS = 12
"""A note that has less room than this is left out."""

_FILLS = {
    State.RUNNING: "fill-running",
    State.RETRYING: "fill-running",
    State.FAILED: "fill-failed",
    State.LOST: "fill-failed",
    State.HELD: "fill-held",
}


class PlanTree(LineView):
    """Follows the run until the operator moves the cursor."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="plan")
        self.border_title = " Plan "
        self.is_following = True
        self._selected: Row | None = None

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        rows = self.model.outline.rows
        return rows[self.cursor] if self.cursor < len(rows) else None

    def text_of_selected(self) -> str:
        """Give the row's name."""
        return self.selected.full_name if self.selected is not None else ""

    def count(self) -> int:
        """Say how many rows are unfolded."""
        return len(self.model.outline.rows)

    def sync(self) -> None:
        """Bring the list up to date, and keep the cursor on its row, or on where the action is."""
        outline = self.model.outline
        outline.room = self.visible_lines
        if self.is_following:
            focus = self.model.focus_row()
            outline.point_at(focus if self.model.board.is_paused else None)
            changed = outline.refresh()
            if focus is not None and (changed or focus is not self.selected):
                index = outline.index(focus)
                while index is None and focus.parent is not None:
                    focus = focus.parent
                    index = outline.index(focus)
                if index is not None:
                    self.cursor = index
                    self.show_line(index)
        elif outline.refresh() and self._selected is not None:
            row: Row | None = self._selected
            while row is not None and (index := outline.index(row)) is None:
                row = row.parent
            if row is not None and index is not None:
                self.cursor = index
        self._selected = self.selected
        super().sync()

    def select(self, row: Row) -> None:
        """Put the cursor on a row, unfolding what holds it; the run is no longer followed."""
        outline = self.model.outline
        outline.show(row)
        outline.refresh()
        index = outline.index(row)
        if index is not None:
            self.move_to(index)
            self.moved()

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; the run is no longer followed."""
        self.is_following = False
        self._selected = None
        super().move_to(index)

    def moved(self) -> None:
        """The operator chose: the cursor stays."""
        self._selected = self.selected
        super().moved()

    def action_sideways(self, by: int) -> None:
        """Unfold, or fold; what cannot be folded leads to what holds it."""
        row = self.selected
        outline = self.model.outline
        if row is None:
            return
        if by > 0 and outline.has_rows_below(row):
            if outline.is_unfolded(row):
                self.action_move(1)
                return
            outline.unfold(row)
        elif by < 0 and row.children and outline.is_unfolded(row):
            outline.fold(row)
        elif by < 0 and row.parent is not None:
            self.select(row.parent)
            return
        self.is_following = False
        self._selected = row
        self.sync()

    def open(self) -> bool:
        """Fold or unfold the row; False when it has nothing below."""
        row = self.selected
        if row is None or not self.model.outline.has_rows_below(row):
            return False
        self.action_sideways(-1 if self.model.outline.is_unfolded(row) else 1)
        return True

    def line_key(self, index: int) -> Hashable:
        """A row's version, its fold, and its time while that runs."""
        row = self.model.outline.rows[index]
        return (row.key, row.version, self.model.outline.is_unfolded(row), self._time(row), self._is_confirming(row))

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        if self.model.outline.failed_only:
            return [("nothing has failed", "ok"), ("f shows everything again", "dim")]
        return [("waiting for the run ...", "dim")]

    def _is_confirming(self, row: Row) -> bool:
        return isinstance(row, Group) and row.kind is Kind.STAGE and row.name in self.model.board.confirmations

    def _time(self, row: Row) -> str:
        return duration(row.duration_s(self.model.now_s))

    def paint(self, index: int, width: int) -> list[Piece]:
        """Fold mark, sign, name, note, count and time."""
        row = self.model.outline.rows[index]
        brush = self.brush
        state = State.HELD if self._is_confirming(row) else row.state
        look = LOOKS[state]
        fold = "  "
        if self.model.outline.has_rows_below(row):
            fold = brush.pick("⌄ ", "- ") if self.model.outline.is_unfolded(row) else brush.pick("› ", "+ ")
        stages = self.model.board.stages
        number = f"{stages.index(row) + 1} " if isinstance(row, Group) and row in stages else ""
        label = brush.text(row.label)
        head: list[Piece] = [(" " + "  " * row.depth, ""), (fold, "faint"), (brush.sign(look) + " ", look.style)]
        tail = self._tail(row, state)
        room = width - sum(len(text) for text, _ in head + tail) - len(number)
        name = fit(label, min(len(label), max(0, room)))
        note, note_style = self._note(row, state)
        rest = room - len(name)
        middle = ""
        if note and rest >= NOTE_CELLS:
            middle = "  " + fit(note, rest - 3) + " "
        name_style = look.style if state in (State.FAILED, State.LOST) else "dim" if state is State.PENDING else ""
        if row.kind is Kind.STAGE and not name_style:
            name_style = "strong"
        return [*head, (number, "faint"), (name, name_style), (fit(middle, rest), note_style), *tail]

    def _note(self, row: Row, state: State) -> Piece:
        if self._is_confirming(row):
            return "waits for your word: space", "held"
        message = self.brush.text(row.message)
        if isinstance(row, InstanceRow):
            style = "failed" if state in (State.FAILED, State.LOST) else "dim"
            return message, style.replace("failed", "tolerated")
        if message:
            return message, "dim"
        if row.kind is Kind.JOB:
            return self.brush.text(row.procedure), "faint"
        if row.kind is Kind.STAGE and row.always and state is State.PENDING:
            return "always", "faint"
        return "", ""

    def _tail(self, row: Row, state: State) -> list[Piece]:
        time = fit(self._time(row), TIME_CELLS, right=True) + " "
        if isinstance(row, InstanceRow):
            attempt = f"#{row.attempt}" if row.attempt > 1 else ""
            return [(fit(attempt, COUNT_CELLS, right=True), "retrying"), (time, "dim")]
        if row.started_s is None and not row.known:
            return [(" " * COUNT_CELLS, ""), (time, "dim")]
        total = row.total
        text = f"{row.done}/{total}" + ("+" if row.is_open_ended else "")
        troubles = row.tally[State.FAILED] + row.tally[State.LOST]
        bad = f"{self.brush.pick('✗', 'x')}{troubles} " if troubles and row.kind is not Kind.STAGE else ""
        shown = fit(bad + text + " ", COUNT_CELLS, right=True)
        fill = _FILLS.get(state)
        done = round(COUNT_CELLS * row.done / total) if total and fill and row.done < total else 0
        style = "failed" if bad else "dim" if state in (State.OK, State.SKIPPED, State.CANCELLED) else ""
        if not fill or self.brush.palette.theme.ansi:
            return [(shown, style), (time, "dim")]
        return [(shown[:done], fill), (shown[done:], style), (time, "dim")]
