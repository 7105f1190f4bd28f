"""The list of breakpoints and the form of one, as they are used and drawn."""

from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from held_fleet import held_events, numbered
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.screens.breakpoint_form import BreakpointForm
from octogram_tui.tui.screens.breakpoint_screen import BreakpointScreen
from octogram_tui.tui.screens.dialogs import Question

SET = (
    ev.BreakpointSet(number=1, pattern="*", when="failed", by="run"),
    ev.BreakpointSet(number=2, pattern="one/build", condition="vars.level > 5"),
    ev.BreakpointSet(number=3, pattern="one/copy@n_2", log="{{ vars.level }}"),
    ev.BreakpointSet(number=4, pattern="three/x", is_off=True),
    ev.BreakpointMet(number=2, message="vars.level > 5 (vars.level = 7)", count=2, row="one/build@n_1"),
)


def shown(app: ConsoleApp) -> list[str]:
    return [line.rstrip() for line in screen_text(app, on_top=True).splitlines()]


def words(app: ConsoleApp) -> str:
    return " ".join(" ".join(shown(app)).replace("│", " ").replace("|", " ").split())


async def opened(pilot: Pilot[ConsoleOutcome]) -> ConsoleApp:
    app = await settled(pilot)
    await pilot.press("B")
    await until(pilot, lambda: isinstance(app.screen, BreakpointScreen) and app.screen.text.size.height > 3)
    return app


async def form_of(pilot: Pilot[ConsoleOutcome], app: ConsoleApp, *keys: str) -> BreakpointForm:
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(app.screen, BreakpointForm) and app.screen.says.size.height)
    assert isinstance(app.screen, BreakpointForm)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_each_kind_has_its_sign_and_the_chosen_one_is_told_of(size: tuple[int, int], ascii_only: bool) -> None:
    source = StillSource(held_events(3, *SET))
    async with console(source, ascii_only=ascii_only).run_test(size=size) as pilot:
        app = await opened(pilot)
        text = "\n".join(shown(app))
        for number, sign in enumerate("??lo" if ascii_only else "◍◍◊◌", 1):
            assert f"{sign}  {number}  " in text or number == 1, text
        await pilot.press("j")
        text = words(app)
        assert "2x" in text
        assert "stops at times: met 2 times, last at one/build@n_1: vars.level > 5 (vars.level = 7)" in text
        await pilot.press("j", "j")
        assert "matches nothing now" in "\n".join(shown(app))


async def test_on_a_small_screen_the_chosen_one_is_seen() -> None:
    source = StillSource(held_events(3, *SET))
    async with console(source).run_test(size=(40, 12)) as pilot:
        app = await opened(pilot)
        await pilot.press("j", "j")
        assert "◊  3  before one/copy" in "\n".join(shown(app))


async def test_what_is_done_in_it_asks_the_run_and_shows_what_came_of_it() -> None:
    source = StillSource(held_events(3, *SET))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("j", "space", "d")
        source.tell(*numbered([ev.BreakpointRemoved(number=2)], after=app.model.board.seq))
        await until(pilot, lambda: 2 not in app.model.board.stops.breakpoints.by_number)
        await pilot.pause()
        await pilot.press("d")
        assert source.sent == [st.SwitchBreakRequest(2, False), st.RemoveBreakRequest(2), st.RemoveBreakRequest(3)]
        await pilot.press("M", "D")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await until(pilot, lambda: "Remove 2 breakpoints?" in words(app))
        await pilot.press("r")
        assert source.sent[3:] == [st.HoldModeRequest("alone"), st.RemoveBreakRequest(0)]


async def test_its_row_is_one_key_away() -> None:
    source = StillSource(held_events(3, *SET))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("j", "j", "g")
        assert app.screen is app.run_screen
        plan: Any = app.run_screen.plan
        assert plan.selected.full_name == "one/copy@n_2"


async def test_a_condition_is_typed_and_wrong_ones_are_said_before_they_are_set() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        form = await form_of(pilot, app, "n", "b")
        assert form.here == "condition"
        await pilot.press(*"vars.level >", "enter")
        assert app.screen is form
        assert "condition:" in "\n".join(shown(app))
        await pilot.press(*" 5", "tab", *"=3", "enter")
        await until(pilot, lambda: isinstance(app.screen, BreakpointScreen))
        assert source.sent == [st.BreakRequest("one/copy@n_1", "before", condition="vars.level > 5", hits="=3")]


async def test_the_form_says_what_a_pattern_is_about_as_it_is_typed() -> None:
    source = StillSource(held_events(12))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        form = await form_of(pilot, app, "n", "a", "up", "up", "ctrl+u")
        assert form.here == "pattern"
        await pilot.press(*"one/*@n_1*")
        await until(pilot, lambda: "2 jobs on 4 agents" in "\n".join(shown(app)))
        await pilot.press(*"x")
        await until(pilot, lambda: "matches nothing now" in "\n".join(shown(app)))
        await pilot.press("escape", "escape")
        assert source.sent == []
        assert app.screen is app.run_screen


async def test_one_that_is_there_is_changed_and_keeps_its_number() -> None:
    source = StillSource(held_events(3, *SET))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await form_of(pilot, app, "j", "enter")
        await pilot.press("ctrl+u", "up", "right", "enter")
        assert source.sent == [st.BreakRequest("one/build", "after", number=2)]


async def test_a_kind_of_failure_a_variable_a_stage_and_a_lost_agent_each_have_their_form() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        for keys, typed, asked in (
            ("f", "exit", st.BreakRequest("*", "failed", "exit")),
            ("v", "level", st.BreakRequest("*", "variable", "level")),
            ("g", "", st.BreakRequest("one", "stage")),
            ("l", "", st.BreakRequest("*", "lost")),
            ("w", "at {{ vars.level }}", st.BreakRequest("one/copy@n_1", "before", log="at {{ vars.level }}")),
        ):
            await form_of(pilot, app, "n", keys)
            await pilot.press(*typed, "enter")
            await until(pilot, lambda: isinstance(app.screen, BreakpointScreen))
            assert source.sent[-1] == asked


async def test_who_only_watches_looks_and_changes_nothing() -> None:
    source = StillSource(held_events(3, *SET), has_control=False)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert "remove" not in "\n".join(shown(app))
        await pilot.press("space", "d", "enter", "n", "D")
        assert isinstance(app.screen, BreakpointScreen)
        assert source.sent == []
