"""The source as it is drawn: by the text of its lines."""

import pytest
from console_app import StillSource, console, screen_text, until
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.widgets.source_view import SourceView

TEXT = """\
vars:
\tname: 名前を長く書く {{ vars.x }}
stages:
  - name: one
    jobs:
      - name: a  # [bold]not markup[/] \x1b[2J
        builtins.shell:
          script: '{{ vars.x }}'
      - name: b
        builtins.shell:
          script: echo
"""
PLAN: list[StageEntry] = [
    {
        "stage": "one",
        "line": 4,
        "jobs": [
            {"job": "a", "procedure": "builtins.shell", "line": 6},
            {"job": "b", "procedure": "builtins.shell", "line": 9},
        ],
    }
]


def events_of(*more: ev.Event) -> list[ev.Event]:
    agents = ["n0", "n1", "n2"]
    events: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="dir/s.yml", plan=PLAN, digest="d1", variables={"x": 3}),
        ev.StageStarted(stage="one", agents=agents),
    ]
    for agent in agents:
        key = InstanceId("one", "a", agent)
        events.append(ev.JobStarted(instance=key, arguments={"script": f"on {agent}"}))
        if agent != "n2":
            failure = Failure("exit", "it broke", "", {})
            events.append(ev.JobFinished(instance=key, state="failed", failure=failure, duration_s=1.0))
    for number, event in enumerate((*events, *more)):
        event.seq, event.at_s = number + 1, float(number)
    return [*events, *more]


async def opened(pilot: Pilot[ConsoleOutcome], app: ConsoleApp, *keys: str) -> SourceView:
    await until(pilot, lambda: app.model.board.seq)
    await pilot.press("7")
    assert app.run_screen is not None
    view = app.run_screen.panes["source"]
    assert isinstance(view, SourceView)
    await until(pilot, lambda: view.has_focus and view.size.height)
    await pilot.press(*keys)
    return view


def text_of(view: SourceView, line: int, width: int = 90) -> str:
    return "".join(text for text, _ in view.paint(line - 1, width)).rstrip()


async def test_signs_numbers_and_values_stand_beside_the_text() -> None:
    app = console(StillSource(events_of()), read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot, app)
        assert text_of(view, 6) == "  ✗2    6        - name: a  # [bold]not markup[/] ␛[2J  ◂ 2 failed, 1 running"
        assert text_of(view, 9) == "        9        - name: b"
        assert text_of(view, 2).endswith("name: 名前を長く書く {{ vars.x }}  = 3")
        assert view.line == 6, "it opens where the failure is"
        assert text_of(view, 8).endswith("script: '{{ vars.x }}'  = on n0  (n0)"), "it says whose"
        assert "\x1b" not in screen_text(app)


async def test_what_is_too_long_is_cut_by_cells_and_can_be_scrolled_to() -> None:
    app = console(StillSource(events_of()), read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot, app)
        await pilot.press("l", "l")
        assert text_of(view, 2).endswith("    2  前を長く書く {{ vars.x }}  = 3")
        await pilot.press("h", "h", "h")
        assert "name: 名前" in text_of(view, 2)


async def test_moving_in_it_chooses_the_row_in_the_plan_and_the_plan_leads_it() -> None:
    app = console(StillSource(events_of()), read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(160, 40)) as pilot:
        view = await opened(pilot, app)
        screen = app.run_screen
        assert screen is not None
        chosen = screen.plan.selected
        await pilot.press("j")
        assert screen.plan.selected is chosen, "still in the lines of the job whose instance is chosen"
        await pilot.press("j", "j")
        await until(pilot, lambda: screen.plan.selected is app.model.board.jobs["one", "b"])
        assert view.line == 9, "the cursor stays where it was put"
        await pilot.press("1", "g", "7")
        await until(pilot, lambda: view.line == 4)


async def test_an_edit_that_was_refused_is_told_above_the_text_that_runs() -> None:
    rejected = ev.ScenarioRejected(problems=[{"line": 12, "message": "[red]no such key"}])
    app = console(StillSource(events_of(rejected)), read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot, app)
        shown = "".join(text for text, _ in view.paint_header(80))
        assert shown == " the file on disk was refused at line 12: [red]no such key  this is what runs"
        assert "refused at line 12: [red]no such key" in screen_text(app)


async def test_an_edit_that_was_refused_and_put_right_while_nobody_looked_is_told_no_more() -> None:
    rejected = ev.ScenarioRejected(problems=[{"line": 12, "message": "no such key"}])
    source = StillSource(events_of(rejected))
    app = console(source, read_text=lambda digest, is_first: TEXT)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot, app, "1")
        app.model.apply([ev.ScenarioReloaded(seq=99, digest="d2", plan=PLAN)])
        assert view.header_lines, "nothing was drawn since"
        assert view.paint_header(80) == []
        await pilot.press("7")
        await until(pilot, lambda: view.has_focus and not view.header_lines)
        assert "refused" not in screen_text(app)


async def test_a_run_without_a_copy_says_so_and_a_text_is_read_only_when_it_is_looked_at() -> None:
    asked: list[str] = []

    def read(digest: str, is_first: bool) -> None:
        asked.append(digest)

    app = console(StillSource(events_of()), read_text=read)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model.board.seq)
        await pilot.press("2", "1")
        assert asked == []
        await opened(pilot, app)
        assert asked == ["d1"]
        assert "this run kept no copy of it" in screen_text(app)


async def test_of_a_long_text_only_what_is_seen_is_painted() -> None:
    text = TEXT + "more: {{ vars.x }}\n" * 5_000
    app = console(StillSource(events_of()), read_text=lambda digest, is_first: text)
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot, app)
        await pilot.press("G")
        assert view.line == 5_011
        assert text_of(view, 5_011) == "      5011  more: {{ vars.x }}  = 3"
        assert view.painted_lines < 150


async def test_the_editor_opens_at_the_line_that_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(StillSource(events_of()), read_text=lambda digest, is_first: TEXT)
    opened_at: list[int] = []

    async def edit(line: int) -> None:
        opened_at.append(line)

    monkeypatch.setattr(app, "edit_scenario", edit)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        await pilot.press("j", "E", "1", "E")
        await until(pilot, lambda: opened_at == [7, 6])
