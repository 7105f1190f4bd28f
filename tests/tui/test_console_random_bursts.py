"""What comes all at once, as over a slow line, does what it does one after the other: none overtakes another."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bursts import CHARACTERS, SEEDS, click, come, outcome
from console_app import StillSource, console, fleet_events, settled, until, written
from random_drive import OF_ACTIONS
from test_variable_form import shop_events
from textual.widgets import TextArea

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.journal.history import JournalHistory
from octogram_tui.runtime import verbs
from octogram_tui.runtime.desk import Question
from octogram_tui.tui import key_order
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.screens.dialogs import Question as DialogQuestion
from octogram_tui.tui.widgets.typed_line import TypedLine

LEAVE = {"q", "ctrl+q", "ctrl+c", "ctrl+z", "Z"}
GO_ON_BY_THEMSELVES = {"asterisk"}
OPENERS = "T slash ampersand colon e equals_sign b B a X question_mark ctrl+p F V exclamation_mark".split()
TEXTS = ["first", "sell", "12", "stock_1", "a", "up", "shop", "price", "jk", "0:01", "failed", "x y"]
PASTES = ["paste stock_1", "paste two\nlines", "paste n", "paste "]
OF_FORMS = "enter enter escape tab shift+tab backspace up down left home end ctrl+u y n d".split()
KEYS = {sign: key for key, sign in CHARACTERS.items()}
ANSWERS: dict[type[Question], dict[str, Any]] = {
    verbs.Expected: {"arguments": {"argv": ["a", "b"], "timeout": 3}, "templates": {}},
    verbs.ForeseeSet: {"stale": ["market/sell@shop_0"]},
    verbs.ForeseeFile: {"changes": ["another"]},
    verbs.CheckFile: {"said": ["no"], "problems": [["f", 1, 1, "wrong", ""]]},
    verbs.LookAtFile: {"said": ["read"]},
}


def keys_of(rng: random.Random) -> list[str]:
    """Some keys as somebody presses them who knows what they lead to, and some that nobody would; clicks and pastes."""
    keys: list[str] = []
    for _ in range(rng.randrange(1, 5)):
        chance = rng.random()
        if chance < 0.45:
            keys.append(rng.choice(OPENERS if rng.random() < 0.7 else OF_ACTIONS))
            keys += [KEYS.get(sign, sign) for sign in rng.choice(TEXTS)]
            keys.append(rng.choice(OF_FORMS))
        elif chance < 0.65:
            keys.append(rng.choice(OF_ACTIONS))
        elif chance < 0.8:
            keys += [click(rng), rng.choice(OF_ACTIONS)]
        elif chance < 0.9:
            keys += [rng.choice(OPENERS), rng.choice(PASTES), rng.choice(OF_FORMS)]
        else:
            keys += rng.choices(OF_FORMS, k=2)
    return [key for key in keys if key not in LEAVE | GO_ON_BY_THEMSELVES]


class SlowSource(StillSource):
    """One whose host takes a while to answer: what is typed meanwhile comes first."""

    async def answer(self, question: Question) -> dict[str, Any]:
        for _ in range(10):
            await asyncio.sleep(0)
        return await super().answer(question)


def told(app: ConsoleApp) -> dict[str, Any]:
    source = app.source
    assert isinstance(source, StillSource)
    return {
        "sent": source.sent,
        "asked": [
            each for each in source.asked if not isinstance(each, verbs.Evaluate)
        ],  # which is asked while one types
        "screen": type(app.screen).__name__,
        "keys": getattr(app.focused, "id", None),
        "moment": app.model.shown.seq,
        "typed": [line.value for line in app.screen.query(TypedLine)],
        "values": [area.text for area in app.screen.query(TextArea)],
    }


async def of_console(
    bursts: Sequence[Sequence[str]], events: list[ev.Event], journal: Path, *, is_early: bool = False
) -> dict[str, Any]:
    source = SlowSource(list(events))
    source.answers = ANSWERS

    def make() -> ConsoleApp:
        return console(source, history=JournalHistory(journal))

    return await outcome(make, bursts, told, settled, is_early=is_early)


@pytest.fixture
def _stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("exit", "show_in_pager", "lend"):
        monkeypatch.setattr(ConsoleApp, name, lambda *_, **__: None)
    monkeypatch.setattr("octogram_tui.tui.screens.save_form.write_whole", lambda *_: None)


@pytest.mark.usefixtures("_stays")
@pytest.mark.parametrize("seed", SEEDS)
async def test_random_keys_in_a_burst_do_what_they_do_one_after_the_other(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    keys = keys_of(rng)
    events = [shop_events(3), fleet_events(20.0), fleet_events(6.0, paused=True)][rng.randrange(3)]
    journal = written(tmp_path / "journal", events)
    slowly = await of_console([[key] for key in keys], events, journal)
    assert await of_console([keys], events, journal, is_early=rng.random() < 0.3) == slowly, keys


@pytest.mark.usefixtures("_stays")
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
    found = await of_console([burst], events, written(tmp_path / "journal", events))
    assert [type(stimulus) for stimulus in found["sent"]] == sent
    assert found["screen"] == "RunScreen"
    assert found["moment"] == (moment or len(events))


@pytest.mark.parametrize("leave", ["ctrl+q", "ctrl+c"])
async def test_what_never_comes_locks_nobody_in(leave: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "LEAVES_S", 0.01)
    source = StillSource(fleet_events(6.0, paused=True))
    async with (app := console(source)).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.in_turn(asyncio.Event().wait())
        come(app, ["n", leave])  # what was meant for what did not come is done for nothing else
        await until(pilot, lambda: isinstance(app.screen, DialogQuestion) and app._opening is None)
        come(app, ["escape"])
        await until(pilot, lambda: app.screen is app.run_screen)
        monkeypatch.setattr(key_order, "LONGEST_S", 0.01)
        app.in_turn(asyncio.Event().wait())
        come(app, ["n"])
        await until(pilot, lambda: app._opening is None)
        assert not source.sent
        come(app, ["n"])
        await until(pilot, lambda: source.sent)
