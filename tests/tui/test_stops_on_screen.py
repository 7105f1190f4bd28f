"""What is drawn of stops: why the run stands, what comes next, breakpoints in plan and source, agents held alone."""

from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from held_fleet import TEXT, held_events, key, numbered
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.widgets.source_view import SourceView

MET = ev.BreakpointMet(
    number=2, instance=key("n_1"), attempt=1, count=1, message="breakpoint 2: vars.level > 5 (vars.level = 7)"
)
KINDS = (
    ev.BreakpointSet(number=2, pattern="one/copy", condition="vars.level > 5"),
    ev.BreakpointSet(number=3, pattern="one/build@n_2"),
    ev.BreakpointSet(number=4, pattern="two", when="stage", is_off=True),
    ev.BreakpointSet(number=5, pattern="two/run", log="{{ vars.proto }}"),
)


def lines_of(app: ConsoleApp) -> list[str]:
    return [line.rstrip() for line in screen_text(app).splitlines()]


def row_of(app: ConsoleApp, text: str) -> str:
    return next(line for line in lines_of(app)[3:] if text in line)


async def source_of(pilot: Pilot[ConsoleOutcome], app: ConsoleApp) -> SourceView:
    await settled(pilot)
    await pilot.press("7")
    assert app.run_screen is not None
    view = app.run_screen.panes["source"]
    assert isinstance(view, SourceView)
    await until(pilot, lambda: view.has_focus and view.size.height)
    return view


def text_of(view: SourceView, line: int, width: int = 110) -> str:
    return "".join(text for text, _ in view.paint(line - 1, width)).rstrip()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_stop_is_explained_with_its_number_its_values_and_what_comes_next(size: tuple[int, int]) -> None:
    source = StillSource(held_events(40, MET, paused="breakpoint", breakpoint_=2))
    async with console(source).run_test(size=size) as pilot:
        app = await settled(pilot)
        top = " ".join(" ".join(lines_of(app)[:4]).split())
        assert "PAUSED breakpoint 2" in top
        assert "Breakpoint 2: vars.level > 5 (vars.level = 7), at copy @ n_1." in top
        assert "It is next, then n_2, n_3 (37 more)." in top
        for hint in ("n over", "s into", "Spc go"):
            assert hint in top


async def test_a_pause_says_how_many_are_in_flight_and_what_comes_next() -> None:
    started = [ev.JobStarted(instance=key(name)) for name in ("n_1", "n_2")]
    source = StillSource(held_events(5, *started, paused="operator"))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        text = screen_text(app)
        assert "PAUSING 2 in flight" in text
        assert "Pausing: 2 in flight. Next: copy @ n_3, then n_4, n_5." in text


async def test_next_is_that_of_those_that_steps_are_for() -> None:
    source = StillSource(held_events(5))
    async with console(source).run_test(size=(160, 40)) as pilot:
        app = await settled(pilot)
        app.model.scope.use("agent", "n_4")
        app.sync()
        assert "next of n_4: copy @ n_4" in screen_text(app)
        assert "Next: copy @ n_4." in screen_text(app)


