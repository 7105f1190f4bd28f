"""In these tests the console lets through whatever goes wrong in it; those of the guard take that back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sized
from pathlib import Path
from typing import Any

import pytest
import textual.app
import textual.pilot
from textual._context import active_app
from textual.notifications import Notification
from textual.pilot import Pilot

from octogram_tui.tui.guard import GuardedApp

HERE = Path(__file__).parent
OPENS_S = 1.0
"""Of this process's own CPU, as all that is waited for here: how busy the machine is counts for nothing."""
PAINTS_S = 1 / 100
"""A frame is painted so long after what it shows has changed."""
QUIET_TURNS = 3
LASTS_S = 3600.0
MOST_FRAMES = 5
"""What a clock changes is never all drawn."""


async def idle(_least_s: float = 0.0, most_s: float = 1.0) -> None:
    """Wait until the loop has nothing left to do but to wait, and has painted.

    Textual's own way is to wait until the process takes less than a twentieth of a core: a clock that ticks, and other
    tests on the same core, have it wait for long, and guess.
    """
    loop = asyncio.get_running_loop()
    ready: Sized = loop._ready  # type: ignore[attr-defined]
    ends_s = time.process_time() + most_s
    for pause_s in (0.0, *[PAINTS_S] * MOST_FRAMES):
        await asyncio.sleep(pause_s)
        quiet = 0
        while quiet < QUIET_TURNS and time.process_time() < ends_s:
            quiet = 0 if len(ready) else quiet + 1
            await asyncio.sleep(0)
        if pause_s and not is_to_be_drawn():
            return


def is_to_be_drawn() -> bool:
    """Whether the screen on top has something to place, to paint, or to do once it has painted."""
    app = active_app.get(None)
    if app is None or not app._screen_stack:
        return False
    screen = app.screen
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count no lines here: it takes as long again, and says of a screen only that it was drawn."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedApp, "is_strict", True)


@pytest.fixture(autouse=True)
def _lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told in passing stays: on a busy machine it would be gone before anybody looked."""
    monkeypatch.setattr(Notification, "time_left", LASTS_S)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are pressed once what the ones before them open is there, however busy the machine is, if it ever comes."""
    monkeypatch.setattr(textual.app, "wait_for_idle", idle)
    monkeypatch.setattr(textual.pilot, "wait_for_idle", idle)
    for name in ("press", "_post_mouse_events"):
        monkeypatch.setattr(Pilot, name, and_see(getattr(Pilot, name)))


def and_see(do: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Have what is pressed or clicked opened before the test goes on."""

    async def do_and_see(pilot: Pilot[Any], *arguments: Any, **options: Any) -> Any:
        found = await do(pilot, *arguments, **options)
        ends_s = time.process_time() + OPENS_S
        while getattr(pilot.app, "_opening", None) is not None and time.process_time() < ends_s:
            await pilot.pause()
        return found

    return do_and_see
