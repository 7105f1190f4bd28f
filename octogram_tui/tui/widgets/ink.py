"""The colours that a job gave its own output, as the theme can show them: never unreadable, and none without colour."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style

from octogram_tui.projection.ansi import Colour, Ink
from octogram_tui.tui.theme import WITHOUT_COLOUR, Palette
from octogram_tui.tui.widgets.contrast import LEAST_CONTRAST, contrast

STEP = 0.12
DIM = 0.35

_DARK = (
    "#4d5563 #ee7733 #1fb88b #e6c229 #56b4e9 #cc79a7 #5cc8c8 #c6ccd6 "
    "#7d8796 #ff9a66 #5fdcb2 #f7e16a #8fd0f5 #e5a3c6 #8fe3e3 #ffffff"
)
_LIGHT = (
    "#2b2f36 #b3261e #005c43 #6b4a00 #00558a #86386a #0f6666 #767b83 "
    "#555c66 #963c00 #22693f #7a5600 #1f5f8f #6d3f8a #1b7272 #000000"
)
_DARK_GROUNDS = (0, 1, 4, 5, 8)
_BLACK, _WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)


def inked(codes: str, palette: Palette) -> Style:
    """Give the style for codes of a look, on the ground of a palette."""
    ink = Ink().changed(codes)
    is_reversed = "reverse" in ink.weights
    bold, italic, underline, strike = (
        name in ink.weights or None for name in ("bold", "italic", "underline", "strike")
    )
    weights = Style(bold=bold, italic=italic, underline=underline, strike=strike)
    if palette.name == WITHOUT_COLOUR:
        return weights + Style(reverse=is_reversed or None)
    if palette.theme.ansi:
        return weights + Style(reverse=is_reversed or None) + _own(ink)
    ground = Color.parse(palette.theme.background or "#000000").get_truecolor()
    plain = Color.parse(palette.theme.foreground or "#ffffff").get_truecolor()
    below = _triplet(ink.back, palette)
    above = _triplet(ink.fore, palette) or plain
    if is_reversed:
        above, below = below or ground, above
    if "dim" in ink.weights:
        above = _mixed(above, below or ground, DIM)
    above = readable(above, below or ground)
    return weights + Style(
        color=None if above == plain and below is None else Color.from_triplet(above),
        bgcolor=Color.from_triplet(below) if below is not None else None,
    )


def readable(above: ColorTriplet, below: ColorTriplet) -> ColorTriplet:
    """Bring a colour nearer to black or white until it can be read on another."""
    goal = max((_BLACK, _WHITE), key=lambda each: contrast(each, below))
    for _ in range(round(1 / STEP)):
        if contrast(above, below) >= LEAST_CONTRAST:
            return above
        above = _mixed(above, goal, STEP)
    return goal


def _mixed(one: ColorTriplet, other: ColorTriplet, part: float) -> ColorTriplet:
    return ColorTriplet(*(round(a + (b - a) * part) for a, b in zip(one, other, strict=True)))


@lru_cache
def _sixteen(*, is_dark: bool) -> list[ColorTriplet]:
    return [Color.parse(name).get_truecolor() for name in (_DARK if is_dark else _LIGHT).split()]


def _triplet(colour: Colour, palette: Palette) -> ColorTriplet | None:
    if colour is None:
        return None
    if isinstance(colour, int):
        return _sixteen(is_dark=palette.theme.dark)[colour] if colour < 16 else Color.from_ansi(colour).get_truecolor()
    return ColorTriplet(*colour)


def _own(ink: Ink) -> Style:
    """Keep to the terminal's own sixteen colours: we do not know its ground, only that they are made for it.

    Black and white may be that ground. On a ground that the job chose, one of the two is read.
    """
    fore, back = _nearest(ink.fore), _nearest(ink.back)
    if back is not None:
        return Style(color=Color.from_ansi(15 if back in _DARK_GROUNDS else 0), bgcolor=Color.from_ansi(back))
    return Style(color=Color.from_ansi(fore) if fore is not None and fore not in (0, 7, 15) else None)


def _nearest(colour: Colour) -> int | None:
    if colour is None or (isinstance(colour, int) and colour < 16):
        return colour
    exact = Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)
    return exact.downgrade(ColorSystem.STANDARD).number
