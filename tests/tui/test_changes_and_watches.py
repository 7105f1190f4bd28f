"""What a change comes to is said before it is so; edits of the file wait for a word; expressions are watched."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from test_again_verbs import asked, key, screen_of
from test_variable_form import shop_events
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.runtime.verbs import Evaluate, ForeseeFile, ForeseeSet, LookAtFile
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.evaluate_form import EvaluateForm
from octogram_tui.tui.screens.variable_form import VariableForm
from octogram_tui.tui.watches import Watches, place_of

FORESEEN = {
    "problem": "",
    "stale": {"market/sell@shop_1": "stock_2 is 5 now", "market/sell@shop_2": ""},
    "failed": ["market/sell@shop_0"],
    "new": [],
    "gone": [],
    "changes": ["job market/sell changed"],
}


def told(source: StillSource, *events: ev.Event) -> None:
    seq = source._events[-1].seq
    for number, event in enumerate(events, 1):
        event.seq, event.at_s = seq + number, 9.0
    source._events = [*source._events, *events]
    source.tell(*events)


# Before a variable is set


async def test_what_becomes_stale_is_listed_before_a_variable_is_set_and_exactly_that_can_run_again() -> None:
    source = StillSource(shop_events(3))
    source.answers[ForeseeSet] = FORESEEN
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "5", "enter")
        seen = await asked(pilot)
        assert "stock_2 becomes 5?" in seen
        assert "stale: market/sell @ shop_1 shop_2" in seen
        assert "failed, and would run differently: market/sell @ shop_0" in seen
        assert source.sent == []
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, VariableForm), "and what was typed is still there"
        await pilot.press("enter", "r")
        await pilot.pause()
        assert source.sent == [
            st.SetVariableRequest("stock_2", 5),
            st.RerunAllRequest("failed", instances=(key(0),)),
            st.RerunAllRequest("stale", instances=(key(1), key(2))),
        ]


async def test_what_only_repairs_is_set_without_a_question() -> None:
    source = StillSource(shop_events(3))
    source.answers[ForeseeSet] = {**FORESEEN, "stale": {}}
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "5", "enter", "R", "r")
        assert source.sent == [st.SetVariableRequest("stock_2", 5), st.RerunAllRequest("failed", go=True)]


async def test_nothing_is_written_before_that_is_agreed(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("vars:\n  stock_2: 0  # why\n")
    source = StillSource(shop_events(3))
    source.answers[ForeseeSet] = FORESEEN
    async with console(source, scenario_path=str(path)).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("e", "5", "ctrl+s")
        await asked(pilot)
        assert "stock_2: 0  # why" in path.read_text()
        await pilot.press("y")
        await pilot.pause()
        assert path.read_text() == "vars:\n  stock_2: 5  # why\n"
        assert source.sent == [st.SetVariableRequest("stock_2", 5)]


async def test_a_variable_is_taken_away_after_another_key_or_a_question() -> None:
    source = StillSource(shop_events(1))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        await pilot.press("e", "ctrl+r")
        assert source.sent == []
        for _ in range(2):  # the first key is not forgotten for a tick, nor for another variable
            await until(pilot, lambda: "ctrl+r again: take it away" in screen_text(app, on_top=True))
            told(source, ev.VariableChanged(name="price", value=15, by="operator"))
            app.sync()
            await settled(pilot)
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert source.sent == [st.SetVariableRequest("stock_2", remove=True)]
        screen_of(pilot).action_unset_variable()
        assert "stock_2 is taken away?" in await asked(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert source.sent[1:] == [st.SetVariableRequest("stock_2", remove=True)]


# Before an edit of the file is in force


def waiting(stale: int = 0, failed: int = 0) -> ev.EditWaits:
    return ev.EditWaits(digest="d", changes=["job market/sell changed"], stale=stale, failed=failed)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_an_edit_that_touches_what_ran_waits_and_says_what_it_comes_to(size: tuple[int, int]) -> None:
    source = StillSource(shop_events(3))
    source.answers |= {ForeseeFile: FORESEEN, LookAtFile: {"problem": "", "said": ["the run takes it up"]}}
    async with console(source).run_test(size=size) as pilot:
        app = await settled(pilot)
        told(source, waiting(stale=2, failed=1))
        await until(pilot, lambda: app.model.board.waiting_edit)
        await until(pilot, lambda: "An edit of the file waits" in screen_text(app))
        assert source.asked == [], "nothing happens by itself"
        await pilot.press("I")
        seen = await asked(pilot)
        assert "job market/sell changed" in seen
        assert "rerun 3 instances on 3 agents: exactly what it touches" in seen
        await pilot.press("r")
        await until(pilot, lambda: len(source.sent) == 2)
        assert source.asked == [ForeseeFile(), LookAtFile()]
        assert source.sent[1] == st.RerunAllRequest("stale", instances=(key(1), key(2)))


async def test_an_edit_that_touches_nothing_that_ran_is_taken_at_once() -> None:
    source = StillSource(shop_events(3))
    source.answers[LookAtFile] = {"problem": "", "said": ["the run takes it up"]}
    async with console(source).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        told(source, waiting(failed=1))
        await until(pilot, lambda: source.asked == [LookAtFile()])


async def test_edits_wait_as_long_as_somebody_is_there_who_may_act() -> None:
    modes: list[st.Stimulus] = []

    class Noting(StillSource):
        def send(self, stimulus: st.Stimulus) -> None:
            super().send(stimulus)
            modes.append(stimulus)

    source = Noting(shop_events(1), has_control=False)
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert modes == []
        source.has_control = True
        app.sync()
        assert modes == [st.ReloadModeRequest("ask")]
        app.sync()
        assert len(modes) == 1
        await pilot.press("q", "d")
    assert modes[-1] == st.ReloadModeRequest("now")


async def test_after_a_refused_edit_the_editor_opens_at_the_error() -> None:
    source = StillSource(shop_events(1))
    app = console(source)
    lines: list[tuple[int, str]] = []

    async def edit(line: int, path: str = "") -> None:
        lines.append((line, path))

    app.edit_scenario = edit  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("E")
        told(source, ev.ScenarioRejected(problems=[{"file": "x/y.yml", "line": 7, "message": "no", "hint": ""}]))
        await until(pilot, lambda: app.model.board.problems)
        await pilot.press("E")
        assert lines == [(3, ""), (7, "x/y.yml")]


# Looking at values


def form(pilot: Pilot[Any]) -> EvaluateForm:
    screen = pilot.app.screen
    assert isinstance(screen, EvaluateForm)
    return screen


async def test_an_expression_is_evaluated_as_the_row_sees_it_and_watched_with_another_enter() -> None:
    source = StillSource(shop_events(1))
    source.answers[Evaluate] = {"problem": "", "value": 12}
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("=", *"vars.price", "enter")
        await until(pilot, lambda: "enter again: watch it" in screen_text(app, on_top=True))
        assert source.asked == [Evaluate("vars.price", key(0))]
        assert "12" in screen_text(app, on_top=True)
        await pilot.press("enter", "4")
        await until(pilot, lambda: "= vars.price" in screen_text(app))
        source.answers[Evaluate] = {"problem": "", "value": 15}
        told(source, ev.RunResumed(mode="step"), ev.JobStarted(instance=key(0), attempt=2))
        told(source, ev.JobFinished(instance=key(0), attempt=2, state="ok"), ev.RunPaused(reason="step"))
        await until(pilot, lambda: "was 12" in screen_text(app))
        assert "* = vars.price" in screen_text(app)
        await pilot.press("g", "d")
        await until(pilot, lambda: "= vars.price" not in screen_text(app))


async def test_an_error_is_one_line_and_up_gives_what_was_asked_before() -> None:
    source = StillSource(shop_events(1))
    source.answers[Evaluate] = {"problem": "no variable `pice`; did you mean `price`?"}
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("=", *"vars.pice", "enter")
        await until(pilot, lambda: "no variable `pice`" in screen_text(app, on_top=True))
        await pilot.press("enter")
        assert isinstance(app.screen, EvaluateForm), "what failed is not watched"
        await pilot.press("escape", "=", "up")
        assert form(pilot).field.value == "vars.pice"
        await pilot.press("down")
        assert form(pilot).field.value == ""


async def test_in_a_replay_values_are_those_that_were_told() -> None:
    source = StillSource(fleet_events(3.0), ends=True)
    app = console(source, replay=True)
    app.enquiries = type(app.enquiries)(object())  # type: ignore[arg-type]  # a journal answers nothing
    app.model.watches.add("vars.slots + 1")
    app.model.watches.add("vars.nothing")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("4")
        await until(pilot, lambda: "= vars.slots + 1" in screen_text(app))
        await until(pilot, lambda: app.model.watches.items[0].text == "5")
        assert "no variable `nothing`" in app.model.watches.items[1].problem


def test_watches_are_kept_for_a_scenario_s_file_and_what_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    path = place_of(tmp_path, "a.yml")
    assert path != place_of(tmp_path, "b.yml")
    watches = Watches(path)
    assert watches.add("vars.x")
    assert not watches.add("vars.x"), "once is enough"
    watches.remember("vars.y")
    again = Watches(path)
    assert ([watch.expression for watch in again.items], again.history) == (["vars.x"], ["vars.y"])
    again.remove(again.items[0])
    assert Watches(path).items == []
    for text in ("[", "[]", '{"watches": 5, "history": []}', '{"watches": [5], "history": [null]}'):
        path.write_text(text)
        assert Watches(path).items == []


async def test_which_variables_are_others_since_when_is_listed() -> None:
    source = StillSource(shop_events(1))
    told(source, ev.VariableChanged(name="price", value=15, by="operator"))
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen_of(pilot).action_changed_variables()
        assert "the start" in await asked(pilot)
        await pilot.press("1")
        await until(pilot, lambda: "price: 12 -> 15" in screen_text(app, on_top=True))
        assert isinstance(app.screen, Question)
