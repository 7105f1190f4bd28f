"""Panes at every size: none is lost, what has the keys is seen, and no large part of the screen stands empty."""

import random
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from octogram_tui.tui.app import ConsoleOutcome
from octogram_tui.tui.views import VIEWS

SIZES = [
    (80, 24),
    (100, 30),
    (120, 40),
    (160, 45),
    (200, 60),
    (79, 30),
    (119, 12),
    (40, 12),
    (20, 5),
    (125, 9),
    (170, 14),
]
KEYS = [*(view.key for view in VIEWS if view.key), "tab", "shift+tab", "escape", "enter", "z", "3", "j", "f"]


def looked_at(app: Any) -> str:
    """The name of the pane that has the keys; fails when it cannot be seen, or the plan is gone that should stay."""
    screen = app.run_screen
    name = str(screen.pane)
    pane = screen.panes[name]
    assert screen.focused is pane
    assert pane.region.area > 0, f"{name} has the keys, and is not seen"
    assert screen.view in screen.grid.seen.views
    width, height = app.size
    assert pane.region.right <= width
    assert pane.region.bottom <= height
    if width >= 120 and not screen.grid.is_zoomed and height > 8:
        assert screen.panes["plan"].region.area > 0, "the plan is lost"
    if height >= 20 and width >= 60:
        assert screen.grid.titles[name].region.area == screen.grid.titles[name].size.width
    return name


async def go(pilot: Pilot[ConsoleOutcome], step: str | tuple[int, int]) -> None:
    if isinstance(step, tuple):
        await pilot.resize_terminal(*step)
    else:
        await pilot.press(step)
    await pilot.pause()


@pytest.mark.parametrize("seed", range(2))
async def test_no_key_and_no_size_loses_a_pane(seed: int) -> None:
    rng = random.Random(seed)
    steps = [rng.choice(SIZES) if rng.random() < 0.3 else rng.choice(KEYS) for _ in range(40)]
    async with console(StillSource(fleet_events(40.0))).run_test(size=rng.choice(SIZES)) as pilot:
        app = await settled(pilot)
        done: list[object] = []
        for step in steps:
            done.append(step)
            await go(pilot, step)
            try:
                looked_at(app)
            except AssertionError as error:
                raise AssertionError(f"after {done}: {error}") from None


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (20, 5)])
async def test_a_view_s_key_shows_it_and_another_size_keeps_it(size: tuple[int, int]) -> None:
    async with console(StillSource(fleet_events(6.0))).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        for view in (view for view in VIEWS if view.key):
            await go(pilot, view.key)
            assert looked_at(app) == view.name
            await go(pilot, size)
            assert looked_at(app) == view.name
            await go(pilot, (120, 40))
            assert looked_at(app) == view.name


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_tab_goes_round(size: tuple[int, int]) -> None:
    async with console(StillSource(fleet_events(40.0))).run_test(size=size) as pilot:
        app = await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        seen = [looked_at(app)]
        while True:
            await go(pilot, "tab")
            if (name := looked_at(app)) == "plan":
                break
            seen.append(name)
        assert seen == ([view.name for view in VIEWS if view.key] if size[0] < 120 else list(screen.grid.seen.views))
        await go(pilot, "shift+tab")
        assert looked_at(app) == seen[-1]


async def test_z_makes_a_pane_the_only_one_and_escape_brings_the_others_back() -> None:
    async with console(StillSource(fleet_events(40.0))).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        await go(pilot, "2")
        beside = screen.grid.seen.views
        await go(pilot, "z")
        assert list(screen.grid.seen.views) == ["agents"]
        await go(pilot, "escape")
        assert looked_at(app) == "agents"
        assert screen.grid.seen.views == beside
        await go(pilot, "1")
        await go(pilot, "!")
        await go(pilot, "enter")
        assert looked_at(app) == "detail"
        await go(pilot, "escape")
        assert looked_at(app) == "plan"


async def test_titles_carry_the_marks_in_every_layout() -> None:
    async with console(StillSource(fleet_events(40.0))).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        screen.log_pane.look_at(None)
        screen.is_pinned = True
        for size in [(80, 24), (100, 30), (120, 40), (160, 45), (200, 60)]:
            await go(pilot, size)
            await go(pilot, "3")
            await go(pilot, "k")
            app.sync()
            await pilot.pause()
            assert "not following, G follows" in screen_text(app)
            title = screen.grid.titles["log"].region
            await pilot.click(offset=(title.right - 6, title.y))
            app.sync()
            await pilot.pause()
            assert "not following" not in screen_text(app)


async def test_of_two_sizes_at_once_the_terminal_s_stays() -> None:
    """As a browser tells them at first: that of its page, and that of a terminal that nobody has measured."""
    async with console(StillSource(fleet_events(6.0))).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        for _ in range(3):
            for size in (Size(111, 22), app.size):
                app.screen.post_message(events.Resize(size, size))
                app.screen.call_later(app.sync)  # there is always something between them
        await pilot.pause()
        await pilot.pause()
        assert app.screen.size == app.size == Size(80, 24)
        assert "? Help" in screen_text(app)


async def test_a_tick_that_comes_while_it_is_left_finds_nothing_to_draw() -> None:
    async with console(StillSource(fleet_events(6.0))).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screens = app._screen_stack[:]
        app._screen_stack.clear()
        app.sync()
        app._screen_stack.extend(screens)


def largest_blank(text: str) -> float:
    """The part of the screen that its largest rectangle of blanks takes."""
    lines = text.splitlines()
    width = max(map(len, lines))
    heights = [0] * width
    largest = 0
    for line in lines:
        for x, sign in enumerate(line.ljust(width)):
            heights[x] = heights[x] + 1 if sign == " " else 0
        open_from: list[tuple[int, int]] = []  # where a rectangle begins, and how high it is
        for x, height in enumerate([*heights, 0]):
            begin = x
            while open_from and open_from[-1][1] >= height:
                begin, high = open_from.pop()
                largest = max(largest, high * (x - begin))
            open_from.append((begin, height))
    return largest / (width * len(lines))


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("size", [(120, 40), (160, 45), (200, 60)])
async def test_no_large_part_of_the_screen_is_blank(size: tuple[int, int], fails: bool) -> None:
    async with console(StillSource(fleet_events(40.0, fails=fails))).run_test(size=size) as pilot:
        app = await settled(pilot)
        app.sync()
        await pilot.pause()
        blank = largest_blank(screen_text(app))
        assert blank < 0.2, screen_text(app)
