"""The pages of the inspector that say why, and how it differs: by their lines, their keys and their folds."""

from __future__ import annotations

from pathlib import Path

import pytest
from console_app import StillSource, console, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.journal import reader
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.compare import Side, compare, compare_lines, partners
from octogram_tui.projection.explain import Subject, explain_lines
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.tui import theme
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.look.compare import compared
from octogram_tui.tui.look.pieces import hanging
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.detail import Detail

A, B, FIRST = InstanceId("s", "j", "a"), InstanceId("s", "j", "b"), InstanceId("s", "first", "a")
PLAN: list[StageEntry] = [
    {
        "stage": "s",
        "jobs": [
            {"job": "first", "procedure": "builtins.shell", "texts": {"register": "out"}},
            {"job": "j", "procedure": "builtins.shell", "texts": {"arguments.script": "echo {{ vars.out }}"}},
        ],
    }
]


def events() -> list[ev.Event]:
    given: list[ev.Event] = [
        ev.RunStarted(run="r", scenario="s.yml", plan=PLAN, agents=[{"agent": "a"}, {"agent": "b"}]),
        ev.AgentReady(agent="a", python="3.11"),
        ev.AgentReady(agent="b", python="3.12"),
        ev.StageStarted(stage="s", agents=["a", "b"]),
        ev.JobStarted(instance=FIRST, arguments={"script": "measure"}),
        ev.JobFinished(instance=FIRST, result={"stdout": "7", "exit_code": 0}, duration_s=1.0),
        ev.VariableChanged(name="out", value=7, by=str(FIRST)),
        ev.JobStarted(instance=A, arguments={"script": "echo 7"}),
        ev.JobStarted(instance=B, arguments={"script": "echo 7"}),
        ev.JobOutput(agent="a", instance=A, lines=["7", "good"]),
        ev.JobOutput(agent="b", instance=B, lines=["7", "bad"]),
        ev.JobFinished(instance=A, result={}, duration_s=1.0),
        ev.JobFinished(instance=B, state="failed", failure=Failure("exit", "no room"), duration_s=2.0),
        ev.RunPaused(reason="failure", message="no room"),
    ]
    for number, event in enumerate(given, 1):
        event.seq, event.at_s = number, float(number)
    return given


def pane(app: ConsoleApp) -> Detail:
    assert app.run_screen is not None
    found = app.run_screen.panes["detail"]
    assert isinstance(found, Detail)
    return found


def lines_of(detail: Detail) -> list[str]:
    return ["".join(text for text, _ in detail.paint(at, 200)).rstrip() for at in range(detail.count())]


async def test_a_key_explains_the_row_and_the_tree_folds_and_unfolds() -> None:
    app = console(StillSource(events()))
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.instances[B])
        await pilot.press("X")
        detail = pane(app)
        await until(pilot, lambda: "ran at 0:09: for the first time" in screen_text(app))
        assert " ⌄ script: echo 7  ← echo {{ vars.out }}" in lines_of(detail)
        assert "   › out: 7  set by s/first@a at 0:07" in lines_of(detail)
        while "out: 7" not in lines_of(detail)[detail.cursor]:
            await pilot.press("j")
        await pilot.press("l")
        assert '     › its result: {"stdout": "7", "exit_code": 0}' in lines_of(detail)
        at = detail.cursor
        await pilot.press("l", "h")
        assert detail.cursor == at + 1 - 1, "into it, and back to what it is below"
        other = Model(clock=lambda: 0.0, is_replay=True)
        other.apply(events())
        detail.look_at(other.board.instances[B])
        assert detail.cursor == at, "the same row at another moment: nothing is folded again"
        assert '     › its result: {"stdout": "7", "exit_code": 0}' in lines_of(detail)
        await pilot.press("enter")
        assert "its result" not in "".join(lines_of(detail))
        assert "out: 7  set by s/first@a" in detail.text_of_selected()
        await pilot.press("escape")
        await until(pilot, lambda: app.run_screen is not None and app.run_screen.pane == "plan")
        assert detail.page == "look"


