"""Frames of which only a part is drawn: what is on the terminal after them, and what may never get there."""

import time
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled
from drawn_console import DrawnConsole
from textual import events
from textual.geometry import Size

from octogram_tui.tui.event_feed import SAYS_S


async def test_a_terminal_that_was_another_size_for_a_moment_is_drawn_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(StillSource(fleet_events(9.0)))
    drawn = DrawnConsole(app, (120, 40), monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for width, height in ((80, 24), (120, 40)):  # sooner than anything can be drawn
            drawn.terminal.resize(width, height)  # which cuts what was there
            app.post_message(events.Resize(Size(width, height), Size(width, height)))
        assert await drawn.settled_differences() == []


async def test_a_sequence_that_is_pasted_into_the_palette_does_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = console(StillSource(fleet_events(9.0)))
    drawn = DrawnConsole(app, (120, 40), monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        app.post_message(events.Paste("a\x1b[2Jb\x07"))
        await pilot.pause(0.1)
        await pilot.pause()
        assert "\x1b" not in screen_text(app, on_top=True)
        assert "a\\x1b[2Jb\\x07" in screen_text(app, on_top=True)
        assert drawn.differences(anew=False) == []


async def test_who_is_behind_for_a_while_says_so() -> None:
    source = StillSource(fleet_events(9.0))
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.feed is not None
        app.feed._behind_since_s = time.monotonic() - SAYS_S / 2
        assert "catching up" not in app.marks()
        app.feed._behind_since_s = time.monotonic() - SAYS_S * 2
        app.sync()
        await pilot.pause()
        assert "catching up" in screen_text(app)


async def test_whatever_is_done_with_mouse_and_keys_is_waited_for_no_longer_than_it_takes() -> None:
    """Else each hundred events would wait a quarter of a second more, to the end of the console."""
    app = console(StillSource(fleet_events(9.0)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        where: dict[str, Any] = {"delta_x": 0, "delta_y": 0, "button": 1, "shift": False, "meta": False, "ctrl": False}
        for kind in (events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp):
            app.post_message(kind(None, x=20, y=12, screen_x=20, screen_y=12, **where))
        app.post_message(events.Paste("a"))
        await pilot.press("f24", "j", "ctrl+p", "a", "escape", "slash", "x", "f24", "escape")
        await pilot.pause()
        assert app.typed.waiting == 0


async def test_a_sequence_that_is_pasted_as_a_name_does_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(StillSource(fleet_events(9.0)))
    drawn = DrawnConsole(app, (120, 40), monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        app.post_message(events.Paste("a\x1b[2Jb=c\x1b[3Jd"))
        await pilot.pause()
        assert await drawn.settled_differences() == []
        text = screen_text(app, on_top=True)
        assert "\x1b" not in text
        assert "a\\x1b[2Jb" in text
        assert "c\\x1b[3Jd" in text
