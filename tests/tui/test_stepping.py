"""Stepping and holding at the console: what each key asks of the run, for whom, and what stands on the screen of it."""

from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from held_fleet import TEXT, held_events, key, numbered
from textual.widgets._toast import Toast, ToastHolder

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.tui.app import ConsoleApp

HELD = held_events()
STEPS = [
    ("n", st.StepRequest("over", "one/copy@n_1")),
    ("f10", st.StepRequest("over", "one/copy@n_1")),
    ("s", st.StepRequest("into")),
    ("f7", st.StepRequest("into")),
    ("o", st.StepRequest("out", "one/copy@n_1")),
    ("c", st.GoRequest()),
    ("f5", st.GoRequest()),
    ("space", st.GoRequest()),
    ("u", st.UntilRequest("one/copy@n_1")),
    ("b", st.BreakRequest("one/copy@n_1", "before")),
    ("f9", st.BreakRequest("one/copy@n_1", "before")),
    ("H", st.GoRequest("n_1")),
    ("M", st.HoldModeRequest("alone")),
]


def screen_of(app: ConsoleApp) -> Any:
    assert app.run_screen is not None
    return app.run_screen


@pytest.mark.parametrize(("pressed", "asked"), STEPS)
async def test_each_key_asks_about_what_is_next(pressed: str, asked: st.Stimulus) -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(pressed)
        assert source.sent == [asked]


async def test_a_step_is_about_the_row_under_the_cursor_as_long_as_something_of_it_is_held() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        board = app.model.board
        for row in (board.jobs["one", "copy"], board.stages[0], board.stages[1]):
            screen_of(app).plan.select(row)
            await pilot.press("n")
        assert source.sent == [
            st.StepRequest("over", "one/copy"),
            st.StepRequest("over", "one"),
            st.StepRequest("over"),  # nothing of the second stage is held: what is next
        ]


async def test_steps_for_one_agent_ask_for_it_alone_and_the_screen_says_so_until_it_is_over() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        plan = screen_of(app).plan
        plan.select(app.model.board.instances[key("n_2")])
        await pilot.press("A")
        assert "for n_2" in screen_text(app).splitlines()[0]
        plan.select(app.model.board.jobs["one", "copy"])
        await pilot.press("n", "s", "space", "u")
        assert source.sent == [
            st.StepRequest("over", "one/copy", "n_2"),
            st.StepRequest("into", "", "n_2"),
            st.GoRequest("n_2"),
            st.UntilRequest("one/copy", "n_2"),
        ]
        await pilot.press("A")
        assert "for n_2" not in screen_text(app).splitlines()[0]
        assert app.model.scope.is_all


async def test_another_agent_under_the_cursor_is_the_next_one_that_steps_are_for() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        for name in ("n_2", "n_3"):
            screen_of(app).plan.select(app.model.board.instances[key(name)])
            await pilot.press("A")
            assert app.model.scope.words() == name


async def test_steps_are_for_what_the_filter_shows_as_long_as_there_is_one() -> None:
    source = StillSource(held_events(12))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        await pilot.press("ampersand", *"agent:n_1*", "enter")
        screen_of(app).action_use_scope("filter")
        assert app.model.scope.agents() == ["n_1", "n_10", "n_11", "n_12"]
        await pilot.press("space")
        assert source.sent == [st.GoRequest(name) for name in app.model.scope.agents()]
        await pilot.press("escape")
        assert app.model.scope.agents() == [""], "all is shown again: all is meant"


async def test_a_pane_s_own_key_never_steps_and_is_not_said_to() -> None:
    source = StillSource(fleet_events(0, paused=True))
    async with console(source).run_test(size=(200, 60)) as pilot:
        app = await settled(pilot)
        await pilot.press("3", "n", "2", "o")
        assert source.sent == []
        await pilot.press("3")
        assert "n Over" not in screen_text(app).splitlines()[-1]
        assert "F8 Over" in screen_text(app).splitlines()[-1]
        await pilot.press("f8")
        assert source.sent == [st.StepRequest("over")]


