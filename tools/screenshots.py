"""Takes the console's pictures for docs/: a run that does not happen, a clock that stands still, no terminal.

python -m tools.screenshots           takes them
python -m tools.screenshots --check   fails when one is not what would be taken
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.widgets.plan_tree import PlanTree
from tools.debugged_run import SCENARIO, STARTED_WALL, DebuggedRun, DebuggedSource
from tools.pretended_run import PretendedRun

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
AFTER_S = 0.3
"""The clock stands this long after the last event."""

SETTLING = 4
"""So many ticks of the clock nothing moves: the panes take their places, and then show what is wanted in them."""


class Shot(NamedTuple):
    """A picture: how large, of which run, at what moment of its run, after which keys, in which colours."""

    width: int
    height: int
    agents: int
    until_s: float
    keys: tuple[str, ...] = ()
    fails: bool = True
    palette: str = "dark"


class DebuggedShot(NamedTuple):
    """A picture of the run of the debugger's guide: how large, and after which keys; `_` waits for what they do."""

    keys: str
    width: int = 120
    height: int = 36


TO_THE_FIRST_FAILURE = "_ A n _ "
REPAIRED = TO_THE_FIRST_FAILURE + "e _ ctrl+t _ down down ctrl+u s e a t . t x t enter _ r _ "

DEBUGGED_SHOTS: dict[str, DebuggedShot] = {
    "debugger-held": DebuggedShot("_"),
    "debugger-failed": DebuggedShot(TO_THE_FIRST_FAILURE),
    "debugger-arguments": DebuggedShot(TO_THE_FIRST_FAILURE + "e _ ctrl+t _ down down ctrl+u s e a t . t x t _"),
    "debugger-foreseen": DebuggedShot(REPAIRED + "n _ 4 e _ ctrl+u 2 enter _"),
    "debugger-explain": DebuggedShot(REPAIRED + "n _ X _", 120, 44),
    "debugger-breakpoints": DebuggedShot("_ B _"),
    "debugger-narrow": DebuggedShot("_", 80, 24),
}

SHOTS: dict[str, Shot] = {
    "console": Shot(120, 36, 16, 20.0, fails=False),
    "failure": Shot(120, 36, 12, 200.0, ("enter",)),
    "narrow": Shot(80, 24, 12, 200.0),
    "wide": Shot(200, 60, 40, 200.0),
    "light": Shot(120, 36, 8, 14.0, ("2",), fails=False, palette="light"),
}


class Still:
    """Gives nothing more than what the console was given."""

    has_control = True
    is_connected = True

    def __init__(self) -> None:
        self.refusals: list[str] = []

    async def events(self) -> AsyncIterator[list[Event]]:
        """Stay."""
        await asyncio.Event().wait()
        yield []

    def send(self, stimulus: Stimulus) -> None:
        """Nobody is there to be asked."""

    async def close(self) -> None:
        """Nothing is open."""


async def still(app: ConsoleApp, pilot: Pilot[ConsoleOutcome]) -> str:
    """Wait until the screen is the same for a while, however busy the machine is; gives its picture."""
    assert app.run_screen is not None
    plan = app.run_screen.panes["plan"]
    assert isinstance(plan, PlanTree)
    picture, ticks = "", 0
    while ticks < SETTLING:
        app.sync()
        plan._centre(plan.cursor)  # it scrolls as little as it must: where to depends on how large it was before
        await pilot.pause()
        now = app.export_screenshot(title="octogram-tui") + "\n"
        picture, ticks = now, ticks + 1 if now == picture else 0
    return picture


async def take_debugged(shot: DebuggedShot) -> str:
    """Take one picture of the guide's run; gives the text of an SVG file."""
    run = DebuggedRun().begin()

    def now() -> float:
        return datetime.fromisoformat(STARTED_WALL).timestamp() + run.events[-1].at_s + AFTER_S

    def read_text(_digest: str, _is_first: bool) -> str:
        return SCENARIO.read_text()

    app = ConsoleApp(DebuggedSource(run), scenario_path=SCENARIO.name, clock=now, read_text=read_text)
    app.animation_level = "none"
    app.is_strict = True
    async with app.run_test(size=(shot.width, shot.height)) as pilot:
        for key in [*shot.keys.split(), "_"]:
            if key != "_":
                await pilot.press(key)
                continue
            for field in app.screen.query("Input, TextArea"):
                if isinstance(field, (Input, TextArea)):
                    field.cursor_blink = False  # whether it is seen must not depend on when the picture is taken
            while app.model.board.seq < run.events[-1].seq:
                await pilot.pause()
            for _ in range(SETTLING):
                app.sync()
                await pilot.pause()
        return await still(app, pilot)


async def take(shot: Shot) -> str:
    """Take one picture; gives the text of an SVG file."""
    run = PretendedRun(shot.agents, seed=2, fails=shot.fails)
    run.begin()
    events = run.advance(shot.until_s)
    now = datetime.fromisoformat(run.started_wall).timestamp() + events[-1].at_s + AFTER_S
    app = ConsoleApp(Still(), scenario_path=f"{shot.agents}-nodes.yml", palette=shot.palette, clock=lambda: now)
    app.animation_level = "none"
    app.is_strict = True  # a picture of a fault is none of ours
    async with app.run_test(size=(shot.width, shot.height)) as pilot:
        # At once: what is drawn in between, and is scrolled by, depends on how busy the machine is.
        app.take_in(events)
        app.show_what_came()
        await pilot.pause()
        await pilot.press(*shot.keys)
        return await still(app, pilot)


def main(arguments: list[str]) -> int:
    """Take the pictures, or compare them. Gives an exit code."""
    is_check = arguments == ["--check"]
    stale = 0
    takes = {name: partial(take, shot) for name, shot in SHOTS.items()}
    takes |= {name: partial(take_debugged, shot) for name, shot in DEBUGGED_SHOTS.items()}
    for name, taken in takes.items():
        path = FOLDER / f"{name}.svg"
        text = asyncio.run(taken())
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if is_check:
            print(f"{path.name} is not what the console looks like: run `make screenshots`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
