"""Dialogs: they fit any terminal, say what is so now, take keys and clicks, and give the keys back where they were."""

from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from textual.containers import VerticalScroll
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets._toast import Toast, ToastRack

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.projection.row_states import Phase
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.screens.dialogs import Answer, Question

SIZES = [(80, 24), (40, 12), (20, 5)]


def dialog(pilot: Pilot[Any]) -> Question:
    screen = pilot.app.screen
    assert isinstance(screen, Question)
    return screen


def seen(pilot: Pilot[Any]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def numbered(events: list[ev.Event], *more: ev.Event) -> list[ev.Event]:
    for seq, event in enumerate(more, events[-1].seq + 1):
        event.seq, event.at_s = seq, events[-1].at_s + 0.1
    return list(more)


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_fits_any_terminal(size: tuple[int, int]) -> None:
    source = StillSource(fleet_events(6.0))
    app = console(source)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        given: list[str | None] = []
        lines = ["many words that are wrapped " * 3, "数数数 " * 20, "the very end"]
        answers = [Answer("a", "do the one thing", "one"), Answer("b", "do the other thing", "other")]
        app.open_dialog(Question(app.brush, "Which of the two?", lines, answers), given.append)
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.pause()
        text = "".join(seen(pilot).split())
        assert "Which" in text
        assert size == (20, 5) or "dotheotherthing" in text.replace("│", "")
        for _ in range(60):
            await pilot.press("down")
        assert size == (80, 24) or "very end" in " ".join(seen(pilot).replace("│", " ").split())
        await pilot.press("x", "b")
        assert given == ["other"]


@pytest.mark.parametrize("size", SIZES)
async def test_escape_leaves_every_dialog_and_the_keys_are_where_they_were(size: tuple[int, int]) -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=size) as pilot:
        app = await settled(pilot)
        assert app.run_screen is not None
        for key in ("q", "e", "w", "question_mark", "colon", "R"):
            await pilot.press("4")
            focused = app.run_screen.focused
            await pilot.press(key, "x", "escape", "escape")
            assert app.screen is app.run_screen, key
            assert app.run_screen.focused is focused, key
        await pilot.press("exclamation_mark", "slash", "x", "escape")
        assert app.run_screen.focused in app.run_screen.panes.values()
        assert all(isinstance(each, st.RerunAllRequest) for each in source.sent)


async def test_a_question_says_what_is_so_now() -> None:
    events = fleet_events(2.0)
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("q")
        before = dialog(pilot).asked.lines
        agent = next(event.agent for event in events if isinstance(event, ev.AgentReady))
        source.tell(*numbered(events, ev.AgentLost(agent=agent, message="gone")))
        await until(pilot, lambda: dialog(pilot).asked.lines != before)
        source.tell(*numbered(events, ev.StopRequested(by="signal"), ev.RunFinished(exit_code=3)))
        await until(pilot, lambda: "The run is over" in dialog(pilot).asked.title)
        assert "exit code 3" in seen(pilot)
        await pilot.press("d")  # there is nothing to detach from any more
        assert isinstance(app.screen, Question)
        await pilot.press("enter")
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value is not None
    assert (app.return_value.kind, app.return_value.exit_code) == ("finished", 3)
    assert source.sent == []


async def test_who_stops_as_the_run_begins_to_stop_forces_nothing() -> None:
    events = fleet_events(2.0)
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("q")
        source.tell(*numbered(events, ev.StopRequested(by="signal")))
        await until(pilot, lambda: app.model.board.phase is Phase.STOPPING)
        await pilot.press("s")
        assert source.sent == []
        await pilot.press("f")
        assert [type(each) for each in source.sent] == [st.StopRequest]


async def test_ctrl_c_in_a_question_answers_it_with_never_mind() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1", "g", "r")
        assert "Rerun" in dialog(pilot).asked.title
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "Stop the run?" in dialog(pilot).asked.title)
        await pilot.press("escape")
        assert source.sent == []


async def test_a_question_whose_subject_went_away_says_so() -> None:
    events = fleet_events(6.0)
    source = StillSource(events)
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("1", "g", "r")
        source.tell(*numbered(events, ev.RunFinished(exit_code=1)))
        await until(pilot, lambda: "nothing to answer any more" in seen(pilot))
        await pilot.press("r", "enter")
        assert app.screen is app.run_screen
        assert source.sent == []


async def test_an_answer_can_be_clicked() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("1", "g", "r")
        text = dialog(pilot).text
        line = next(line for line, value in text.values.items() if value == "yes")
        await pilot.click(text, offset=(9, line))
        assert app.screen is app.run_screen
        assert [type(each) for each in source.sent] == [st.RerunRequest]


async def test_what_is_typed_ahead_is_for_what_opens() -> None:
    source = StillSource(fleet_events(6.0))
    app: ConsoleApp = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ["1", "g", "r", "escape", "3", "slash", "S", "R", "escape", "1", "g", "r", "r", "space"]:
            app.post_message(Key(key, key if len(key) == 1 else None))
        app.post_message(Paste("r"))  # no key
        await until(pilot, lambda: len(source.sent) == 2)
        assert [type(each) for each in source.sent] == [st.RerunRequest, st.PauseRequest]


@pytest.mark.parametrize("columns", [44, 60, 80, 100])
async def test_no_word_of_a_question_is_cut(columns: int) -> None:
    app = console(StillSource(fleet_events(6.0)))
    async with app.run_test(size=(columns, 24)) as pilot:
        await settled(pilot)
        words = "New attempts, with the variables as they are now. " * 2
        app.open_dialog(Question(app.brush, "Rerun?", [words], [Answer("r", "rerun them", "yes")]))
        await until(pilot, lambda: isinstance(app.screen, Question) and "rerun them" in seen(pilot))
        frame = app.screen.query_one(VerticalScroll)
        assert dialog(pilot).text.size.width <= frame.scrollable_content_region.width


async def test_a_notice_below_a_dialog_is_not_shown_a_second_time() -> None:
    app = console(StillSource(fleet_events(6.0)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        app.notify("something happened", markup=False)
        await until(pilot, lambda: bool(app.screen.query(Toast)))
        below = app.screen.query_one(ToastRack)
        await until(pilot, lambda: below.visible)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Question) and bool(app.screen.query(Toast)))
        await until(pilot, lambda: not below.visible)
        await pilot.press("escape")
        await until(pilot, lambda: below.visible)
