"""Help and palette: both say what there is now, with the keys of now, and nothing else."""

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from textual.command import CommandPalette
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import OptionList

from octogram_tui.engine import events as ev
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.key_file import load_keys
from octogram_tui.tui.key_names import name_of
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.screens.help_screen import HelpScreen


async def help_lines(pilot: Pilot[ConsoleOutcome], app: ConsoleApp, key: str = "question_mark") -> list[str]:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.text.count() > 1)
    assert isinstance(app.screen, HelpScreen)
    text = app.screen.text
    return ["".join(part for part, _ in text.paint(index, text.size.width)) for index in range(text.count())]


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (200, 60)])
async def test_the_help_names_every_action_by_the_keys_of_now_and_its_pane_first(size: tuple[int, int]) -> None:
    app = console(StillSource(fleet_events(2)), keys=load_keys(None, "vscode"))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("3")
        lines = await help_lines(pilot, app)
        assert lines[0] == "Log, where you are"
        whole = " ".join(" ".join(lines).split())
        for action in ACTIONS:
            assert " ".join(action.says.split()) in whole, action.name
            shown = " ".join(app.brush.keys.here(action.name, "log")) or f"F1 {action.name}"
            assert any(line.startswith(shown) for line in lines), action.name
        assert "F6 lets the run go on" in whole
        assert "F10 let the row under the cursor run" in whole, "n is the log's own there, and not said to step"
        assert all(word in whole for word in ("agent lost", "stale", "not heard of"))
        await pilot.press("question_mark")
        assert app.screen is app.run_screen


async def test_the_help_is_found_in_and_closes_on_its_own_key() -> None:
    app = console(StillSource(fleet_events(2)), keys=Keys({"help": ("Z",), "find": ("slash",)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await help_lines(pilot, app, "Z")
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        await pilot.press("slash")
        await until(pilot, lambda: screen.line.has_focus)
        await pilot.press(*"editor")
        await until(pilot, lambda: screen.line.value == "editor")
        lines = ["".join(part for part, _ in screen.text.paint(at, 80)) for at in range(screen.text.count())]
        assert lines[0] == "The run"
        assert "$EDITOR" in " ".join(lines)
        assert len(lines) < 6
        assert screen.line.region.height == 1
        await pilot.press(*"zzz")
        await until(pilot, lambda: screen.text.count() == 1)
        await pilot.press("escape")
        await until(pilot, lambda: screen.text.count() > 20)
        await pilot.press("Z")
        assert app.screen is app.run_screen


async def palette_lines(pilot: Pilot[ConsoleOutcome], app: ConsoleApp, typed: str = "") -> list[str]:
    await pilot.press("colon")
    await until(pilot, lambda: isinstance(app.screen, CommandPalette) and app.screen.query_one(OptionList).option_count)
    before = list(app.screen.query_one(OptionList).options)
    await pilot.press(*(name_of(character) for character in typed))
    found = app.screen.query_one(OptionList)
    if typed:
        await until(pilot, lambda: found.options != before and found.option_count)
    return [str(option.prompt) for option in found.options]


async def test_the_palette_offers_what_makes_sense_now_a_line_an_entry_with_its_keys() -> None:
    app = console(StillSource(fleet_events(60)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        lines = await palette_lines(pilot, app)
        assert not [line for line in lines if "\n" in line or len(line) > 76]
        first = [line.split("  ")[0] for line in lines]
        assert {"Rerun failed", "Skip", "First failure", "Leave", "Theme: Light", "Keys: gdb"} <= set(first)
        assert not {"Take control", "Timestamps", "Down", "Next pane"} & set(first)
        assert next(line for line in lines if line.startswith("Step over")).split()[2:5] == ["n", "F8", "F10"]
        assert app.screen.query_one(OptionList).region.height > 15


async def test_who_watches_and_a_replay_are_offered_nothing_that_asks_of_the_run() -> None:
    app = console(StillSource(fleet_events(60), has_control=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        first = [line.split("  ")[0] for line in await palette_lines(pilot, app)]
        assert "Take control" in first
        assert not {"Rerun", "Rerun failed", "Skip", "Step over", "Edit variable"} & set(first)
    finished = [ev.RunFinished(seq=2, exit_code=0)]
    app = console(StillSource([ev.RunStarted(seq=1, run="r", scenario="s"), *finished]), replay=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        first = [line.split("  ")[0] for line in await palette_lines(pilot, app)]
        assert not {"Take control", "Only watch", "Rerun", "Step over", "Skip", "Edit scenario", "First failure"} & set(
            first
        )


@pytest.mark.parametrize("then", ["escape", "enter"])
async def test_what_is_chosen_is_done_once_whatever_is_typed_right_after_it(then: str) -> None:
    source = StillSource(fleet_events(0, paused=True))
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await palette_lines(pilot, app, "step over")
        await pilot.press("down")
        for key in ("enter", then):  # at once: the palette takes a turn to close
            app.post_message(Key(key, None))
        await until(pilot, lambda: app.screen is app.run_screen and (source.sent or then == "escape"))
        assert len(source.sent) <= 1, "escape may come before it is done"
        assert then == "escape" or [type(each).__name__ for each in source.sent] == ["StepRequest"]


async def test_a_theme_is_shown_while_the_cursor_stands_on_it() -> None:
    app = console(StillSource(fleet_events(2)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await palette_lines(pilot, app, "theme: light")
        await until(pilot, lambda: app.theme == "light")
        await pilot.press("escape")
        await until(pilot, lambda: app.theme == "dark" and app.screen is app.run_screen)
        await palette_lines(pilot, app, "theme: light")
        await until(pilot, lambda: app.theme == "light")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.run_screen)
        await pilot.pause()
        assert app.theme == "light"
        assert app.brush.palette.name == "light"


async def test_keys_are_chosen_in_the_palette_and_shown_everywhere() -> None:
    app = console(StillSource(fleet_events(2)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await palette_lines(pilot, app, "keys: gdb")
        await pilot.press("enter")
        await until(pilot, lambda: app.brush.keys.preset == "gdb")
        assert app.screen is app.run_screen
        await pilot.press("p")
        await until(pilot, lambda: app.screen is not app.run_screen)
        await pilot.press("escape")
        line = next(line for line in await palette_lines(pilot, app) if line.startswith("Edit variable"))
        assert line.split()[2] == "p"


async def test_a_page_of_a_list_that_was_not_laid_out_is_no_page() -> None:
    async with console(StillSource(fleet_events(2))).run_test(size=(200, 1)) as pilot:
        app = await settled(pilot)
        assert isinstance(app, ConsoleApp)
        await pilot.press("colon")
        await until(
            pilot, lambda: isinstance(app.screen, CommandPalette) and bool(app.screen.query_one(OptionList).options)
        )
        await pilot.press("pagedown", "pageup", "end")
        await pilot.resize_terminal(80, 24)
        assert isinstance(app.screen, CommandPalette)
