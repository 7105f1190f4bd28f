"""The source: the scenario as the run knows it, with a sign at what runs, is held or failed, and templates' values."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len
from textual.events import Click

from octogram_tui.projection.breakpoints import Listed
from octogram_tui.projection.moment import Moment
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.projection.yaml_text import Part, parts
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.format import BREAK_LOOKS, LOOKS, Look, break_look, plural, value
from octogram_tui.tui.model import Model, Subject, line_of
from octogram_tui.tui.widgets.brush import Brush, Piece, cells_of, fit, fit_most, window
from octogram_tui.tui.widgets.line_view import LineView

MARK_CELLS = 4
BREAK_CELLS = 2
ARROW_CELLS = 2
SHIFT_CELLS = 8
LINE_CHARACTERS = 4096
VALUE_CELLS = 40
NOTE_GAP = 2
STYLES = {"key": "accent", "string": "name-3", "comment": "dim", "template": "name-4", "mark": "dim", "text": ""}

UNREAD_LINES = 40

_SHOWN = (State.HELD, State.RUNNING, State.RETRYING)
_FAILED = (State.FAILED, State.LOST)


class SourceView(LineView):
    """Follows what is chosen in the plan; moving in it chooses there."""

    leads = True

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="source")
        self.subject: Row | None = None
        self._example: InstanceRow | None = None  # whose arguments stand beside the templates
        self._moment = Moment(model)
        self._foothold = Foothold(model)
        self._is_behind = True  # the cursor has not gone where `subject` is
        self._shift = 0  # cells that are scrolled out at the left
        self._of_version = -1

    @property
    def selected(self) -> Row | None:
        """The stage or job that the line under the cursor belongs to; where that is the chosen one, what is chosen."""
        row = self.model.source.row_at(self.cursor + 1) if self.count() else None
        return self.subject if row is not None and row is _place_of(self.subject) else row

    @property
    def line(self) -> int:
        """The line under the cursor, from 1; 0 when there is no text."""
        return self.cursor + 1 if self.count() else 0

    def look_at(self, subject: Subject | None) -> None:
        """Point at what was chosen elsewhere."""
        row = subject if isinstance(subject, (Group, InstanceRow)) else None
        if row is self.subject:
            return
        self.subject = row
        self._is_behind = True
        self.sync()

    def moment_changed(self) -> None:
        """Show the text of then, and what went on at each line."""
        super().moment_changed()
        row = self._foothold.again(self.subject)
        self.subject = row if isinstance(row, (Group, InstanceRow)) else None
        self._example = None
        self._moment = Moment(self.model)

    def _catch_up(self, line: int) -> None:
        """Go to the line of what is chosen, unless the cursor is somewhere in it already."""
        if not line or (self.has_focus and self.selected is self.subject):
            return
        self.cursor = max(0, min(line, self.count()) - 1)
        top = self.scroll_offset.y
        if not top + 2 <= self.cursor <= top + self.visible_lines * 2 // 3:  # what follows it matters as well
            self.scroll_line(max(0, self.cursor - self.visible_lines // 3))
        super().sync()

    def count(self) -> int:
        """Say how many lines the text has."""
        return len(self.model.source.lines)

    def sync(self) -> None:
        """Take in another version, and say which it is."""
        self.header_lines = 1 if self.model.board.problems else 0
        if not self.has_place or not self.size:
            return  # nobody looks: the text need not even be read
        self._example = self._choose_example()
        source = self.model.source
        if source.version != self._of_version:
            self._of_version = source.version
            self._is_behind = True
        super().sync()  # first, for it says how far can be scrolled
        if self._is_behind and self.count():
            self._is_behind = False
            self._catch_up(line_of(self.subject))

    def wanted_lines(self) -> int:
        """All of the text; a guess as long as nobody looked, for only then it is read."""
        if self.model.source.is_read:
            return super().wanted_lines()
        return UNREAD_LINES if self.model.source.version else 0

    def title(self) -> list[Piece]:
        """Say which text it is."""
        name = self.brush.text(self.model.board.scenario.rpartition("/")[2], limit=60)
        reloads = self.model.source.reloads
        return [(name, ""), (f"  after {plural(reloads, 'reload')}" if reloads else "", "dim")]

    def header_key(self) -> Hashable:
        """The edit that was refused."""
        return self.model.board.reload_seq

    def paint_header(self, width: int) -> list[Piece]:
        """Say that the file is another than the run knows."""
        if not self.model.board.problems:  # gone while the pane was hidden, or drawn before it is brought up to date
            return []
        problem = self.model.board.problems[0]
        line = int(problem.get("line") or 0)
        where = f" at line {line}" if line else ""
        message = self.brush.text(problem.get("message", ""))
        return [(f" the file on disk was refused{where}: {message}", "failed"), ("  this is what runs", "dim")]

    def line_key(self, index: int) -> Hashable:
        """The text, what is on the line, and what its template is."""
        source = self.model.source
        groups = tuple((group.version, group.state) for group in source.on(index + 1))
        said = self._moment.at(index + 1, self._example)
        stands = (self.model.board.stops.version, self._is_next(index + 1)) if groups else ()
        return (source.version, index, groups, self._shift, self.count(), repr(said), stands, self._example_name())

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        if not self.model.board.seq:
            return [("waiting for the run ...", "dim")]
        return [("the text of the scenario is not here", "dim"), ("this run kept no copy of it", "dim")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Sign, number and text; at the end, what the line stands for now."""
        source = self.model.source
        gutter = self._gutter(index + 1)
        room = width - cells_of(gutter)
        text = self.brush.text(source.lines[index], limit=LINE_CHARACTERS)
        pieces = [_piece(part) for part in parts(text, in_block=source.is_in_block(index))]
        if self._shift:
            pieces = window(pieces, self._shift, LINE_CHARACTERS)
        used = cells_of(pieces)
        note, style = self._note(index + 1)
        if note and used + NOTE_GAP + min(cell_len(note), 8) <= room:
            pieces.append((" " * NOTE_GAP, ""))
            pieces.append((fit_most(note, room - used - NOTE_GAP), style))
        return [*gutter, *pieces]

    def _gutter(self, line: int) -> list[Piece]:
        """Draw what stands before the text: the sign of what goes on there, breakpoint, number, and where the run is.

        The one place that lays it out: another column comes here.
        """
        digits = max(3, len(str(self.count())))
        mark, style = self._mark(line)
        return [
            (fit(mark, MARK_CELLS, right=True), style),
            self._breakpoint(line),
            (f"{line:>{digits}}", "faint"),
            self._arrow(line),
        ]

    @property
    def gutter_cells(self) -> int:
        """How many cells stand before the text: a click on them is about a breakpoint."""
        return MARK_CELLS + BREAK_CELLS + max(3, len(str(self.count()))) + ARROW_CELLS

    def breakpoints_on(self, line: int) -> list[Listed]:
        """Give the breakpoints of what begins on a line, those that stop it first."""
        found = [each for group in self.model.source.on(line) for each in self.model.board.stops.at(group)]
        unique = list(dict.fromkeys(found))
        return sorted(unique, key=lambda each: BREAK_LOOKS.index(break_look(each)))

    def _breakpoint(self, line: int) -> Piece:
        found = self.breakpoints_on(line)
        if not found:
            return " " * BREAK_CELLS, ""
        look = break_look(found[0])
        return fit(self.brush.sign(look), BREAK_CELLS, right=True), look.style

    def _is_next(self, line: int) -> bool:
        held = self.model.held
        return held is not None and line_of(held) == line

    def _arrow(self, line: int) -> Piece:
        """Point at the line of what comes next, else at those that run."""
        if self._is_next(line):
            return fit(self.brush.pick("►", ">"), ARROW_CELLS), "held"
        look = self._look(line)[0]
        if look is not None and look.style == "running":
            return fit(self.brush.sign(look), ARROW_CELLS), look.style
        return " " * ARROW_CELLS, ""

    def _mark(self, line: int) -> Piece:
        look, count = self._look(line)
        if look is None:
            return "", ""
        shown = str(count) if count < 1000 else "+"
        return self.brush.sign(look) + (shown if count > 1 or look.style in ("failed", "lost") else ""), look.style

    def _breakpoint_words(self, line: int) -> str:
        """Say which breakpoints are on a line, and what they wait for."""
        found = self.breakpoints_on(line)
        if not found:
            return ""
        first = found[0]
        given = first.breakpoint
        where = f" @{given.pattern.partition('@')[2]}" if first.pattern.agent or first.pattern.item is not None else ""
        when = "" if given.when in ("before", "stage") else f" {given.when}"
        text = f" if {given.condition}" if given.condition else ""
        text += f" writes {given.log}" if given.log else ""
        off = "" if given.is_on else ", off"
        more = f" (+{len(found) - 1})" if len(found) > 1 else ""
        return self.brush.text(f"breakpoint {first.number}{where}{when}{text}{off}{more}", limit=80)

    def _look(self, line: int) -> tuple[Look | None, int]:
        """What to show at a line: the failures first, then what is held, then what runs."""
        for group in reversed(self.model.source.on(line)):
            if group.kind is Kind.STAGE:
                if group.name in self.model.board.confirmations:
                    return LOOKS[State.HELD], 1
                if any(isinstance(job, Group) and job.line for job in group.children):
                    continue  # its jobs say it, each on its line
            for state in (*_FAILED, *_SHOWN):
                if group.tally[state]:
                    return LOOKS[state], group.tally[state]
        return None, 0

    def _note(self, line: int) -> Piece:
        look, count = self._look(line)
        words = self._breakpoint_words(line)
        if words and (look is None or look.style not in ("failed", "lost")):
            also = f", {count} {look.word}" if look is not None else ""
            return f"{self.brush.pick('◂', '<')} {words}{also}", "held"
        if look is not None:
            groups = self.model.source.on(line)
            running = groups[-1].tally[State.RUNNING] if look.style in ("failed", "lost") else 0
            also = f", {running} running" if running else ""
            return f"{self.brush.pick('◂', '<')} {count} {look.word}{also}", look.style
        said = self._moment.at(line, self._example)
        if said is None:
            return "", ""
        shown = [f"{name}{' ' if name else ''}= {self.brush.text(value(given))}" for name, given in said.values]
        whose = f"  ({self._example_name()})" if said.is_of_row and self._example_name() else ""
        return f"{fit_most(', '.join(shown), VALUE_CELLS + 2)}{whose}", "dim"

    def _example_name(self) -> str:
        """Name the agent whose values are shown, where it is not what is chosen."""
        row = self._example
        return self.brush.text(row.agent) if row is not None and row is not self.subject else ""

    def _choose_example(self) -> InstanceRow | None:
        """Whose arguments are shown: the chosen instance's; of a job, those of its first failed one, or of its only."""
        row = self.subject
        if isinstance(row, InstanceRow) or row is None or row.kind is Kind.STAGE:
            return row if isinstance(row, InstanceRow) else None
        board = self.model.board
        failed = (each for each in board.failures.values() if row in (each.job, each.parent))
        first = next(failed, None) if row.tally[State.FAILED] else None
        if first is None and row.tally[State.HELD]:
            first = next((held for held in self.model.scope.held() if row in (held.job, held.parent)), None)
        only = row.children[0] if len(row.children) == 1 else None
        return first or (only if isinstance(only, InstanceRow) else None)

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse is; before the text, set a breakpoint there, or take it away."""
        event.prevent_default()
        super().on_click(event)
        if event.x - self.gutter.left < self.gutter_cells and self.has_text_at(event.y):
            self.app.call_later(self.screen.run_action, "toggle_breakpoint")

    def has_text_at(self, y: int) -> bool:
        """Whether a line of the text stands in a row of the pane."""
        index = self.scroll_offset.y + y - self.header_lines - self.gutter.top
        return y - self.header_lines - self.gutter.top >= 0 and 0 <= index < self.count()

    def action_sideways(self, by: int) -> None:
        """Scroll to what is too long for the pane."""
        self._shift = max(0, min(self._shift + by * SHIFT_CELLS, LINE_CHARACTERS))
        self.sync()

    def text_of_selected(self) -> str:
        """Give the line, as it is in the file."""
        return self.model.source.lines[self.cursor] if self.count() else ""


def _place_of(row: Row | None) -> Row | None:
    """Give what has a line of its own: the job of an instance, of a job on an agent, else the row itself."""
    if isinstance(row, InstanceRow):
        return row.job
    return row.above if row is not None and row.kind is Kind.AGENT else row


def _piece(part: Part) -> Piece:
    return part.text, STYLES[part.kind]
