"""Whatever keys the user has: all that names a key names the one of now, and no two actions share one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.cells import cell_len

from octogram_tui.errors import SettingsError
from octogram_tui.tui.hints import Hints
from octogram_tui.tui.key_file import load_keys
from octogram_tui.tui.key_names import CHARACTERS, NAMED, read_key, shown
from octogram_tui.tui.key_presets import PRESETS
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.live_keys import BY_NAME, FIXED, Keys
from octogram_tui.tui.possible import Standing, is_possible
from octogram_tui.tui.screens.dialogs import Question

ALIEN = {
    action.name: (f"ctrl+f{number % 12 + 1}" if number < 12 else f"shift+f{number % 12 + 1}",)
    if number < 24
    else (chr(0x430 + number - 24),)
    for number, action in enumerate(action for action in ACTIONS if action.keys and action.name not in FIXED.values())
}
"""Other keys for all that has one: none of them is one that it has."""
ANY_KEY = some.sampled_from([*"abcdefgnrsxyzRSN1234567", *sorted(CHARACTERS), *NAMED[:20], "ctrl+n", "ctrl+s"])


def test_the_keys_of_this_test_are_other_ones_and_no_two_the_same() -> None:
    keys = Keys(ALIEN)
    assert keys.clashes() == []
    for name in ALIEN:
        assert not set(keys.of(name)) & set(BY_NAME[name].default_keys), name


def hints_of(text: str) -> list[str]:
    """What looks like an old key before a word of ours."""
    words = "Go|Pause|Step|Rerun|Redo failed|Skip|Edit|Editor|Leave|Open|Failure|Failed|Find|Help|Zoom|Filter|Pane|"
    words += "Plan|Agents|Log|Vars|Time|Runs|Source|again|edit|set a variable|keep arguments|skip|look|next|unfolds|"
    words += "shows everything|back"
    return [found[0] for found in re.finditer(rf"(?<![\w^-])(Spc|Ret|Esc|esc|[a-zA-Z1-7!&/?:]) +({words})\b", text)]


@pytest.mark.parametrize(("size", "until_s"), [((80, 24), 40.0), ((200, 60), 1.0)])
async def test_no_old_key_is_named_anywhere_once_all_were_changed(size: tuple[int, int], until_s: float) -> None:
    source = StillSource(fleet_events(until_s, agents=4, paused=until_s < 2))
    app = console(source, keys=Keys(ALIEN), hints=Hints())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        for view in ("agents", "runs", "detail", "plan"):
            screen.show(view)
            app.model.outline.failed_only = view == "plan"
            app.sync()
            await pilot.pause()
            assert hints_of(screen_text(app)) == [], view
        assert app.brush.key("help") in screen_text(app)
        screen.action_help()
        await until(pilot, lambda: app.screen is not screen)
        await pilot.pause()
        assert hints_of(screen_text(app, on_top=True).partition("Signs")[0]) == []


async def test_what_is_said_in_passing_names_the_keys_of_now() -> None:
    app = console(StillSource(fleet_events(2.0), has_control=False), keys=Keys(ALIEN))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.why_not() == f"another console holds control: {shown(ALIEN['palette'][0])} take control takes it"
        app.copy_out("x" * 10_000_000)
        await pilot.pause()
        assert f"{shown(ALIEN['write log'][0])} writes" in " ".join(note.message for note in app._notifications)


@pytest.mark.parametrize("key", [*NAMED, *CHARACTERS])
def test_every_key_can_be_written_as_the_screen_shows_it(key: str) -> None:
    assert read_key(shown(key)) == key
    assert read_key(f"ctrl+{shown(key)}".replace("ctrl+^", "^")).endswith(key) or key in ("space", "tab")


@given(
    some.sampled_from(sorted(PRESETS)),
    some.dictionaries(some.sampled_from(sorted(BY_NAME)), some.lists(ANY_KEY, max_size=3), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_a_user_s_keys_are_taken_whole_or_refused_with_the_key_and_the_place(
    tmp_path_factory: pytest.TempPathFactory, preset: str, wanted: dict[str, list[str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    lines = [f"{name.replace(' ', '-')} = {json.dumps([shown(key) for key in keys])}" for name, keys in wanted.items()]
    (folder / "keys.toml").write_text("\n".join(lines))
    try:
        keys = load_keys(folder, preset)
    except SettingsError as refused:
        keys, said = None, str(refused)
    if keys is None:
        assert re.match(r".*keys\.toml:\d+: (\S+) is the key of '.+' and of '.+'", said), said
        return
    for name, given_keys in wanted.items():
        assert set(given_keys) <= set(keys.of(name))
    # In each place a key does one thing: the pane's own, else what holds everywhere.
    for where in {action.where for action in ACTIONS} - {"list"}:
        here = [action for action in ACTIONS if action.where in (where, "list")]
        taken = [key for action in here for key in keys.of(action.name)]
        assert len(taken) == len(set(taken)), where


async def test_an_entry_is_there_only_as_long_as_it_does_something() -> None:
    app = console(StillSource(fleet_events(2.0)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        lesson = BY_NAME["skip the lesson"]
        assert not is_possible(lesson, app.model, Standing("plan"))
        for name in ("replay", "last edit", "delete run", "revert scenario"):
            assert not is_possible(BY_NAME[name], app.model, Standing("plan")), name


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_key_that_a_bar_names_can_be_clicked(size: tuple[int, int]) -> None:
    app = console(StillSource(fleet_events(40.0, agents=4)), hints=Hints())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        for bar in (screen.status, screen.tabs, screen.banner, screen.hint, screen.keys):
            places = [*bar._zones, *((s.line, s.start, s.end, s.call) for s in getattr(bar, "spots", ()))]
            for y, line in enumerate(bar.lines):
                x = 0
                for text, style in line:
                    if style == "key" and text.strip():
                        at = x + len(text) - len(text.lstrip())
                        assert any(place[0] == y and place[1] <= at < place[2] for place in places), (bar.id, text)
                    x += cell_len(text)
            for *_, action in places:
                name = f"action_{action.partition('(')[0]}"
                assert any(hasattr(owner, name) for owner in (*screen.panes.values(), screen, app)), action
        # How it is attached, in the status line: a click tells what that means.
        app.source.has_control = False
        app.sync()
        await pilot.pause()
        top = screen_text(app).splitlines()[0]
        await pilot.click("#status", offset=(top.index(" ro ") + 1, 0))
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "this one watches" in screen_text(app, on_top=True)


def test_no_sentence_of_the_console_names_a_key_that_can_be_another() -> None:
    """Dialogs have keys of their own; all else asks the brush."""
    folder = Path(__file__).parents[2] / "octogram_tui" / "tui"
    places = [*folder.glob("widgets/*.py"), *folder.glob("look/*.py"), *folder.glob("*.py")]
    key = r"(esc|enter|[a-zA-Z!&/?:])"
    names_one = re.compile(rf"[\"' ](press {key}|{key} (shows|writes|unfolds|goes|opens|clears|takes)) ")
    found = []
    for path in [*places, *folder.glob("screens/*_verbs.py")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if '"""' not in line and names_one.search(line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert found == []
