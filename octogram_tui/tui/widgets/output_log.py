"""What was written: follows, scrolls, searches, wraps; a line is drawn only when it is seen."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len
from textual.events import MouseScrollDown, MouseScrollUp
from textual.scrollbar import ScrollTo

from octogram_tui.projection.logbook import Gap, Line
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow
from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import LOOKS, duration, plural
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model, Subject, scope_of, title_of
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.log_line import NEXT_TIMES, LogPainter
from octogram_tui.tui.widgets.log_rows import LogRows
from octogram_tui.tui.widgets.log_tab import LogTab
from octogram_tui.tui.widgets.title_line import PaneMark

SIDEWAYS_CELLS = 16
LINES_A_STEP = 8
LETTERS = "ABCD"
"""What pinned logs are called; there are no more than these."""


class OutputLog(LineView):
    """The log of what is chosen in another pane, and those that were pinned."""

    BINDINGS = bindings("log")
    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="log")
        self.tabs = [LogTab(model.logbook)]  # the first follows what is chosen
        self.tab = self.tabs[0]  # the one that is shown
        self.wraps = False
        self._painter = LogPainter(brush)
        self._rows: LogRows | None = None  # when wrapping
        self._look: Hashable = None  # what all rows depend on: laid out anew when it changes
        self._has_looked = False
        self._top = self._shortened = 0  # where one read, and where one is as the log of a moment is shorter

    # What is shown of the log

    @property
    def subject(self) -> Subject | None:
        """What the log is about."""
        return self.tab.subject

    @property
    def lines(self) -> list[Line]:
        """The lines that can be scrolled through."""
        return self.tab.lines

    @property
    def is_following(self) -> bool:
        """Whether the end is shown, and what comes."""
        return self.tab.is_following

    @property
    def is_at_end(self) -> bool:
        """Whether more lines move nothing else."""
        return self.tab.is_following

    @property
    def unseen(self) -> int:
        """How many lines came since it follows no more."""
        return self.tab.unseen

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self.tab.search.needle if self.tab.search is not None else ""

    @property
    def match(self) -> int | None:
        """The line that was found, among `lines`."""
        return None if self.tab.match is None else self.tab.match - self.tab.view.removed

    def look_at(self, subject: Subject | None) -> None:
        """Show what something wrote, from its end on. A pinned log stays, and stays shown."""
        if isinstance(subject, Variable):
            return  # a variable writes nothing
        tab = self.tabs[0]
        if scope_of(subject) == tab.view.scope and self._has_looked:
            tab.subject = subject
            return
        self._has_looked = True
        self.tabs[0] = LogTab(self.model.logbook, subject)
        if self.tab is tab:
            self._show_tab(self.tabs[0])

    # Pinned logs

    def action_pin(self) -> None:
        """Pin the log that is shown, or let go of it when it is a pinned one."""
        if self.tab.letter:
            self.tabs.remove(self.tab)
            self._show_tab(self.tabs[0])
            return
        left = [letter for letter in LETTERS if all(tab.letter != letter for tab in self.tabs)]
        if not left:
            text = f"{len(LETTERS)} logs are pinned: show one of them and let go of it first"
            self.app.notify(text, severity="warning", markup=False)
            return
        follower = self.tab
        follower.top = self.scroll_offset.y
        pinned = LogTab(self.model.logbook, follower.subject, letter=left[0])
        self.tabs.append(pinned)
        self.tabs[1:] = sorted(self.tabs[1:], key=lambda tab: tab.letter)
        self._show_tab(pinned)

    def action_next_log(self, by: int) -> None:
        """Show another of the logs: the one that follows, then those that are pinned."""
        if len(self.tabs) == 1:
            self.app.notify("no log is pinned", markup=False)
            return
        self._show_tab(self.tabs[(self.tabs.index(self.tab) + by) % len(self.tabs)])

    def show_log(self, letter: str) -> None:
        """Show a pinned log by its letter; the one that follows has none."""
        for tab in self.tabs:
            if tab.letter == letter:
                self._show_tab(tab)

    def _show_tab(self, tab: LogTab) -> None:
        self.tab.top = self.scroll_offset.y
        self.tab = tab
        self._look, self._rows = None, None  # of the other log: this may be drawn before it is laid out
        self.sync()
        self.scroll_line(self.max_scroll_y if tab.is_following else tab.top)

    # Keeping up

    def count(self) -> int:
        """Say how many rows the lines take."""
        return self._rows.count if self._rows is not None else len(self.tab.lines)

    def sync(self) -> None:
        """Take in what came, and follow it; what is read does not move."""
        tab = self.tab
        gone = 0
        for each in self.tabs:
            came = each.catch_up()
            if each is tab:
                gone = came.removed
        if self.size:
            self._lay_out(gone)
        super().sync()
        if tab.is_following and self.scroll_offset.y != self.max_scroll_y:
            self.scroll_line(self.max_scroll_y)

    def moment_changed(self) -> None:
        """Show what was written by then; where one reads stays, as far as the log went."""
        super().moment_changed()
        top = self.scroll_offset.y
        wanted = self._top if top == self._shortened else top
        for tab in self.tabs:
            tab.look_at(self.model.logbook, tab.foothold(self.model).again(tab.subject))
        self._look, self._rows = None, None
        self.sync()
        if not self.tab.is_following:
            self.scroll_line(max(0, min(wanted, self.count() - self.visible_lines)))
        self._top, self._shortened = wanted, self.scroll_offset.y

    def _lay_out(self, gone: int) -> None:
        """Lay out the lines that came since; all of them when they look otherwise, and then the top one stays."""
        tab, painter, width = self.tab, self._painter, self.line_cells
        painter.started_s = self.model.started_s
        prefix = painter.measure(tab, width)
        look = (width, prefix, painter.times, self.wraps)
        rows = self._rows
        top = self.scroll_offset.y
        if look == self._look:
            rows_gone = gone
            if rows is not None:
                rows_gone = rows.let_go(min(gone, rows.line_count)) if gone else 0
                rows.lay(tab.lines[rows.line_count :])
            if rows_gone and not tab.is_following:
                self.scroll_line(max(0, top - rows_gone))
            return
        line, part = rows.at(top) if rows is not None and rows.line_count else (top, 0)
        cells = part * rows.room if rows is not None else 0
        is_anew = self._look is None
        self._look = look
        self._rows = None
        if self.wraps:
            self._rows = LogRows(self.brush, width - prefix)
            self._rows.lay(tab.lines)
        if not tab.is_following and not is_anew and tab.lines:
            line = max(0, min(line - gone, len(tab.lines) - 1))
            target = line if self._rows is None else self._rows.row_of(line) + cells // self._rows.room
            self.call_after_refresh(self.scroll_line, target)

    def title(self) -> list[Piece]:
        """Say whose log it is: which pinned ones there are, and how what is shown stands."""
        subject = self.tab.subject
        pieces: list[Piece] = []
        for tab in self.tabs[1:]:
            pieces += [(tab.letter, "strong" if tab is self.tab else "dim"), (" ", "")]
        pieces.append((f"{' ' * bool(pieces)}{self.brush.text(title_of(subject), limit=80)}", ""))
        if isinstance(subject, InstanceRow):
            if subject.attempt > 1:
                pieces.append((f"  attempt {subject.attempt}", ""))
            took = duration(subject.duration_s(self.model.now_s))
            pieces.append((f"  {LOOKS[subject.state].word} {took}".rstrip(), LOOKS[subject.state].style))
            cluster = self.model.board.clusters.holding(subject.key)
            if cluster is not None and len(cluster) > 1:
                pieces.append((f"  one of {len(cluster)}", ""))
        return pieces

    def marks(self) -> list[PaneMark]:
        """Say what is not as usual: what is searched for, that it does not follow, that lines are wrapped or cut."""
        tab = self.tab
        marks: list[PaneMark] = []
        if tab.search is not None:
            total = len(tab.search.numbers)
            place = tab.search.place(tab.match) if tab.match is not None else 0
            count = f"{place} of {plural(total, 'match')}" if place else plural(total, "match")
            count = count.replace("matchs", "matches")
            needle = self.brush.text(tab.search.needle, limit=20)
            text = f"/{needle}: {count if total else 'nowhere'}"
            marks.append(PaneMark(text, "accent" if total else "retrying", "next_match(-1)"))
        if tab.left and not self.wraps:
            marks.append(PaneMark(f"from column {tab.left + 1}", "dim"))
        if self.wraps:
            marks.append(PaneMark("wrapped", "dim", "wrap"))
        if not tab.is_following:
            new = f"+{tab.unseen} new" if tab.unseen else "not following"
            marks.append(PaneMark(f"{new}, G follows", "retrying", "edge(1)"))
        return marks

    def wanted_lines(self) -> int:
        """As many as were ever written by anybody, by the step: its room does not change with what is chosen."""
        return -(-len(self.model.logbook.lines) // LINES_A_STEP) * LINES_A_STEP

    # Drawing

    def _at(self, row: int) -> tuple[int, int]:
        """Say which line a row shows, and which part of it."""
        return self._rows.at(row) if self._rows is not None else (row, 0)

    def line_key(self, index: int) -> Hashable:
        """The line's number, how it is shown, and what is searched."""
        tab = self.tab
        line, part = self._at(index)
        number = line + tab.view.removed
        cut = tab.left if self._rows is None else -1
        return (tab.view.scope, number, part, self._look, cut, self.needle, number == tab.match)

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a row: a line, or a part of one."""
        line, part = self._at(index)
        return self._painter.paint(self.tab, line, width, self._rows, part)

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

    def goes_on_at(self, index: int) -> int | None:
        """A part of a wrapped line begins behind the room of its prefix."""
        return self._painter.prefix_characters if self._at(index)[1] else None

    # Giving it away

    def text_of_all(self, *, has_colours: bool = False) -> str:
        """Give every line that is held. Of what a terminal obeys nothing is left but colours, where they are wanted."""
        tab, plain = self.tab, self._painter.plain
        return "\n".join(plain(tab, line, has_colours=has_colours) for line in tab.lines)

    def text_of_selected(self) -> str:
        """Give the lines on the screen, or the one that was found."""
        if self.match is not None:
            return self._painter.plain(self.tab, self.lines[self.match])
        top = self.scroll_offset.y
        rows = range(top, min(self.count(), top + self.visible_lines))
        numbers = dict.fromkeys(self._at(row)[0] for row in rows)
        return "\n".join(self._painter.plain(self.tab, self.lines[number]) for number in numbers)

    def left_out(self) -> Line | None:
        """Give the nearest line above the last row seen which tells of lines left out, or whose origin does."""
        if not self.lines:
            return None
        row = min(self.count(), self.scroll_offset.y + self.visible_lines) - 1
        last = self._at(row)[0]
        above = self.lines[last::-1]
        gaps = (line for line in above if isinstance(line, Gap) and line.number)
        return next(gaps, None) or next((line for line in above if line.origin.let_go), None)

    async def action_more_of_log(self) -> None:
        """Let the screen read it, which shows it over the panes."""
        await self.run_action("screen.more_of_log")

    # Moving about

    def hold(self) -> None:
        """Follow no more."""
        if self.tab.is_following:
            self.tab.is_following = False
            self.tab.unseen = 0

    def follow(self) -> None:
        """Show the end, and what comes."""
        self.tab.is_following = True
        self.tab.unseen = 0
        self.sync()

    def action_move(self, by: int) -> None:
        """Scroll; going up lets go of the end, reaching it takes hold again."""
        target = max(0, min(self.scroll_offset.y + by, self.max_scroll_y))
        self.scroll_line(target)
        if target >= self.max_scroll_y and by > 0:
            self.follow()
        elif by < 0:
            self.hold()

    def on_mouse_scroll_up(self, _: MouseScrollUp) -> None:
        """The wheel lets go of the end as well."""
        self.hold()

    def on_mouse_scroll_down(self, _: MouseScrollDown) -> None:
        """And takes hold of it again."""
        self.call_after_refresh(self._follow_at_end)

    def on_scroll_to(self, _: ScrollTo) -> None:
        """So does the scrollbar."""
        self.hold()
        self.call_after_refresh(self._follow_at_end)

    def _follow_at_end(self) -> None:
        if not self.tab.is_following and self.scroll_offset.y >= self.max_scroll_y:
            self.follow()

    def action_sideways(self, by: int) -> None:
        """See more of lines that are cut."""
        if self.wraps or not self.lines:
            return
        top = self.scroll_offset.y
        seen = self.lines[top : top + self.visible_lines]
        longest = max((self._painter.text_cells(line) for line in seen), default=0)
        most = max(0, longest - self._painter.room(self.line_cells) + 1)
        self.tab.left = max(0, min(self.tab.left + by * SIDEWAYS_CELLS, most if by > 0 else self.tab.left))
        self.sync()

    def action_timestamps(self) -> None:
        """Show when each line came: since the run's start, by the clock, or not at all."""
        painter = self._painter
        painter.times = NEXT_TIMES[painter.times]
        if painter.times == "day" and self.model.started_s is None:
            painter.times = ""
        self.sync()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wraps = not self.wraps
        self.sync()

    # Searching

    def search(self, needle: str) -> bool:
        """Look for a text from what is seen backwards; False when it is nowhere."""
        self.tab.look_for(needle, self.brush.line)
        self.tab.go_to_match(-1, self._last_seen() + 1)
        return self._show_match()

    def action_next_match(self, by: int) -> None:
        """Go to the next place that was searched for, or the one before."""
        if self.tab.search is None:
            return
        self.tab.go_to_match(by, self._last_seen())
        self._show_match()

    def clear_search(self) -> bool:
        """Forget what was searched for; False when nothing was."""
        was = self.tab.search is not None
        self.tab.look_for("", self.brush.line)
        self.sync()
        return was

    def _last_seen(self) -> int:
        """The number, among `lines`, of the last line on the screen."""
        row = min(self.count(), self.scroll_offset.y + self.visible_lines) - 1
        return self._at(row)[0] if row >= 0 else 0

    def _show_match(self) -> bool:
        match = self.match
        if match is not None:
            self.hold()
            target = match if self._rows is None else self._rows.row_of(match)
            self.scroll_line(max(0, target - self.visible_lines // 2))
            if self._rows is None:
                self._show_column(match)
        self.sync()
        return match is not None

    def _show_column(self, match: int) -> None:
        """Scroll sideways when what was found is not within what is seen of its line."""
        assert self.tab.search is not None
        text = self.brush.line(self.lines[match].text)
        spans = self.tab.search.spans(text)
        if not spans:
            return
        begin, end = (cell_len(text[:at]) for at in spans[0])
        room = self._painter.room(self.line_cells)
        if begin < self.tab.left or end > self.tab.left + room - 1:
            self.tab.left = max(0, begin - room // 3) if end > room - 1 else 0
