"""Keys: each action of the table is there, whatever keys it is given; presets, the user's file, and what is refused."""

from pathlib import Path

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.binding import Binding

from octogram_tui.errors import SettingsError
from octogram_tui.settings import TABLE
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.key_file import load_keys
from octogram_tui.tui.key_names import read_key, shown
from octogram_tui.tui.key_presets import PRESETS
from octogram_tui.tui.keymap import ACTIONS, NO_KEY
from octogram_tui.tui.live_keys import Keys

NAMES = {action.name for action in ACTIONS}


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "keys.toml").write_text(text)
    return tmp_path


async def test_what_every_row_of_the_table_calls_is_there() -> None:
    app = console(StillSource(fleet_events(2)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        for action in ACTIONS:
            method = "action_" + action.call.partition("(")[0].removeprefix("app.")
            pane = next(iter(screen.panes.values())) if action.where == "list" else screen.panes.get(action.where)
            owner = app if action.call.startswith("app.") else pane or screen
            assert action.where in ("", "list", *screen.panes), action
            assert callable(getattr(owner, method, None)), action


async def test_no_key_of_a_pane_does_what_the_help_does_not_say() -> None:
    app = console(StillSource(fleet_events(2)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        of_table = {action.binding_id for action in ACTIONS}
        for name in screen.panes:
            screen.show(name)
            await until(pilot, lambda: app.focused is screen.panes[screen.view])
            others = [
                (key, active.binding.action)
                for key, active in screen.active_bindings.items()
                if active.binding.id not in of_table
            ]
            # What leaves stays where it is whatever the keys are, and copying with the key of a Mac too.
            assert {key for key, _ in others} <= {"ctrl+q", "super+c"}, name
            assert dict(others)["ctrl+q"] == "leave"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_actions_and_keys_that_there_are_and_leaves_none_in_doubt(name: str) -> None:
    assert set(PRESETS[name]) <= NAMES
    keys = load_keys(None, name)
    assert keys.preset == name
    assert keys.clashes() == []
    for action in ACTIONS:
        for key in keys.of(action.name):
            assert read_key(shown(key)) == key, "what the screen shows can be written"
            assert not key.startswith(("alt+", "ctrl+shift+")), f"{key} is not on every keyboard"
            assert key not in ("left_square_bracket", "right_square_bracket", "vertical_line", "at", "backslash"), key
        assert keys.of(action.name) or not action.keys, f"{action.name} lost its keys"


def test_a_key_is_read_as_people_write_it_and_shown_in_few_cells() -> None:
    pairs = {
        "ctrl+s": "ctrl+s", "Ctrl+S": "ctrl+s", "F8": "f8", "?": "question_mark", "/": "slash", "+": "plus",
        "ctrl++": "ctrl+plus", "PgDn": "pagedown", "esc": "escape", "shift+a": "A", "A": "A", "&": "ampersand",
        "space": "space", "-": "minus", "shift+tab": "shift+tab", "é": "é",
        "^S": "ctrl+s", "C-A-x": "ctrl+alt+x", "S-F5": "shift+f5",
    }  # fmt: skip
    assert {key: read_key(key) for key in pairs} == pairs
    assert [shown(key) for key in ("ctrl+s", "f8", "minus", "ampersand", "escape", "shift+tab", "A", "space")] == [
        "^S", "F8", "-", "&", "Esc", "S-Tab", "A", "Spc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('step-over = "spce"', "keys.toml:1: there is no key 'spce': did you mean 'space'?", "keys are written as"),
        ('step = "n"', "keys.toml:1: there is no action 'step'", "two now: 'step-over', to"),
        ('\nrerum = "x"', "keys.toml:2: there is no action 'rerum'", "did you mean 'rerun'?"),
        ('skip = "r"', "keys.toml:1: r is the key of 'rerun' and of 'skip'", 'rerun = "..."'),
        ('skip = "j"', "keys.toml:1: j is the key of 'skip' and of 'down'", 'down = "..."'),
        ('wrap = "t"', "keys.toml:1: t is the key of 'timestamps' and of 'wrap'", 'timestamps = "..."'),
        ('first-failure = "ctrl+i"', "keys.toml:1: 'ctrl+i' is the same as tab in most terminals", "keys are"),
        ('step-over = "ctrl+z"', "keys.toml:1: ^Z always means 'suspend'", "a signal"),
        ('step-over = "hyper+x"', "keys.toml:1: 'hyper+x': 'hyper' is none of ctrl, alt, shift", "keys are"),
        ("step-over = 3", "keys.toml:1: 3 is not a text of keys, or a list of them", "n F8"),
        ('step-over = [""]', "keys.toml:1: [''] is not a text of keys", "n F8"),
        ('preset = "vim"', "keys.toml:1: there are no keys 'vim'", "keys: default, vscode, gdb, nohjkl"),
        ("preset = 1", "keys.toml: preset: 1 is not a text", "name of a preset"),
        ("step = ", "keys.toml is not TOML: Invalid value", ""),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_keys(written(tmp_path, text))
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_the_file_stands_over_the_preset_and_what_is_chosen_over_the_file_s() -> None:
    assert load_keys(None).of("step over") == ("n", "f8", "f10")


def test_a_file_gives_other_keys_takes_keys_away_and_swaps_them(tmp_path: Path) -> None:
    keys = load_keys(written(tmp_path, 'preset = "gdb"\nstep-over = ["Q", "F10"]\nskip = ""\nhelp = "/"\nfind = "?"\n'))
    assert keys.preset == "gdb"
    assert keys.of("step over") == ("Q", "f10")
    assert keys.of("skip") == ()
    assert keys.name("skip") == ""
    assert keys.names("edit variable") == ["p"]
    assert (keys.name("help"), keys.name("find")) == ("/", "?")
    assert load_keys(tmp_path, "default").names("edit") == ["e"]
    assert load_keys(tmp_path, "default").of("step over") == ("Q", "f10"), "the file stays over what is chosen"


def test_a_pane_s_own_key_goes_before_one_that_holds_everywhere(tmp_path: Path) -> None:
    assert load_keys(written(tmp_path, 'timestamps = "r"\n')).clashes() == []


async def asked_by(app: ConsoleApp, *keys: str) -> list[str]:
    """What the run was asked when keys are pressed in the plan."""
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        source = app.source
        assert isinstance(source, StillSource)
        return [type(stimulus).__name__ for stimulus in source.sent]


@pytest.mark.parametrize("key", ["question_mark", "slash", "colon", "space", "comma", "ampersand", "f8", "A", "ctrl+n"])
async def test_any_key_can_become_another_action_s_also_those_with_signs(key: str) -> None:
    changed = {action.name: tuple(k for k in action.default_keys if k != key) for action in ACTIONS}
    keys = Keys({**changed, "step over": (key,)})
    assert keys.clashes() == []
    app = console(StillSource(fleet_events(0, paused=True)), keys=keys)
    assert await asked_by(app, "n", key) == ["StepRequest"], "and its old key does nothing any more"


async def test_every_action_can_be_given_a_key() -> None:
    spare = (
        f"{modifier}+f{number}"
        for modifier in ("ctrl", "alt", "shift", "ctrl+alt", "alt+shift", "ctrl+shift")
        for number in range(1, 25)
    )
    keys = Keys({action.name: (next(spare),) for action in ACTIONS})
    app = console(StillSource(fleet_events(2)), keys=keys)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        seen: dict[str, tuple[str, ...]] = {}
        for name in screen.panes:
            screen.show(name)
            await pilot.pause()
            for key, active in screen.active_bindings.items():
                binding: Binding = active.binding
                if binding.id:
                    seen[binding.id] = (*seen.get(binding.id, ()), key)
    for action in ACTIONS:
        assert set(keys.of(action.name)) <= set(seen[action.binding_id]), action
    assert NO_KEY not in {key for found in seen.values() for key in found}


async def test_keys_change_while_it_runs() -> None:
    app = console(StillSource(fleet_events(0, paused=True)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f6")
        app.use_keys(load_keys(None, "vscode"))
        await pilot.press("f6")
        source = app.source
        assert isinstance(source, StillSource)
        assert [type(stimulus).__name__ for stimulus in source.sent] == ["GoRequest"]
        assert "Held before the first stage" in screen_text(app)


def test_the_setting_names_the_presets() -> None:
    assert next(setting for setting in TABLE if setting.key == "keys").choices == tuple(PRESETS)
