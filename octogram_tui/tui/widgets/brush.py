"""Draws a line out of pieces: the one place that knows the palette, and whether only ASCII can be drawn."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from octogram_tui.projection.text import printed, safe
from octogram_tui.tui.format import Look
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.theme import Palette

CUT = "~"
"""Stands where a text was cut: one cell in every terminal, unlike the ellipsis."""

LINE_CHARACTERS = 4096

LEAST_CONTRAST = 3.5
"""A little above what WCAG asks of large text and of signs (3), so that it holds below a dialog too."""

Piece = tuple[str, str]
"""A text that is safe to show, and the name of its style."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or fill a text to a width in cells."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + CUT if width > 1 else set_cell_size(text, max(0, width))
    return " " * (width - length) + text if right else text + " " * (width - length)


def fit_most(text: str, width: int) -> str:
    """Cut a text to a width in cells; a shorter one is not filled."""
    return fit(text, min(width, cell_len(text)))


class Brush:
    """Holds palette and keys of the moment. `version` grows when they change, so that cached lines are drawn anew."""

    def __init__(self, palette: Palette, *, ascii_only: bool = False, keys: Keys | None = None) -> None:
        self.palette = palette
        self.keys = keys or Keys()
        self.ascii_only = ascii_only
        self.version = 0

    def use(self, palette: Palette) -> None:
        """Change the palette."""
        self.palette = palette
        self.version += 1

    def use_keys(self, keys: Keys) -> None:
        """Change the keys."""
        self.keys = keys
        self.version += 1

    def style(self, name: str) -> Style:
        """Give a style by its name; an empty name is the plain text's."""
        return self.palette.styles[name or "text"]

    def key(self, action: str) -> str:
        """Give the first key that does an action now, as people read it; empty where none does."""
        return self.keys.name(action)

    def text(self, raw: object, *, limit: int = 512) -> str:
        """Make text from outside safe to show."""
        return safe(raw, limit=limit, ascii_only=self.ascii_only)

    def line(self, raw: str) -> str:
        """Make a line of output safe to show."""
        return safe(printed(raw), limit=LINE_CHARACTERS, ascii_only=self.ascii_only)

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
    if style is None or ground.color is not None or style.color is None or ground.bgcolor is None:
        return style or Style.null()
    ink, below = style.color.triplet, ground.bgcolor.triplet
    if ink is None or below is None or contrast(ink, below) >= LEAST_CONTRAST:
        return style
    return style.without_color


@lru_cache(512)
def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The ratio of two colours as WCAG computes it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