async def test_a_line_of_the_tree_folds_by_a_click() -> None:
    app = console(StillSource(events()))
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.instances[B])
        await pilot.press("X")
        detail = pane(app)
        await until(pilot, lambda: detail.count() > 3)
        row = next(at for at, line in enumerate(lines_of(detail)) if "script: echo 7" in line)
        await pilot.click(offset=(detail.region.x + 6, detail.region.y + row))
        await until(pilot, lambda: "out: 7" not in "".join(lines_of(detail)))


async def test_a_key_compares_with_where_it_went_well_and_again_with_the_next() -> None:
    app = console(StillSource(events()))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.instances[B])
        await pilot.press("C")
        detail = pane(app)
        await until(pilot, lambda: "they first differ in environment python" in screen_text(app))
        assert app.run_screen.grid.is_zoomed
        text = "\n".join(lines_of(detail))
        assert "s/j@b#1  ✗ failed  2.0s" in lines_of(detail)[0]
        assert "│ s/j@a#1  ✓ ok  1.0s" in lines_of(detail)[0]
        assert any(line.startswith(" bad ") and line.endswith("│ good") for line in text.splitlines())
        assert "they first differ in environment python" in detail.text_of_selected()
        await pilot.press("C")
        assert detail.page == "look", "there is no other to compare with"
        await pilot.press("escape", "escape")


async def test_of_a_job_the_row_that_failed_is_compared() -> None:
    app = console(StillSource(events()))
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.jobs["s", "j"])
        await pilot.press("C")
        detail = pane(app)
        await until(pilot, lambda: detail.count() > 3)
        assert lines_of(detail)[0].startswith(" < s/j@b#1")
        assert "> s/j@a#1" in detail.text_of_selected()


async def test_who_has_not_run_cannot_be_compared_and_is_told_so() -> None:
    app = console(StillSource(events()[:4]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.stages[0])
        await pilot.press("C")
        await until(pilot, lambda: "choose a row that has run" in screen_text(app))


def test_on_narrow_panes_the_two_stand_above_each_other_and_nothing_is_wider_than_the_pane() -> None:
    model = Model(clock=lambda: 0.0, is_replay=True)
    model.apply(events())
    row = model.board.instances[B]
    assert isinstance(row, InstanceRow)
    assert row.last is not None
    found = compare(Side(row, row.last), partners(row, model.known)[0], model.known, model.written)
    brush = Brush(theme.palette("dark"), ascii_only=True)
    narrow = ["".join(text for text, _ in line) for line in compared(found, brush, 60)]
    assert narrow[:2] == ["< s/j@b#1  x failed  2.0s", "> s/j@a#1  v ok  1.0s"]
    assert "< bad" in narrow
    assert "> good" in narrow
    for width in (100, 120, 200):
        assert all(sum(len(text) for text, _ in line) <= width for line in compared(found, brush, width))


def test_a_long_line_goes_on_indented() -> None:
    rows = hanging([("  ", ""), ("word " * 10, "dim")], 20, 4)
    texts = ["".join(text for text, _ in row) for row in rows]
    assert all(len(text) <= 20 for text in texts)
    assert all(text.startswith("    ") for text in texts[1:])
    assert "".join(texts).replace(" ", "") == "word" * 10


@pytest.mark.parametrize(("name", "step"), [("recorded_failing.jsonl", 1), ("recorded_quickstart.jsonl", 15)])
def test_whatever_has_come_of_a_recorded_run_can_be_explained_and_compared(name: str, step: int) -> None:
    model = Model(clock=lambda: 0.0, is_replay=True, read_text=lambda digest, is_first: "stages: []\n")
    told = 0
    for event in reader.read(Path(__file__).parents[1] / name):
        assert model.apply([event]) == []
        if event.seq % step or event.TYPE in ("job_output", "agent_load", "job_progress"):
            continue
        known = model.known
        for row in model.board.instances.values():
            told += len(explain_lines(row, known, depth=4))
            if row.last is not None:
                for side in partners(row, known)[:2]:
                    told += len(compare_lines(compare(Side(row, row.last), side, known, model.written)))
        subjects: list[Subject] = [*model.board.stages, *model.board.agents.values(), *known.variables.by_name.values()]
        for subject in subjects:
            told += len(explain_lines(subject, known, depth=3))
    assert told > 500
