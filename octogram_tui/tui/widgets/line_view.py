"""The base of every pane: a window on a list of lines that exist only while they are looked at.

A pane says how many lines there are, names what each depends on (`line_key`), and paints one. What has the same key
as before is not painted again, and what is not on the screen is not painted at all.
"""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len
from textual.events import Click, Key, Paste
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush, Piece, under
from octogram_tui.tui.widgets.scrollbar import draw_whole_cells
from octogram_tui.tui.widgets.title_line import PaneMark

CACHED_STRIPS = 1_000


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """A pane of lines with a cursor (`has_cursor`) that can be moved about.

    The library's keys for scrolling are not taken over: no key does what the help does not say.
    """

    BINDINGS = bindings("list")
    header_lines = 0
    has_cursor = True
    leads = False  # the row that its cursor is on is chosen in the plan too

    class CursorMoved(Message):
        """The operator moved the cursor."""

        def __init__(self, view: LineView) -> None:
            super().__init__()
            self.view = view

    def __init__(self, model: Model, brush: Brush, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id, classes="pane")
        self.model = model
        self.brush = brush
        self.has_place = True  # whether it has a place on the screen
        self.cursor = 0
        self.painted_lines = 0  # since the start; tests hold it against what is seen
        self._strips: dict[Hashable, Strip] = {}
        self._shown: dict[int, Hashable] = {}
        self._laid_out: tuple[int, int, int] | None = None  # cursor, lines and height at the last look

    def on_mount(self) -> None:
        """Draw the scrollbar so that it can be drawn anywhere."""
        draw_whole_cells(self)

    def allow_focus(self) -> bool:
        """What is not seen takes no keys."""
        return self.has_place

    # What a pane says of itself

    def count(self) -> int:
        """Say how many lines there are."""
        raise NotImplementedError

    def line_key(self, index: int) -> Hashable:
        """Name all that the look of a line depends on, but for width, cursor and palette."""
        raise NotImplementedError

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line."""
        raise NotImplementedError

    def empty_lines(self) -> list[Piece]:
        """Say what to show while there is no line, one piece a line."""
        return []

    @property
    def selected(self) -> Subject | None:
        """What the cursor is on, for the panes that tell of what is chosen elsewhere."""
        return None

    def look_at(self, subject: Subject | None) -> None:
        """Tell of what was chosen elsewhere; most panes do not."""

    def open(self) -> bool:
        """Do what enter does in this pane; False to look into what is selected."""
        return False

    def text_of_selected(self) -> str:
        """Give what is copied when no text is selected."""
        return ""

    def title(self) -> list[Piece]:
        """Say what the pane tells of, beside the view's name in the line above it."""
        return []

    def marks(self) -> list[PaneMark]:
        """Say what should be known about how the pane shows it, for the right end of that line."""
        return []

    def wanted_lines(self) -> int:
        """Say how many lines it could fill; with none, other panes have its room."""
        total = self.count()
        return total + self.header_lines if total else 0

    def header_key(self) -> Hashable:
        """Name all that the header depends on."""
        return None

    def paint_header(self, width: int) -> list[Piece]:
        """Draw the line that stays above the others."""
        return []

    def paint_header_line(self, y: int, width: int) -> list[Piece]:
        """Draw one of the lines that stay above the others, where there are several."""
        return self.paint_header(width)

    # Drawing

    @property
    def line_cells(self) -> int:
        """How wide a line is: the scrollbar stands on what would be its last cell."""
        return max(1, self.size.width - self.scrollbar_size_vertical)

    def sync(self) -> None:
        """Bring what is on the screen up to date with the model."""
        if not self.has_place or not self.size:
            return
        total = self.count()
        was_seen = self._laid_out is None or self._is_seen(self._laid_out[0], self._laid_out[2])
        self.cursor = max(0, min(self.cursor, total - 1))
        size = Size(self.line_cells, total + self.header_lines)
        if size != self.virtual_size:
            self.virtual_size = size
        laid_out = (self.cursor, total, self.visible_lines)
        if self.has_cursor and laid_out != self._laid_out:
            # A filter, a reload, another size: the cursor stays on the screen, unless the operator looked away from it.
            if was_seen:
                self.show_line(self.cursor)
            self._laid_out = laid_out
        stale = [y for y in range(self.size.height) if self._shown.get(y) != self._full_key(y)]
        if len(stale) > self.size.height // 2:
            self.refresh()
        elif stale:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in stale))

    def _is_seen(self, index: int, height: int) -> bool:
        return self.scroll_offset.y <= index < self.scroll_offset.y + height

    def _full_key(self, y: int) -> Hashable:
        base = (self.brush.version, self.line_cells, self.has_focus)
        if y < self.header_lines:
            return (base, "header", y, self.header_key())
        index = self.scroll_offset.y + y - self.header_lines
        total = self.count()
        if index < total:
            return (base, self.line_key(index), self.has_cursor and index == self.cursor, self._selected_span(index))
        return (base, "below", self._empty_piece(y) if not total else ())

    def _empty_piece(self, y: int) -> Piece:
        lines = self.empty_lines()
        row = y - self.header_lines - 1
        return lines[row] if 0 <= row < len(lines) else ("", "")

    def render_line(self, y: int) -> Strip:
        """Give one line to the screen, painted now or before."""
        width = self.line_cells
        key = self._full_key(y)
        self._shown[y] = key
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > CACHED_STRIPS:
                self._strips.clear()
            strip = self._strips[key] = self._painted(y, width).apply_style(self.rich_style)
        index = self.scroll_offset.y + y - self.header_lines
        return strip.apply_offsets(0, max(0, index))

    def _painted(self, y: int, width: int) -> Strip:
        if y < self.header_lines:
            return self.brush.strip(self.paint_header_line(y, width), width)
        index = self.scroll_offset.y + y - self.header_lines
        if index >= self.count():
            text, style = self._empty_piece(y) if not self.count() else ("", "")
            return self.brush.strip([("  ", ""), (text, style)], width)
        self.painted_lines += 1
        over = ""
        if self.has_cursor and index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-idle"
        return self._with_selection(index, self.brush.strip(self.paint(index, width), width, over=over))

    def notify_style_update(self) -> None:
        """The look changed (focus, theme): nothing that was painted holds."""
        super().notify_style_update()
        self._strips.clear()
        self._shown.clear()

    def moment_changed(self) -> None:
        """Another moment of the run is looked at: nothing that was painted holds, and every row is another object."""
        self._strips.clear()
        self._shown.clear()

    # Selecting with the mouse

    def _selected_span(self, index: int) -> tuple[int, int] | None:
        """Say which characters of a line are selected; -1 stands for its end."""
        selection = self.text_selection
        return selection.get_span(index) if selection is not None else None

    def _with_selection(self, index: int, strip: Strip) -> Strip:
        span = self._selected_span(index)
        if span is None:
            return strip
        text = strip.text
        start = cell_len(text[: span[0]])
        end = strip.cell_length if span[1] == -1 else cell_len(text[: span[1]])
        if start >= end:
            return strip
        style = self.screen.get_component_rich_style("screen--selection")
        parts = (strip.crop(0, start), under(strip.crop(start, end), style), strip.crop(end, strip.cell_length))
        return Strip.join(parts)

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self.sync()

    def goes_on_at(self, index: int) -> int | None:
        """Say where the text begins in a line that only goes on with what the one before had no room for."""
        return None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Give the text that is selected, as it stands there; what was wrapped is one line again."""
        last = self.count() - 1
        first = selection.start.y if selection.start is not None else 0
        if selection.end is not None:
            last = min(last, selection.end.y)
        lines: list[str] = []
        for index in range(first, last + 1):
            row = self.brush.strip(self.paint(index, self.line_cells), self.line_cells).text
            start, end = selection.get_span(index) or (0, -1)
            begin = self.goes_on_at(index)
            part = (row if end == -1 else row[:end])[max(start, begin or 0) :]
            if begin is None or not lines:
                lines.append(part)
            else:
                lines[-1] += part
        return "\n".join(line.rstrip() for line in lines), "\n"

    # Keys

    async def take_input(self, event: Key | Paste) -> bool:
        """Do what a key means here or anywhere, before the next is looked at."""
        if isinstance(event, Paste):
            return False
        app = self.app
        return await app._check_bindings(event.key, priority=True) or await app._check_bindings(event.key)

    # Moving about

    @property
    def visible_lines(self) -> int:
        """How many lines fit below the header."""
        return max(1, self.size.height - self.header_lines)

    def move_to(self, index: int) -> None:
        """Put the cursor on a line and bring it into view."""
        self.cursor = max(0, min(index, self.count() - 1))
        self.show_line(self.cursor)
        self.sync()

    def scroll_line(self, y: int) -> None:
        """Scroll at once. By force, for the scrollbar that allows it may only appear with the next frame."""
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def watch_show_vertical_scrollbar(self, _: bool, is_shown: bool) -> None:
        """A scrollbar that comes after we scrolled has to hear of it."""
        if is_shown:
            self.vertical_scrollbar.position = self.scroll_y
        self.call_later(self.sync)  # lines are of another width

    def show_line(self, index: int) -> None:
        """Scroll as little as needed to see a line."""
        top = self.scroll_offset.y
        if index < top:
            self.scroll_line(index)
        elif index >= top + self.visible_lines:
            self.scroll_line(index - self.visible_lines + 1)

    def moved(self) -> None:
        """Tell that the operator, and nobody else, moved the cursor."""
        self.post_message(self.CursorMoved(self))

    def action_move(self, by: int) -> None:
        """Move by lines."""
        if not self.has_cursor:
            self.scroll_relative(y=by, animate=False)
            return
        self.move_to(self.cursor + by)
        self.moved()

    def action_page(self, by: int) -> None:
        """Move by pages."""
        self.action_move(by * max(1, self.visible_lines - 1))

    def action_edge(self, side: int) -> None:
        """Go to the first or the last line."""
        self.action_move(side * (self.count() + 1))

    def action_sideways(self, by: int) -> None:
        """Fold or unfold, where there is something to fold."""

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse is."""
        # The event's place counts from the border on.
        y = event.y - self.header_lines - self.gutter.top
        index = self.scroll_offset.y + y
        if self.has_cursor and 0 <= index < self.count():
            self.move_to(index)
            self.moved()
