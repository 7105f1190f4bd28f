"""The base of every pane: a window on a list of lines that exist only while they are looked at.

A pane says how many lines there are, names what each depends on (`line_key`), and paints one. What has the same key
as before is not painted again, and what is not on the screen is not painted at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.segment import Segment
from textual.events import Click, Key, Paste
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush, Piece, under
from octogram_tui.tui.widgets.scrollbar import draw_whole_cells
from octogram_tui.tui.widgets.title_line import PaneMark

CACHED_STRIPS = 1_000


class Glance(NamedTuple):
    """What all lines of a frame have in common. base: what all that was painted depends on."""

    base: Hashable
    cells: int
    top: int
    total: int
    is_selecting: bool


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
        self._texts: dict[Hashable, str] = {}  # the same, as the terminal takes them
        self._codes: dict[tuple[int, str], str] = {}  # how a style is set there
        self._shown: dict[int, Hashable] = {}
        self._laid_out: tuple[int, int, int] | None = None  # cursor, lines and height at the last look

    def on_mount(self) -> None:
        """Draw the scrollbar so that it can be drawn anywhere."""
        draw_whole_cells(self)

    def on_resize(self) -> None:
        """Keep the cursor in view at once: the next tick is a while ahead."""
        self.sync()

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
            self._measure_anew(size)
        laid_out = (self.cursor, total, self.visible_lines)
        if self.has_cursor and laid_out != self._laid_out:
            # A filter, a reload, another size: the cursor stays on the screen, unless the operator looked away from it.
            if was_seen:
                self.show_line(self.cursor)
            self._laid_out = laid_out
        glance, shown, height = self._glance(), self._shown, self.size.height
        stale = [y for y in range(height) if shown.get(y) != self._full_key(y, glance)]
        if len(stale) > height // 2:
            self.refresh(Region(0, 0, glance.cells, height))
        elif stale:
            self.refresh(*(Region(0, y, glance.cells, 1) for y in stale))

    @property
    def is_at_end(self) -> bool:
        """Whether it shows its end, and what comes: more lines move nothing but its scrollbar."""
        return False

    def _measure_anew(self, size: Size) -> None:
        """Be of another size within. The library lays the whole screen out for that, unless nothing else moves."""
        before, rows = self.virtual_size, self.size.height
        if self.is_at_end and size.width == before.width and (size.height > rows) is (before.height > rows):
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def _is_seen(self, index: int, height: int) -> bool:
        return self.scroll_offset.y <= index < self.scroll_offset.y + height

    def _glance(self) -> Glance:
        cells = self.line_cells
        base = (self.brush.version, cells, self.has_focus)
        return Glance(base, cells, self.scroll_offset.y, self.count(), self.text_selection is not None)

    def _full_key(self, y: int, glance: Glance) -> Hashable:
        header = self.header_lines
        if y < header:
            return (glance.base, "header", y, self.header_key())
        index = glance.top + y - header
        if index < glance.total:
            span = self._selected_span(index) if glance.is_selecting else None
            return (glance.base, self.line_key(index), self.has_cursor and index == self.cursor, span)
        return (glance.base, "below", self._empty_piece(y) if not glance.total else ())

    def _empty_piece(self, y: int) -> Piece:
        lines = self.empty_lines()
        row = y - self.header_lines - 1
        return lines[row] if 0 <= row < len(lines) else ("", "")

    def render_line(self, y: int) -> Strip:
        """Give one line to the screen, painted now or before."""
        glance = self._glance()
        key = self._full_key(y, glance)
        self._shown[y] = key
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > CACHED_STRIPS:
                self._strips.clear()
            strip = self._strips[key] = self._painted(y, glance).apply_style(self.rich_style)
        index = glance.top + y - self.header_lines
        return strip.apply_offsets(0, max(0, index))

    def row_texts(self, rows: Iterable[int], width: int, console: Console) -> dict[int, str]:
        """Give lines to the terminal as it takes them: what most lines of most frames are drawn by.

        Those are left out that are more than pieces beside each other, which the library has to put together.
        """
        glance, height = self._glance(), self.size.height
        found: dict[int, str] = {}
        if width != glance.cells or not self._is_plain:
            return found
        cursor = self.cursor - glance.top + self.header_lines if self.has_cursor and glance.total else -1
        for y in rows:
            if y >= height or (y == cursor and y >= self.header_lines):
                continue
            key = self._full_key(y, glance)
            text = self._texts.get(key)
            if text is None:
                if len(self._texts) > CACHED_STRIPS:
                    self._texts.clear()
                text = self._texts[key] = self._as_text(self._pieces(y, glance), width, console)
            self._shown[y] = key
            found[y] = text
        return found

    @property
    def _is_plain(self) -> bool:
        """Whether nothing is selected in it, and nothing covers it. It has no edge in any theme."""
        return self.text_selection is None and "render_lines" not in self.__dict__

    def _as_text(self, pieces: list[Piece], width: int, console: Console) -> str:
        out = []
        for text, style in pieces:
            cells = cell_len(text)
            if cells > width:
                text, cells = set_cell_size(text, width), width
            if cells:
                out.append(self._coded(text, style, console))
            width -= cells
        if width:
            out.append(self._coded(" " * width, "text", console))
        return "".join(out)

    def _coded(self, text: str, style: str, console: Console) -> str:
        name = (self.brush.version, style)
        codes = self._codes.get(name)
        if codes is None:
            if len(self._codes) > CACHED_STRIPS:
                self._codes.clear()
            codes = self._codes[name] = self._codes_of(style, console)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes else text

    def _codes_of(self, style: str, console: Console) -> str:
        """Work out how a style is set: as the library does it for a line."""
        strip = Strip([Segment("x", self.rich_style + self.brush.style(style))])
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip.render(console).partition("x")[0].removeprefix("\x1b[").removesuffix("m")

    def _pieces(self, y: int, glance: Glance) -> list[Piece]:
        """Paint a line."""
        if y < self.header_lines:
            return self.paint_header_line(y, glance.cells)
        index = glance.top + y - self.header_lines
        if index >= glance.total:
            return [("  ", ""), self._empty_piece(y) if not glance.total else ("", "")]
        self.painted_lines += 1
        return self.paint(index, glance.cells)

    def _painted(self, y: int, glance: Glance) -> Strip:
        pieces = self._pieces(y, glance)
        index = glance.top + y - self.header_lines
        if y < self.header_lines or index >= glance.total:
            return self.brush.strip(pieces, glance.cells)
        over = ""
        if self.has_cursor and index == self.cursor:
            over = "cursor" if self.has_focus else "cursor-idle"
        return self._with_selection(index, self.brush.strip(pieces, glance.cells, over=over))

    def notify_style_update(self) -> None:
        """The look changed (focus, theme): nothing that was painted holds."""
        super().notify_style_update()
        self._codes.clear()
        self._forget_painted()

    def moment_changed(self) -> None:
        """Another moment of the run is looked at: nothing that was painted holds, and every row is another object."""
        self._forget_painted()

    def _forget_painted(self) -> None:
        self._strips.clear()
        self._texts.clear()
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
