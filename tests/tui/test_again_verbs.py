"""Doing again, going back and passing over: the question names how much it is and where, and what is asked is that."""

from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from test_variable_form import shop_events
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.run_screen import RunScreen


def key(number: int) -> InstanceId:
    return InstanceId("market", "sell", f"shop_{number}")


def source_of(agents: int = 3) -> StillSource:
    return StillSource(shop_events(agents))


def screen_of(pilot: Pilot[Any]) -> RunScreen:
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    assert app.run_screen is not None
    return app.run_screen


async def asked(pilot: Pilot[Any]) -> str:
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await until(pilot, lambda: isinstance(app.screen, Question))
    return " ".join(screen_text(app, on_top=True).replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_menu_counts_before_it_is_chosen_and_tab_takes_the_inputs_of_then(size: tuple[int, int]) -> None:
    source = source_of()
    async with console(source).run_test(size=size) as pilot:
        await settled(pilot)
        screen_of(pilot).plan.select(screen_of(pilot).model.board.instances[key(1)])
        await pilot.press("D")
        seen = await asked(pilot)
        for line in ("1 instance on 1 agent sell @ shop_1", "job 3 instances on 3 agents", "f failed 3 instances"):
            assert line in seen
        assert "back to the beginning of a stage" in seen
        await pilot.press("tab")
        assert "With the variables as the latest attempt read them" in await asked(pilot)
        await pilot.press("j")
        assert source.sent == [st.RerunRequest("market", "sell", inputs="then")]


async def test_a_word_of_the_menu_asks_with_its_count_and_one_instance_runs_at_once() -> None:
    source = source_of()
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = screen_of(pilot)
        row = screen.model.board.instances[key(1)]
        screen.plan.select(row)
        screen.action_rerun_of("item")
        assert source.sent == [st.RerunRequest("market", "sell", "shop_1", row.key)]
        screen.action_rerun_of("stage")
        assert "Rerun 3 instances on 3 agents?" in await asked(pilot)
        await pilot.press("r")
        screen.action_rerun_of("from here")
        await asked(pilot) if isinstance(pilot.app.screen, Question) else None
        screen.action_rerun_of("item", "then")
        assert "with the variables as the latest attempt read them" in await asked(pilot)
        await pilot.press("r")
        await pilot.pause()
        assert st.RerunRequest("market", "sell", "shop_1", row.key, from_here=True) in source.sent
        assert source.sent[-1] == st.RerunRequest("market", "sell", "shop_1", row.key, inputs="then")


async def test_back_to_a_stage_says_what_is_restored_what_runs_again_and_that_the_rest_stays() -> None:
    source = source_of()
    seq = source._events[-1].seq
    changed = ev.VariableChanged(seq=seq + 1, at_s=9.0, name="price", value=15, by="operator")
    done = ev.JobFinished(seq=seq + 2, at_s=9.0, instance=key(2), attempt=2, state="ok")
    source._events += [changed, done]
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("D", "b")
        assert "1 variable as then" in await asked(pilot)
        await pilot.press("1")
        await until(pilot, lambda: "Back to the beginning of market?" in screen_text(pilot.app, on_top=True))  # type: ignore[arg-type]
        seen = await asked(pilot)
        assert "price: 15 becomes 12" in seen
        assert "1 instance on 1 agent that ended well will run again." in seen
        assert "What was done on the agents stays there." in seen
        assert source.sent == []
        await pilot.press("b")
        assert source.sent == [st.BackRequest("market")]


async def test_skip_of_a_folded_row_is_all_in_it_that_the_filter_takes() -> None:
    source = source_of(3)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screen = screen_of(pilot)
        screen.plan.select(app.model.board.stages[0])
        screen.plan.is_following = False
        await pilot.press("S")
        assert "Skip 3 failed instances on 3 agents?" in await asked(pilot)
        await pilot.press("escape", "ampersand", *"!shop_1", "enter")
        screen.plan.select(app.model.board.stages[0])
        await pilot.press("S")
        assert "Skip 2 failed instances on 2 agents?" in await asked(pilot)
        await pilot.press("s")
        assert source.sent == [st.SkipAllRequest("failed", instances=(key(0), key(2)))]


async def test_who_only_watches_is_told_why_and_asked_nothing() -> None:
    source = source_of()
    source.has_control = False
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = screen_of(pilot)
        for action in (screen.action_rerun_menu, screen.action_back_to_stage, lambda: screen.action_rerun_of("job")):
            action()
            await pilot.pause()
            assert pilot.app.screen is screen
        assert source.sent == []


def test_every_word_of_repeating_data_and_the_file_is_in_the_palette() -> None:
    names = {action.name for action in ACTIONS}
    repeat = {"rerun item", "rerun job", "rerun agent", "rerun stage", "rerun from here", "rerun failed", "rerun stale"}
    data = {
        "edit variable",
        "unset variable",
        "edit arguments",
        "changed variables",
        "evaluate",
        "add watch",
        "arguments",
    }
    file = {
        "edit scenario",
        "reload now",
        "take edit",
        "last edit",
        "revert scenario",
        "check scenario",
        "save variables",
    }
    assert repeat | {"rerun with inputs of then", "back to stage"} | data | file | {"what an edit changes"} <= names