async def test_a_key_takes_a_plain_breakpoint_away_and_only_switches_off_one_with_a_condition() -> None:
    at_copy = ev.BreakpointSet(number=2, pattern="one/copy@n_1")
    on_level = ev.BreakpointSet(number=3, pattern="one/build", condition="vars.level > 5")
    off = ev.BreakpointSet(number=3, pattern="one/build", condition="vars.level > 5", is_off=True)
    source = StillSource(held_events(3, at_copy, on_level))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("b")
        screen_of(app).plan.select(app.model.board.jobs["one", "build"])
        await pilot.press("b")
        source.tell(*numbered([off], after=app.model.board.seq))
        await until(pilot, lambda: not app.model.board.stops.breakpoints.by_number[3].breakpoint.is_on)
        await pilot.press("b")
        screen_of(app).plan.select(app.model.board.stages[1])
        await pilot.press("b")
        assert source.sent == [
            st.RemoveBreakRequest(2),
            st.SwitchBreakRequest(3, False),
            st.SwitchBreakRequest(3, True),
            st.BreakRequest("two", "stage"),
        ]


async def test_in_the_agents_pane_a_breakpoint_is_at_the_agent_or_at_what_it_does_in_a_stage() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "b", "l", "b", "H")
        assert source.sent == [
            st.BreakRequest("@n_1", "before"),
            st.BreakRequest("one@n_1", "before"),
            st.GoRequest("n_1"),
        ]


async def test_in_the_source_the_keys_are_about_the_line() -> None:
    source = StillSource(held_events())
    app = console(source, read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("7")
        view = screen_of(app).panes["source"]
        await pilot.press("b", "u", "n", *["j"] * 3, "u", "b", "g", "b")
        assert view.line == 1
        assert source.sent == [
            st.BreakRequest("one/copy", "before"),
            st.UntilRequest("one/copy"),
            st.StepRequest("over", "one/copy"),
            st.UntilRequest("one/build"),
            st.BreakRequest("one/build", "before"),
        ], "and nothing above the first stage"


async def test_an_agent_that_is_held_alone_is_let_go_alone() -> None:
    released = ev.AgentReleased(agent="n_1")
    source = StillSource(held_events(3, released))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        screen_of(app).plan.select(app.model.board.instances[key("n_1")])
        await pilot.press("H")
        source.tell(*numbered([ev.AgentHeld(agent="n_1")], after=app.model.board.seq))
        await until(pilot, lambda: app.model.board.is_agent_held("n_1"))
        await pilot.press("H")
        source.tell(*numbered([ev.AgentReleased(agent="n_1", follows=True)], after=app.model.board.seq))
        await until(pilot, lambda: not app.model.board.stops.agents)
        await pilot.press("H")
        asked = [st.PauseRequest("n_1"), st.GoRequest("n_1"), st.GoRequest("n_1")]
        assert source.sent == asked, "let go; held alone; as all are"


async def test_who_only_watches_sets_nothing() -> None:
    source = StillSource(held_events(), has_control=False)
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n", "s", "o", "u", "c", "b", "H", "M")
        assert source.sent == []


async def test_what_is_told_in_passing_leaves_no_blank_row_once_it_gave_way_to_another() -> None:
    source = StillSource(held_events())
    async with console(source).run_test(size=(80, 24), notifications=True) as pilot:
        app = await settled(pilot)
        await pilot.press("A", "A", "A")
        await until(pilot, lambda: len(app.screen.query(Toast)) == 1)
        assert len(app.screen.query(ToastHolder)) == 1


async def test_a_step_for_an_agent_of_which_nothing_is_held_says_so() -> None:
    source = StillSource(held_events(3, ev.JobStarted(instance=key("n_2"))))
    async with console(source).run_test(size=(160, 40)) as pilot:
        app = await settled(pilot)
        app.model.scope.use("agent", "n_2")
        app.sync()
        await pilot.press("n")
        assert ["nothing of n_2 is held now" in notice.message for notice in app._notifications] == [True]
        assert "next of n_2: nothing" in screen_text(app)
        assert source.sent == []
