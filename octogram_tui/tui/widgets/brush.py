"""Draws a line out of pieces: the one place that knows the palette, and whether only ASCII can be drawn."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from octogram_tui.projection.ansi import drawn, drawn_text
from octogram_tui.projection.text import safe
from octogram_tui.tui.format import Look
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.theme import Palette
from octogram_tui.tui.widgets.contrast import readable
from octogram_tui.tui.widgets.ink import inked

CUT = "~"
"""Stands where a text was cut: one cell in every terminal, unlike the ellipsis."""

LEAST_NAME_CELLS = 7
"""In less room a name has its beginning only."""

INK = "\x1b"
"""Begins the name of a style that a job chose itself; the codes of its look follow."""

KEPT_INKS = 1_000

Piece = tuple[str, str]
"""A text that is safe to show, and the name of its style, or what `INK` begins."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or fill a text to a width in cells."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + CUT if width > 1 else set_cell_size(text, max(0, width))
    return " " * (width - length) + text if right else text + " " * (width - length)


def fit_name(name: str, width: int) -> str:
    """Cut or fill a name: many are told apart by their ends only, so one that is cut has its beginning and its end."""
    if width < LEAST_NAME_CELLS or cell_len(name) <= width:
        return fit(name, width)
    last = width // 2
    end = name[-last:]
    while cell_len(end) > last:
        end = end[1:]
    return set_cell_size(name, width - 1 - cell_len(end)) + CUT + end


def fit_most(text: str, width: int) -> str:
    """Cut a text to a width in cells; a shorter one is not filled."""
    return fit(text, min(width, cell_len(text)))


def cells_of(pieces: list[Piece]) -> int:
    """Count the cells of pieces."""
    return sum(cell_len(text) for text, _ in pieces)


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of at most so many cells, between words where that goes."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, max(1, width)) or [""]
        lines += full
    return [*lines, line]


def window(pieces: list[Piece], left: int, width: int) -> list[Piece]:
    """Cut what is seen of pieces: `width` cells from the cell `left` on. A sign of two cells is never halved."""
    seen: list[Piece] = []
    for text, style in pieces:
        if width <= 0:
            break
        length = cell_len(text)
        if left >= length:
            left -= length
            continue
        if left:
            text = _without(text, left)
            length -= left
            left = 0
        if length > width:
            text = set_cell_size(text, width)
        seen.append((text, style))
        width -= length
    return seen


def _without(text: str, count: int) -> str:
    """Cut cells from the front of a text; of a sign that is halved a blank is left."""
    if text.isascii():
        return text[count:]
    front = next(iter(chop_cells(text, count)))
    rest = text[len(front) :]
    missing = count - cell_len(front)
    if not missing:
        return rest
    return " " * (cell_len(rest[:1]) - missing) + rest[1:]


class Brush:
    """Holds palette and keys of the moment. `version` grows when they change, so that cached lines are drawn anew."""

    def __init__(self, palette: Palette, *, ascii_only: bool = False, keys: Keys | None = None) -> None:
        self.palette = palette
        self.keys = keys or Keys()
        self.ascii_only = ascii_only
        self.version = 0
        self._inks: dict[str, Style] = {}

    def use(self, palette: Palette) -> None:
        """Change the palette."""
        self.palette = palette
        self._inks.clear()
        self.version += 1

    def use_keys(self, keys: Keys) -> None:
        """Change the keys."""
        self.keys = keys
        self.version += 1

    def style(self, name: str) -> Style:
        """Give a style by its name; an empty name is the plain text's."""
        if name[:1] == INK:
            style = self._inks.get(name)
            if style is None:
                if len(self._inks) >= KEPT_INKS:
                    self._inks.clear()
                style = self._inks[name] = inked(name[1:], self.palette)
            return style
        return self.palette.styles[name or "text"]

    def key(self, action: str) -> str:
        """Give the first key that does an action now, as people read it; empty where none does."""
        return self.keys.name(action)

    def way(self, action: str) -> str:
        """Say how an action is done now: by its key, else by its name in the palette."""
        return self.key(action) or f"{self.key('palette') or 'the palette:'} {action}"

    def text(self, raw: object, *, limit: int = 512) -> str:
        """Make text from outside safe to show."""
        return safe(raw, limit=limit, ascii_only=self.ascii_only)

    def line(self, raw: str) -> str:
        """Make a line of output safe to show."""
        return drawn_text(raw, ascii_only=self.ascii_only)

    def output(self, raw: str, style: str = "") -> list[Piece]:
        """Make a line of output safe to show, in its own colours; `style` is for where it has none."""
        return [(text, f"{INK}{codes}" if codes else style) for text, codes in drawn(raw, ascii_only=self.ascii_only)]

    def sign(self, look: Look) -> str:
        """Give the sign of a state."""
        return look.ascii_sign if self.ascii_only else look.sign

    def pick(self, sign: str, ascii_sign: str) -> str:
        """Give a sign, or what stands for it in ASCII."""
        return ascii_sign if self.ascii_only else sign

    def strip(self, pieces: list[Piece], width: int, *, over: str = "") -> Strip:
        """Lay pieces side by side over exactly `width` cells; `over` names a style for the whole line."""
        segments = [Segment(text, self.style(style)) for text, style in pieces if text]
        strip = Strip(segments).adjust_cell_length(width, self.style("text"))
        return under(strip, self.style(over)) if over else strip


def under(strip: Strip, ground: Style) -> Strip:
    """Put a style below a line, and its ground above whatever grounds the pieces had.

    An ink that cannot be read on that ground gives way to the plain text's.
    """
    cover = Style(bgcolor=ground.bgcolor, reverse=ground.reverse, underline=ground.underline)
    if ground.color is not None:  # a cursor with its own ink: that of the pieces may not be read on its ground
        cover += Style(color=ground.color, bold=ground.bold)
    return Strip([Segment(text, _readable(style, ground) + cover) for text, style, _ in strip], strip.cell_length)


def _readable(style: Style | None, ground: Style) -> Style:
    """Bring an ink nearer to the plain text's, just as far as it takes to be read on that ground."""
    if style is None or ground.color is not None or style.color is None or ground.bgcolor is None:
        return style or Style.null()
    ink, below = style.color.triplet, ground.bgcolor.triplet
    if ink is None or below is None:
        return style
    nearer = readable(ink, below)
    return style if nearer == ink else style + Style(color=Color.from_triplet(nearer))
