"""What was written: follows, scrolls, searches, wraps; a line is drawn only when it is seen."""

from __future__ import annotations

from collections.abc import Hashable
from zlib import crc32

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.selection import Selection
from textual.strip import Strip

from octogram_tui.projection.log_view import LogView
from octogram_tui.projection.logbook import Line, Origin
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Kind
from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import LOOKS, duration, stamp
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model, Subject, scope_of, title_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, under
from octogram_tui.tui.widgets.line_view import LineView

NAME_CELLS = 12
NAME_STYLES = 6
NOTHING_WRAPPED = (-1, 0, 0)
"""No width, not even that of a hidden pane: the rows are laid out anew."""


class OutputLog(LineView):
    """The lines of what is chosen in another pane."""

    BINDINGS = bindings("log")
    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="log")
        self.subject: Subject | None = None
        self.is_following = True
        self.shows_times = False
        self.wraps = False
        self.needle = ""
        self.match: int | None = None  # the line that was found, among `lines`; gone with it
        self.unseen = 0  # lines that came since it follows no more
        self._view = LogView(model.logbook)
        self._rows: list[tuple[int, int]] = []  # when wrapping: line, and the cell of it that the row begins with
        self._wrapped: tuple[int, int, int] = NOTHING_WRAPPED  # width, lines, removed that _rows stand for
        self._titles = ("", "")

    @property
    def lines(self) -> list[Line]:
        """The lines that can be scrolled through."""
        return self._view.lines

    def look_at(self, subject: Subject | None) -> None:
        """Show what something wrote, from its end on."""
        if isinstance(subject, Variable):
            return  # a variable writes nothing
        if scope_of(subject) == self._view.scope and self.subject is not None:
            self.subject = subject
            return
        self.subject = subject
        self._view = LogView(self.model.logbook, scope_of(subject))
        self._rows, self._wrapped = [], NOTHING_WRAPPED
        self.match = None
        self.unseen = 0
        self.is_following = True
        self.scroll_line(0)
        self.sync()

    def count(self) -> int:
        """Say how many rows the lines take."""
        return len(self._rows) if self.wraps else len(self._view.lines)

    def sync(self) -> None:
        """Take in what came, and follow it."""
        removed = self._view.removed
        new = self._view.catch_up()
        removed = self._view.removed - removed
        if not self.is_following:
            self.unseen += new
        if self.match is not None and removed:
            self.match = self.match - removed if self.match >= removed else None
        if self.wraps:
            self._wrap()
        super().sync()
        if self.is_following and self.scroll_offset.y != self.max_scroll_y:
            self.scroll_line(self.max_scroll_y)
        self._entitle()

    def _entitle(self) -> None:
        subject = self.subject
        title = f"Log  {self.brush.text(title_of(subject), limit=80)}"
        if isinstance(subject, InstanceRow):
            took = duration(subject.duration_s(self.model.now_s))
            attempt = f"  attempt {subject.attempt}" if subject.attempt > 1 else ""
            title += f"{attempt}  {LOOKS[subject.state].word} {took}".rstrip()
        side = "" if self.is_following else f"held +{self.unseen}  G follows" if self.unseen else "held  G follows"
        if self.needle:
            side = f"/{self.brush.text(self.needle, limit=20)}  {side}"
        if (title, side) != self._titles:
            self._titles = (title, side)
            self.border_title = Content(f" {title} ")  # a plain text would be read as markup
            self.border_subtitle = Content(f" {side} ") if side else None

    def _wrap(self) -> None:
        """Lay out the lines that came since; all of them when the width is another."""
        width = self.size.width
        old_width, done, removed = self._wrapped
        view = self._view
        if width != old_width or removed != view.removed:
            self._rows, done = [], 0
        for index in range(done, len(view.lines)):
            line = view.lines[index]
            room = max(8, width - self._prefix_cells(line))
            parts = chop_cells(self.brush.line(line.text), room) or [""]
            self._rows += [(index, part) for part in range(len(parts))]
        self._wrapped = (width, len(view.lines), view.removed)

    def _shows_names(self) -> bool:
        return not isinstance(self.subject, InstanceRow)

    def _prefix_cells(self, line: Line) -> int:
        return sum(cell_len(text) for text, _ in self._prefix(line))

    def line_key(self, index: int) -> Hashable:
        """The line's number, how it is shown, and what is searched or selected."""
        line, part = self._rows[index] if self.wraps else (index, 0)
        number = line + self._view.removed
        span = self._selected_span(index)
        return (self._view.scope, number, part, self.shows_times, self.wraps, self.needle, line == self.match, span)

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        subject = self.subject
        if isinstance(subject, InstanceRow) and subject.state is State.PENDING:
            return [("has not run yet", "dim")]
        if isinstance(subject, (Group, InstanceRow)) and subject.duration_s(0.0) is None:
            return [("nothing has run here yet", "dim")]
        if isinstance(subject, (Group, InstanceRow)) and subject.state not in (State.RUNNING, State.RETRYING):
            return [("it wrote nothing", "dim")]
        return [("no output yet", "dim")]

    def _prefix(self, line: Line) -> list[Piece]:
        pieces: list[Piece] = [(" ", "")]
        if self.shows_times:
            pieces.append((stamp(line.at_s) + " ", "time"))
        origin = line.origin
        if self._shows_names():
            subject = self.subject
            by_job = isinstance(subject, AgentRow) or (isinstance(subject, Group) and subject.kind is Kind.AGENT)
            name = (origin.process or origin.job or origin.agent) if by_job else origin.agent
            if by_job and isinstance(subject, Group):
                name = str(origin.item)
            style = f"name-{crc32(name.encode('utf-8', 'replace')) % NAME_STYLES + 1}"
            pieces.append((fit(self.brush.text(name), NAME_CELLS) + " ", style))
        elif origin.attempt > 1:
            pieces.append((f"#{origin.attempt} ", "retrying"))
        return pieces

    def paint(self, index: int, width: int) -> list[Piece]:
        """Time, who, and the text; what was searched for stands out."""
        number, part = self._rows[index] if self.wraps else (index, 0)
        line = self._view.lines[number]
        text = self.brush.line(line.text)
        prefix = self._prefix(line)
        if self.wraps:
            # As wide as the rows were laid out: after a resize the screen may be drawn before that is done again.
            room = max(8, self._wrapped[0] - sum(cell_len(piece) for piece, _ in prefix))
            text = dict(enumerate(chop_cells(text, room))).get(part, "")
            if part:
                prefix = [(" " * sum(cell_len(piece) for piece, _ in prefix), "")]
        style = {"stderr": "stderr", "gap": "gap"}.get(line.stream, "")
        if line.stream == "gap":
            text = f"--- {text} ---"
        return [*prefix, *self._marked(text, style, is_here=number == self.match)]

    def _marked(self, text: str, style: str, *, is_here: bool) -> list[Piece]:
        needle = self.needle
        if not needle:
            return [(text, style)]
        hay = text if needle != needle.lower() else text.lower()
        pieces: list[Piece] = []
        begin = 0
        while (found := hay.find(needle, begin)) >= 0:
            pieces.append((text[begin:found], style))
            begin = found + len(needle)
            pieces.append((text[found:begin], "match-here" if is_here else "match"))
        return [*pieces, (text[begin:], style)]

    # Selecting with the mouse

    def _selected_span(self, index: int) -> tuple[int, int] | None:
        selection = self.text_selection
        return selection.get_span(index) if selection is not None else None

    def _painted(self, y: int, width: int) -> Strip:
        strip = super()._painted(y, width)
        index = self.scroll_offset.y + y - self.header_lines
        span = self._selected_span(index) if index < self.count() else None
        if span is None:
            return strip
        start, end = span
        end = width if end == -1 else end
        style = self.screen.get_component_rich_style("screen--selection")
        before, chosen, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, width)
        return Strip.join([before, under(chosen, style), after])

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self.sync()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give the text that is selected."""
        rows = ["".join(text for text, _ in self.paint(index, self.size.width)) for index in range(self.count())]
        return selection.extract("\n".join(rows)), "\n"

    def text_of_all(self) -> str:
        """Give every line that is held, for the clipboard."""
        return "\n".join(self.brush.line(line.text) for line in self._view.lines)

    def text_of_selected(self) -> str:
        """Give the lines on the screen, or the one that was found."""
        if self.match is not None:
            return self.brush.line(self.lines[self.match].text)
        top = self.scroll_offset.y
        rows = range(top, min(self.count(), top + self.visible_lines))
        numbers = dict.fromkeys(self._rows[row][0] if self.wraps else row for row in rows)
        return "\n".join(self.brush.line(self.lines[number].text) for number in numbers)

    def left_out(self) -> Origin | None:
        """Give whose lines are not all here: the nearest above the last row that is seen."""
        if not self.lines:
            return None
        row = min(self.count(), self.scroll_offset.y + self.visible_lines) - 1
        last = self._rows[row][0] if self.wraps else row
        return next((line.origin for line in reversed(self.lines[: last + 1]) if line.origin.let_go), None)

    async def action_more_of_log(self) -> None:
        """Let the screen read it, which shows it over the panes."""
        await self.run_action("screen.more_of_log")

    # Moving about

    def hold(self) -> None:
        """Follow no more."""
        if self.is_following:
            self.is_following = False
            self.unseen = 0
        self._entitle()

    def follow(self) -> None:
        """Show the end, and what comes."""
        self.is_following = True
        self.unseen = 0
        self.sync()

    def action_move(self, by: int) -> None:
        """Scroll; going up lets go of the end, reaching it takes hold again."""
        target = max(0, min(self.scroll_offset.y + by, self.max_scroll_y))
        self.scroll_line(target)
        if target >= self.max_scroll_y and by > 0:
            self.follow()
        elif by < 0:
            self.hold()

    def on_mouse_scroll_up(self) -> None:
        """The wheel lets go of the end as well."""
        self.hold()

    def action_sideways(self, by: int) -> None:
        """Nothing is to be folded here."""

    def action_timestamps(self) -> None:
        """Show or hide when each line came."""
        self.shows_times = not self.shows_times
        self._relay()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wraps = not self.wraps
        self._relay()

    def _relay(self) -> None:
        self._rows, self._wrapped = [], NOTHING_WRAPPED
        self.sync()

    def search(self, needle: str) -> bool:
        """Look for a text from the end backwards; False when it is nowhere."""
        self.needle = needle
        self.match = self._view.find(needle, len(self.lines) - 1, backwards=True)
        return self._show_match()

    def action_next_match(self, by: int) -> None:
        """Go to the next place that was searched for, or the one before."""
        if not self.needle or not self.lines:
            return
        here = self.match if self.match is not None else len(self.lines)
        self.match = self._view.find(self.needle, (here + by) % len(self.lines), backwards=by < 0)
        self._show_match()

    def _show_match(self) -> bool:
        if self.match is not None:
            self.hold()
            row = next((at for at, (line, _) in enumerate(self._rows) if line == self.match), 0)
            target = row if self.wraps else self.match
            self.scroll_line(max(0, target - self.visible_lines // 2))
        self.sync()
        return self.match is not None

    def clear_search(self) -> bool:
        """Forget what was searched for; False when nothing was."""
        was = bool(self.needle)
        self.needle = ""
        self.match = None
        self.sync()
        return was
