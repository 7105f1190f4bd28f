"""Keys that come all at once, as over a slow line, do what they do one after the other: none overtakes another."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, settled, until, written
from random_drive import OF_ACTIONS, SIGNS
from test_variable_form import shop_events
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import TextArea

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.journal.history import JournalHistory
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.typed_line import TypedLine

STEPS = int(os.environ.get("OCTOGRAM_RANDOM_STEPS", "100"))
FIRST = int(os.environ.get("OCTOGRAM_RANDOM_SEED", "0"))
OF_ONE = 20
PENDING_WORK = {"dialogs", "moment"}
LEAVE = {"q", "ctrl+q", "ctrl+c", "ctrl+z", "Z"}
GO_ON_BY_THEMSELVES = {"asterisk"}
OPENERS = "T slash ampersand colon e equals_sign b B a X question_mark ctrl+p F V exclamation_mark".split()
TEXTS = ["first", "sell", "12", "stock_1", "a", "up", "shop", "price", "jk", "0:01", "failed", "x y"]
OF_FORMS = "enter enter escape tab shift+tab backspace up down left home end ctrl+u y n d".split()
CHARACTERS = {**SIGNS, "underscore": "_"}
KEYS = {sign: key for key, sign in CHARACTERS.items()}


def keys_of(rng: random.Random) -> list[str]:
    """Some keys as somebody presses them who knows what they lead to, and some that nobody would."""
    keys: list[str] = []
    for _ in range(rng.randrange(1, 5)):
        chance = rng.random()
        if chance < 0.5:
            keys.append(rng.choice(OPENERS if rng.random() < 0.7 else OF_ACTIONS))
            keys += [KEYS.get(sign, sign) for sign in rng.choice(TEXTS)]
            keys.append(rng.choice(OF_FORMS))
        elif chance < 0.8:
            keys.append(rng.choice(OF_ACTIONS))
        else:
            keys += rng.choices(OF_FORMS, k=2)
    return [key for key in keys if key not in LEAVE | GO_ON_BY_THEMSELVES]


async def all_done(pilot: Pilot[Any]) -> ConsoleApp:
    """Let the app do all that was typed, and what that leads to."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)

    def is_done() -> bool:
        busy = app._opening is not None or app._early or app.typed.waiting
        return not busy and not any(worker.group in PENDING_WORK for worker in app.workers)

    await until(pilot, is_done)
    return app


async def outcome(bursts: list[list[str]], events: list[ev.Event], journal: Path) -> dict[str, Any]:
    """What has come of keys, each burst of which comes at once."""
    source = StillSource(list(events))
    app = console(source, history=JournalHistory(journal))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for burst in bursts:
            for key in burst:
                app.post_message(Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))
            await all_done(pilot)
        return {
            "sent": source.sent,
            "asked": source.asked,
            "screen": type(app.screen).__name__,
            "keys": getattr(app.focused, "id", None),
            "moment": app.model.shown.seq,
            "typed": [line.value for line in app.screen.query(TypedLine)],
            "values": [area.text for area in app.screen.query(TextArea)],
        }


@pytest.fixture(autouse=True)
def _stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("exit", "show_in_pager", "lend"):
        monkeypatch.setattr(ConsoleApp, name, lambda *_, **__: None)
    monkeypatch.setattr("octogram_tui.tui.screens.save_form.write_whole", lambda *_: None)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, STEPS // OF_ONE)))
async def test_random_keys_in_a_burst_do_what_they_do_one_after_the_other(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    keys = keys_of(rng)
    events = [shop_events(3), fleet_events(20.0), fleet_events(6.0, paused=True)][rng.randrange(3)]
    journal = written(tmp_path / "journal", events)
    slowly = await outcome([[key] for key in keys], events, journal)
    assert await outcome([keys], events, journal) == slowly, keys


@pytest.mark.parametrize(
    ("keys", "sent", "moment"),
    [
        (": s t e p space o v enter", [st.StepRequest], 0),  # the first command of all would be `continue`
        (": n o t h i n g enter escape", [], 0),
        ("T 1 2 enter", [], 12),
        ("T 1 2 enter T 1 4 enter", [], 14),
        ("& f a i l e d tab n", [st.StepRequest], 0),  # tab leaves the line: what comes next is no part of it
        ("? / s t e p enter escape escape n", [st.StepRequest], 0),
        ("n f1 escape n", [st.StepRequest, st.StepRequest], 0),
    ],
)
async def test_a_burst_is_for_what_its_first_keys_open(
    keys: str, sent: list[type], moment: int, tmp_path: Path
) -> None:
    events = fleet_events(6.0, paused=True)
    burst = [KEYS.get(key, key) for key in keys.split()]
    found = await outcome([burst], events, written(tmp_path / "journal", events))
    assert [type(stimulus) for stimulus in found["sent"]] == sent
    assert found["screen"] == "RunScreen"
    assert found["moment"] == (moment or len(events))
