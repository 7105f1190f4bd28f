"""What stands on a console's screen, cell by cell, with the colours that a terminal would show."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.color import Color
from rich.style import Style
from terminal_screen import XTERM, contrast

from octogram_tui.tui.app import ConsoleApp

NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
ON_BLACK, ON_WHITE = ("e5e5e5", "000000"), ("000000", "ffffff")
"""The terminal's own colours: ink and ground."""


STANDS_BACK = ("dim", "faint", "skipped")


class Seen(NamedTuple):
    """A piece of one style: its text, and how well it is read."""

    text: str
    ratio: float
    ink: str
    ground: str
    stands_back: bool
    row: int


def pieces(app: ConsoleApp, own: tuple[str, str] = ON_BLACK) -> Iterator[Seen]:
    """List all that is written, also what a dialog leaves of the screen below it. own: the terminal's own colours."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    for row, strips in enumerate(update.strips):  # type: ignore[union-attr]
        for text, style, control in (segment for strip in strips for segment in strip):
            if control or not text.strip() or style is None:
                continue
            ink, ground = _colour(style.color, own[0], own), _colour(style.bgcolor, own[1], own)
            if style.reverse:
                ink, ground = ground, ink
            if style.dim:
                ink = _halfway(ink, ground)
            yield Seen(text.strip(), contrast(ink, ground), ink, ground, _stands_back(app, style), row)


def _stands_back(app: ConsoleApp, style: Style) -> bool:
    """Whether it is meant to."""
    return bool(style.dim) or style.color in [app.brush.style(name).color for name in STANDS_BACK]


def _colour(colour: Color | None, default: str, own: tuple[str, str]) -> str:
    if colour is None or colour.is_default:
        return default
    if colour.triplet is not None:
        return colour.triplet.hex.removeprefix("#")
    number = colour.number or 0
    if number < 16:
        return XTERM[("bright" if number > 7 else "") + NAMES[number % 8]]
    return colour.get_truecolor().hex.removeprefix("#")


def _halfway(one: str, other: str) -> str:
    return "".join(f"{(int(one[at : at + 2], 16) + int(other[at : at + 2], 16)) // 2:02x}" for at in (0, 2, 4))
