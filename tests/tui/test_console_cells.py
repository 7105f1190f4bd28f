"""Everything that is written can be read: the colours of each cell as computed, in every theme, on every screen."""

import pytest
from console_app import StillSource, console, fleet_events, settled
from screen_cells import ON_BLACK, ON_WHITE, pieces

from octogram_tui.tui import theme
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.views import VIEWS

TEXT, SIGN = 4.5, 3.0
"""What WCAG asks of text; of signs, and of what is meant to stand back."""
OWN_TEXT = 3.5
"""The terminal's own red and blue: who wants more has other ones."""
DIALOGS = "question_mark slash ampersand e colon q".split()
FRAME = set("│─┌┐└┘├┤┬┴┼╭╮╰╯▔▁▂▃▄▅▆▇█▌▐▎▊▍┃━╸╺-#[]|+ ")
"""Drawn, not written: what it says is said in words beside it."""


def illegible(app: ConsoleApp, name: str) -> set[str]:
    """List what is too faint; below a dialog all stands back."""
    found = set()
    has_own_colours = theme.palette(name).theme.ansi
    is_below = app.screen is not app.run_screen
    for own in (ON_BLACK, ON_WHITE) if has_own_colours else (ON_BLACK,):
        for piece in pieces(app, own):
            is_text = any(letter.isalnum() for letter in piece.text)
            text = OWN_TEXT if has_own_colours else TEXT
            least = text if is_text and not piece.stands_back and not is_below else SIGN
            if piece.ratio < least and not set(piece.text) <= FRAME:
                found.add(f"{piece.ratio:.2f} {piece.ink} on {piece.ground}: {piece.text[:30]!r} ({app.screen})")
    return found


@pytest.mark.parametrize("name", theme.names())
async def test_what_is_drawn_can_be_read(name: str) -> None:
    app = console(StillSource(fleet_events(200.0, agents=6)), palette=name)
    found: set[str] = set()
    async with app.run_test(size=(200, 60), notifications=True) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        for severity in ("information", "warning", "error"):
            app.notify("a link: http://127.0.0.1/", severity=severity)
        for view in VIEWS:
            screen.show(view.name)
            await pilot.pause()
            found |= illegible(app, name)
        for key in DIALOGS:
            await pilot.press(key)
            found |= illegible(app, name)
            await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        found |= illegible(app, name)
    assert "\n".join(sorted(found)) == ""
