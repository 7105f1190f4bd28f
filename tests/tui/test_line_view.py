"""What all panes share: the cursor stays on the screen, the scrollbar is there, and a job's colours can be read."""

import asyncio
from collections.abc import Hashable

import pytest
from pane_app import PaneApp
from rich.color import Color
from rich.segment import Segment
from textual.events import MouseScrollDown

from octogram_tui.tui import theme as themes
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import INK, Brush, Piece
from octogram_tui.tui.widgets.contrast import LEAST_CONTRAST, contrast
from octogram_tui.tui.widgets.line_view import LineView


class Numbers(LineView):
    """A line for each number below `total`."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="numbers")
        self.total = 100

    def count(self) -> int:
        return self.total

    def line_key(self, index: int) -> Hashable:
        return index

    def paint(self, index: int, width: int) -> list[Piece]:
        return [(f"{index} " + "-" * width, "")]


async def test_the_cursor_stays_on_the_screen_whatever_changes() -> None:
    app = PaneApp(Numbers)
    async with app.run_test(size=(40, 20)) as pilot:
        pane = app.pane
        pane.move_to(60)
        pane.total = 62
        pane.cursor = 61  # as a filter moves it
        pane.sync()
        assert any(line.startswith("61 ") for line in app.seen)
        pane.total, pane.cursor = 200, 150
        pane.sync()
        assert any(line.startswith("150 ") for line in app.seen)
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        pane.sync()
        assert any(line.startswith("150 ") for line in app.seen)


async def test_who_looked_away_from_the_cursor_is_not_brought_back() -> None:
    app = PaneApp(Numbers)
    async with app.run_test(size=(40, 20)) as pilot:
        pane = app.pane
        pane.sync()
        for _ in range(15):
            await pilot._post_mouse_events([MouseScrollDown], offset=(3, 3))
        await pilot.pause()
        top = app.seen[0]
        assert not top.startswith("0 ")
        pane.total = 300
        pane.sync()
        assert app.seen[0] == top


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_scrollbar_is_there_and_covers_nothing(ascii_only: bool) -> None:
    app = PaneApp(Numbers, ascii_only=ascii_only)
    async with app.run_test(size=(40, 20)) as pilot:
        app.pane.sync()

        def bar() -> list[Segment]:
            return [list(strip)[-1] for strip in app.screen._compositor.render_strips()[2:]]

        def looks() -> set[object]:
            return {(segment.style.bgcolor, segment.style.reverse) for segment in bar() if segment.style}

        async with asyncio.timeout(60):
            while len(looks()) < 2:
                await pilot.pause()
        assert app.pane.line_cells == 39
        assert app.pane.render_line(3).cell_length == 39
        assert {segment.text for segment in bar()} <= {" "}


CODES = [
    "31",
    "30",
    "97",
    "1;34",
    "2;33",
    "7;31",
    "30;40",
    "37;47",
    "48;5;226",
    "38;2;1;2;3",
    "38;2;250;250;250",
    "38;5;17",
]


@pytest.mark.parametrize("name", themes.names())
@pytest.mark.parametrize("codes", CODES)
def test_a_job_s_colours_can_be_read_in_every_theme(name: str, codes: str) -> None:
    palette = themes.palette(name)
    style = Brush(palette).style(INK + codes)
    if name == themes.WITHOUT_COLOUR:
        assert (style.color, style.bgcolor) == (None, None)
        return
    if palette.theme.ansi:
        assert style.color is None or style.color != style.bgcolor
        return
    ground = Color.parse(palette.theme.background or "#000000").get_truecolor()
    plain = Color.parse(palette.theme.foreground or "#ffffff").get_truecolor()
    above = style.color.get_truecolor() if style.color is not None else plain
    below = style.bgcolor.get_truecolor() if style.bgcolor is not None else ground
    assert contrast(above, below) >= LEAST_CONTRAST