async def test_agents_that_are_held_alone_are_told_of_while_the_others_go_on() -> None:
    held = ev.AgentHeld(agent="n_2", reason="breakpoint", message="breakpoint 2: vars.level > 5")
    source = StillSource(held_events(3, ev.RunResumed(), ev.HoldModeChosen(mode="alone"), held))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        top = " ".join(" ".join(lines_of(app)[:4]).split())
        assert "n_2 held" in lines_of(app)[0]
        assert "stops: alone" in lines_of(app)[0]
        assert "n_2 is held alone: breakpoint 2: vars.level > 5" in top
        await pilot.press("2")
        assert "held alone: breakpoint 2" in screen_text(app)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_breakpoints_stand_before_rows_and_lines_each_kind_with_its_sign(ascii_only: bool) -> None:
    source = StillSource(held_events(3, *KINDS))
    app = console(source, ascii_only=ascii_only, read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        plain, some, log, off = "b?lo" if ascii_only else "◉◍◊◌"
        assert row_of(app, "copy  ").startswith(some)
        assert row_of(app, "build  ").startswith(plain)
        assert row_of(app, "2 two").startswith(off)
        assert row_of(app, "run  ").startswith(log)
        view = await source_of(pilot, app)
        assert f" {some}  6" in text_of(view, 6)
        assert f" {plain}  9" in text_of(view, 9)
        assert f" {off} 13" in text_of(view, 13)
        assert f" {log} 15" in text_of(view, 15)
        assert "breakpoint 2 if vars.level > 5, 3 held" in text_of(view, 6)
        assert "breakpoint 3 @n_2" in text_of(view, 9)
        assert "breakpoint 4, off" in text_of(view, 13)
        assert "breakpoint 5 writes {{ vars.proto }}" in text_of(view, 15)
        assert text_of(view, 6)[9] == (">" if ascii_only else "►")[0]


async def test_a_line_says_what_the_held_row_would_be_given_now() -> None:
    app = console(StillSource(held_events()), read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await source_of(pilot, app)
        assert text_of(view, 8).endswith("script: 'cp {{ vars.level }} {{ agent.name }}'  = cp 7 n_1")
        assert text_of(view, 10).endswith("  level = 7, proto = alpha")
        changed: list[ev.Event] = [ev.VariableChanged(name="level", value=3, by="operator")]
        source: Any = app.source
        source.tell(*numbered(changed, after=app.model.board.seq))
        await until(pilot, lambda: "= cp 3 n_1" in text_of(view, 8))


async def test_a_click_before_the_text_sets_a_breakpoint_and_one_in_it_does_not() -> None:
    source = StillSource(held_events())
    app = console(source, read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await source_of(pilot, app)
        y = 8 - view.scroll_offset.y
        await pilot.click(view, offset=(20, y))
        assert source.sent == []
        await pilot.click(view, offset=(3, y))
        await until(pilot, lambda: source.sent)
        assert source.sent == [st.BreakRequest("one/build", "before")]
        assert view.line == 9


async def test_without_colour_the_signs_and_words_are_enough() -> None:
    app = console(StillSource(held_events(3, *KINDS)), palette="no-colour", read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert row_of(app, "copy  ").startswith("◍")


async def test_stepping_a_job_goes_along_to_the_next_job_once_nothing_of_it_is_left() -> None:
    source = StillSource(held_events(2))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert app.run_screen is not None
        plan, board = app.run_screen.plan, app.model.board
        plan.select(board.jobs["one", "copy"])
        await pilot.press("n")
        told: list[ev.Event] = []
        for name in ("n_1", "n_2"):
            told += [ev.JobStarted(instance=key(name)), ev.JobFinished(instance=key(name), state="ok")]
            told += [ev.JobHeld(instance=key(name, "build"), reason="step")]
        source.tell(*numbered(told[:3], after=board.seq))
        await until(pilot, lambda: key("n_1", "build") in board.instances)
        assert plan.selected is board.jobs["one", "copy"], "the other agent has it before it"
        source.tell(*numbered(told[3:], after=board.seq))
        await until(pilot, lambda: plan.selected is board.jobs["one", "build"])
        await pilot.press("n")
        assert source.sent == [st.StepRequest("over", "one/copy"), st.StepRequest("over", "one/build")]


async def test_who_goes_elsewhere_meanwhile_is_left_there() -> None:
    source = StillSource(held_events(1))
    async with console(source).run_test(size=(80, 24)) as pilot:
        app = await settled(pilot)
        assert app.run_screen is not None
        plan, board = app.run_screen.plan, app.model.board
        plan.select(board.jobs["one", "copy"])
        await pilot.press("n", "G")
        there = plan.selected
        told: list[ev.Event] = [ev.JobStarted(instance=key("n_1")), ev.JobFinished(instance=key("n_1"), state="ok")]
        source.tell(*numbered([*told, ev.JobHeld(instance=key("n_1", "build"), reason="step")], after=board.seq))
        await until(pilot, lambda: key("n_1", "build") in board.instances)
        assert plan.selected is there


async def test_a_stop_without_a_condition_says_before_what_it_stands() -> None:
    met = ev.BreakpointMet(number=3, instance=key("n_1"), count=1, message="breakpoint 3: before")
    source = StillSource(held_events(2, met, paused="breakpoint", breakpoint_=3))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        assert "Breakpoint 3: before copy @ n_1." in screen_text(app)


async def test_a_row_that_a_breakpoint_holds_has_its_sign() -> None:
    source = StillSource(held_events(2, reason="breakpoint 3: before", paused="breakpoint", breakpoint_=3))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        assert "◉ n_1  next in line, held at breakpoint 3" in screen_text(app)
