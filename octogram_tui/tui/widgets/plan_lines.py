"""How a line of the plan is drawn: fold mark, sign, name, what there is to say, count, progress and time."""

from __future__ import annotations

from rich.cells import cell_len

from octogram_tui.projection.outline import Line
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.tui.format import AT_BREAKPOINT, BREAK_LOOKS, LOOKS, break_look, duration
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_name

COUNT_CELLS = 11
TIME_CELLS = 8
BAR_CELLS = 10
BAR_FROM = 58
"""From this width on, progress has a bar of its own; below, it is the ground of the count."""
NOTE_CELLS = 12
"""A note that has less room than this is left out."""

_FILLS = {
    State.RUNNING: "fill-running",
    State.RETRYING: "fill-running",
    State.FAILED: "fill-failed",
    State.LOST: "fill-failed",
    State.HELD: "fill-held",
}
_FAILED = (State.FAILED, State.LOST)


def sign_cells(line: Line) -> int:
    """Where on a line the name begins: before that, a click folds."""
    return 1 + 2 * line.depth + 4


class PlanLines:
    """Draws lines out of what the model knows."""

    def __init__(self, model: Model, brush: Brush) -> None:
        self.model = model
        self.brush = brush

    def is_confirming(self, row: Row) -> bool:
        """Whether a stage waits for the operator's word."""
        return isinstance(row, Group) and row.kind is Kind.STAGE and row.name in self.model.board.confirmations

    def paint(self, line: Line, width: int) -> list[Piece]:
        """Draw a line over a width."""
        brush, outline = self.brush, self.model.outline
        row = line.row
        shown = line.head or row
        state = State.HELD if self.is_confirming(row) else line.state
        look = LOOKS[state]
        fold = "  "
        if not line.left and outline.has_rows_below(shown):
            fold = brush.pick("⌄ ", "- ") if outline.is_unfolded(shown) else brush.pick("› ", "+ ")
        sign = "  " if line.left else brush.sign(AT_BREAKPOINT if self._is_met(line) else look) + " "
        stops = self._stops(line)
        head: list[Piece] = [stops, ("  " * line.depth, ""), (fold, "faint"), (sign, look.style)]
        number = self._number(row)
        tail = self._tail(line, state, width)
        room = width - _cells(head) - len(number)
        label = brush.text(line.label)
        note, note_style = self._note(line, state)
        if note_style == "faint":  # what is good to know is whole, or its last part is, or it is left out
            spare = room - _cells(tail) - cell_len(label) - 3
            note = next((each for each in (note, note.rpartition(".")[2]) if cell_len(each) <= spare), "")
        tells_why = line.head is not None or isinstance(row, InstanceRow)
        if state in _FAILED and tells_why and room - _cells(tail) - cell_len(label) - cell_len(note) < 3:
            tail = []  # why it failed is worth more than how long it took
        room -= _cells(tail)
        is_agent = line.head is None and (isinstance(row, InstanceRow) or row.kind is Kind.AGENT)
        name = (fit_name if is_agent else fit)(label, min(cell_len(label), max(0, room)))
        rest = room - cell_len(name)
        middle: list[Piece] = [(" " * rest, "")]
        if note and rest >= min(NOTE_CELLS, cell_len(note) + 3):
            middle = [("  " + fit(note, rest - 3) + " ", note_style)]
            names = brush.text(line.head.names) if line.head is not None else ""
            spare = rest - 2 - cell_len(note) - 2
            if names and spare > cell_len(names):
                gap = spare - cell_len(names) - 1
                middle = [(f"  {note}  ", note_style), (names + " " * (gap + 1), "dim")]
        elif line.head is not None and rest >= NOTE_CELLS:
            middle = [("  " + fit(brush.text(line.head.names), rest - 2), "dim")]
        return [*head, (number, "faint"), (name, self._name_style(line, state)), *middle, *tail]

    def _is_met(self, line: Line) -> bool:
        """Whether a breakpoint holds the row."""
        row = line.row
        if line.head is not None or not isinstance(row, InstanceRow):
            return False
        place = self.model.board.queue.place(row)
        return place is not None and bool(place.breakpoint)

    def _stops(self, line: Line) -> Piece:
        """Draw the breakpoint that one looks for at a row, the one that stops it first, in the first cell."""
        found = [] if line.left or line.head is not None else self.model.board.stops.at(line.row)
        if not found:
            return " ", ""
        look = min((break_look(each) for each in found), key=BREAK_LOOKS.index)
        return self.brush.sign(look), look.style

    def _number(self, row: Row) -> str:
        if not isinstance(row, Group) or row.kind is not Kind.STAGE:
            return ""
        number = self.model.board.number_of(row)
        return f"{number} " if number is not None else "- "

    def _name_style(self, line: Line, state: State) -> str:
        if line.left:
            return "faint"
        if isinstance(line.row, Group) and line.row.is_gone:
            return "skipped"
        if state in _FAILED and not _is_repeated(line):
            return LOOKS[state].style
        if state is State.PENDING:
            return "dim"
        return "strong" if line.row.kind is Kind.STAGE else ""

    def _note(self, line: Line, state: State) -> Piece:
        row = line.row
        if self.is_confirming(row):
            return "waits for your word: space", "held"
        message = self.brush.text(self._given(line) + line.message)
        if row is self.model.held and not line.is_head:
            return message, "held"
        if line.head is not None or isinstance(row, InstanceRow):
            return message, "tolerated" if state in _FAILED and not _is_repeated(line) else "dim"
        if message:
            return message, "dim"
        if row.kind is Kind.JOB:
            return self.brush.text(row.procedure), "faint"
        if row.kind is Kind.STAGE and row.always and state is State.PENDING:
            return "always", "faint"
        return "", ""

    def _given(self, line: Line) -> str:
        """Say of a row, or of all in its line, that arguments were given to it for its next attempt."""
        given = self.model.edited.by_instance
        if not given or not isinstance(line.row, InstanceRow) or line.left:
            return ""
        rows = [each for each in line.head.rows if isinstance(each, InstanceRow)] if line.head else [line.row]
        if not rows or any(each.key not in given for each in rows):
            return ""
        return f"next with {self.model.by_hand.waiting_words(line.row)}; "

    def _tail(self, line: Line, state: State, width: int) -> list[Piece]:
        """What stands at the right end: how often tried, how many have ended, and for how long."""
        row = line.row
        if line.left or line.head is not None:
            return []
        time = fit(duration(row.duration_s(self.model.now_s)), TIME_CELLS, right=True) + " "
        if isinstance(row, InstanceRow):
            attempt = f" #{row.attempt}" if row.attempt > 1 else ""
            return [(attempt, "retrying"), (time if row.last is not None else "", "dim")]
        if row.started_s is None and not row.known:
            return []
        return [*self._count(row, state, width), (time, "dim")]

    def _count(self, row: Group, state: State, width: int) -> list[Piece]:
        total = row.total
        text = f"{row.done}/{total}" + ("+" if row.is_open_ended else "")
        troubles = row.tally[State.FAILED] + row.tally[State.LOST]
        running = row.tally[State.RUNNING]
        pick = self.brush.pick
        bad = f"{pick('✗', 'x')}{troubles} " if troubles and row.kind is not Kind.STAGE else ""
        busy = f"{pick('▸', '>')}{running} " if running and row.kind is not Kind.AGENT else ""
        shown = f"{bad + text} ".rjust(COUNT_CELLS)  # a large one takes more room: cut, it would say another number
        style = "failed" if bad else "dim" if state in (State.OK, State.SKIPPED, State.CANCELLED) else ""
        fill = _FILLS.get(state)
        if not busy and (width >= BAR_FROM or not fill):
            shown = f" {shown.lstrip(' ')}"  # the blanks before it are the name's, should it need them
        if width >= BAR_FROM:
            bar: Piece = (" " * (BAR_CELLS + 1), "")
            if row.kind is Kind.STAGE or fill:
                done = BAR_CELLS - 2 if row.done >= total else (BAR_CELLS - 2) * row.done // max(1, total)
                bar = (f"[{'#' * done:<{BAR_CELLS - 2}}] ", LOOKS[state].style if fill else "faint")
            return [(f" {busy}" if busy else "", "running"), (shown, style), bar]
        done = round(len(shown) * row.done / total) if total and fill and row.done < total else 0
        if not fill or self.brush.palette.theme.ansi:
            return [(f" {busy}" if busy else "", "running"), (shown, style)]
        return [(f" {busy}" if busy else "", "running"), (shown[:done], fill), (shown[done:], style)]


def _is_repeated(line: Line) -> bool:
    """Whether the line above it says the same for all: forty red lines are no better than one."""
    return line.bunch is not None and line.bunch.cluster is not None and not line.is_head


def _cells(pieces: list[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)
