"""What the main states look like, as SVG: one picture a state, with a clock that stands still."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from textual.widgets import Input, TextArea

from octogram_tui.engine import events as ev
from octogram_tui.journal.reader import read
from tools.screenshots import SETTLING

SHOTS: dict[str, dict[str, Any]] = {
    "held before the first stage 80x24": {"size": (80, 24), "until_s": 1.0, "paused": True},
    "running 80x24": {"size": (80, 24), "until_s": 6.0},
    "failed 80x24": {"size": (80, 24), "until_s": 200.0},
    "failed, inspector 80x24": {"size": (80, 24), "until_s": 200.0, "keys": ["enter"]},
    "failed, no colour, ASCII 80x24": {
        "size": (80, 24),
        "until_s": 200.0,
        "options": {"palette": "no-colour", "ascii_only": True},
    },
    "matrix 80x24": {"size": (80, 24), "until_s": 6.0, "keys": ["2"]},
    "small 60x14": {"size": (60, 14), "until_s": 6.0},
    "running 120x40": {"size": (120, 40), "until_s": 6.0},
    "failed 200x60": {"size": (200, 60), "until_s": 200.0, "agents": 40},
    "failed, light 200x60": {"size": (200, 60), "until_s": 200.0, "agents": 40, "options": {"palette": "light"}},
    "leaving 80x24": {"size": (80, 24), "until_s": 6.0, "keys": ["q"]},
    "help 80x24": {"size": (80, 24), "until_s": 6.0, "keys": ["question_mark"]},
    "nothing yet 80x24": {"size": (80, 24), "until_s": -1.0},
    "timeline 120x40": {"size": (120, 40), "until_s": 200.0, "keys": ["5"]},
    "variables 80x24": {"size": (80, 24), "until_s": 6.0, "keys": ["4"]},
    "form 80x24": {"size": (80, 24), "until_s": 200.0, "keys": ["e"]},
    "recorded, all went well 120x40": {"size": (120, 40), "recorded": "quickstart", "keys": ["1"]},
    "recorded, failed 120x40": {"size": (120, 40), "recorded": "failing", "keys": ["1", "exclamation_mark"]},
    "recorded, failed, light 80x24": {
        "size": (80, 24),
        "recorded": "failing",
        "keys": ["exclamation_mark", "enter"],
        "options": {"palette": "light"},
    },
    "recorded, terminal colours 200x60": {
        "size": (200, 60),
        "recorded": "failing",
        "options": {"palette": "terminal"},
    },
}
"""until_s: of a run that is pretended; recorded: one that really was, as its journal has it, replayed."""


def recording(name: str) -> list[ev.Event]:
    return list(read(Path(__file__).parent / f"recorded_{name}.jsonl"))


@pytest.mark.parametrize("name", SHOTS)
def test_looks_as_before(name: str, snap_compare: Any) -> None:
    shot = SHOTS[name]
    events: list[ev.Event] = []
    options = dict(shot.get("options", {}))
    if "recorded" in shot:
        events = recording(shot["recorded"])
        options |= {"replay": True, "scenario_path": f"{shot['recorded']}.yml"}
    elif shot["until_s"] > 0:
        events = fleet_events(shot["until_s"], agents=shot.get("agents", 12), paused=shot.get("paused", False))
    app = console(StillSource(events), **options)

    async def prepare(pilot: Any) -> None:
        await settled(pilot)
        for key in shot.get("keys", ()):
            await pilot.press(key)
        await until(pilot, lambda: app._opening is None)
        picture, ticks = "", 0
        while ticks < SETTLING:
            for field in (*app.screen.query(Input), *app.screen.query(TextArea)):
                field.cursor_blink = False
                field._cursor_visible = True  # a blink that was under way may come after that
            app.sync()  # as the next ticks of the clock would
            await pilot.pause()
            now = app.export_screenshot()
            picture, ticks = now, ticks + 1 if now == picture else 0

    assert snap_compare(app, terminal_size=shot["size"], run_before=prepare)
