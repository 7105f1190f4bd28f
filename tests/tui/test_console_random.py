"""Whatever is pressed, clicked, pasted, resized, reloaded and told, in whatever order: the console stays, and draws."""

import os
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, screen_text, settled, until
from debugged_drive import DebuggedBehind, DebuggedDrive
from random_drive import SIZES, Drive, FleetBehind

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui import theme
from octogram_tui.tui.guard import GuardedApp
from octogram_tui.tui.screens import save_form
from octogram_tui.tui.views import VIEWS
from octogram_tui.tui.widgets.line_view import LineView
from tools.debugged_run import SCENARIO, DebuggedRun

STEPS = int(os.environ.get("OCTOGRAM_RANDOM_STEPS", "100"))
"""In all. `make random` takes ten thousand."""
OF_ONE = 100
OF_DEBUGGED = 40
DEBUGGED_TEXT = SCENARIO.read_text()
FIRST = int(os.environ.get("OCTOGRAM_RANDOM_SEED", "0"))


def _is_there(pane: LineView) -> bool:
    return pane.size.height > 0 and pane.has_focus


@pytest.mark.timeout(600)  # a seed is five seconds of work; beside others that may take long
@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, STEPS // OF_ONE)))
async def test_nothing_ends_the_console(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert GuardedApp.is_strict
    rng = random.Random(seed)
    source = FleetBehind(rng)
    app = console(source, ascii_only=rng.random() < 0.2, palette=rng.choice(theme.names()))
    monkeypatch.setattr(app, "exit", lambda *_, **__: None)  # `q d` is a way to leave: here nobody leaves
    monkeypatch.setattr(save_form, "write_whole", lambda *_: None)  # wherever the name that was typed leads
    monkeypatch.setattr(app, "show_in_pager", lambda *_: app.notify("lent and back"))
    monkeypatch.setattr(app, "lend", lambda *_, **__: app.notify("lent and back"))
    async with app.run_test(size=rng.choice(SIZES)) as pilot:
        await settled(pilot)
        drive = Drive(pilot, source, rng)
        for _ in range(OF_ONE):
            await drive.step()
        assert app.run_screen is not None
        for size in ((80, 24), (200, 60), (30, 8)):
            while app.screen is not app.run_screen:
                await pilot.press("escape")
            await pilot.resize_terminal(*size)
            for view in VIEWS:
                app.run_screen.show(view.name)
                pane = app.run_screen.panes[view.name]
                await until(pilot, partial(_is_there, pane))
            assert screen_text(app).strip()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, STEPS // OF_DEBUGGED // 4)))
async def test_nothing_ends_the_console_of_a_run_that_does_as_it_is_asked(
    seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert GuardedApp.is_strict
    rng = random.Random(seed)
    scenario = tmp_path / "debugger.yml"  # which the forms may write into
    scenario.write_text(DEBUGGED_TEXT)
    source: Any = DebuggedBehind(DebuggedRun(scenario).begin())
    options = {"ascii_only": rng.random() < 0.2, "palette": rng.choice(theme.names())}
    app = console(source, scenario_path=str(scenario), read_text=lambda *_: DEBUGGED_TEXT, history=source, **options)
    monkeypatch.setattr(app, "exit", lambda *_, **__: None)
    monkeypatch.setattr(save_form, "write_whole", lambda *_: None)
    monkeypatch.setattr(app, "show_in_pager", lambda *_: app.notify("lent and back"))
    monkeypatch.setattr(app, "lend", lambda *_, **__: app.notify("lent and back"))
    async with app.run_test(size=rng.choice([(80, 24), (120, 40), (200, 60), (30, 10)])) as pilot:
        await until(pilot, lambda: app.model.head.seq == source.run.events[-1].seq)
        drive = DebuggedDrive(pilot, source, rng)
        for _ in range(OF_DEBUGGED):
            await drive.step()
        assert app.run_screen is not None
        while app.screen is not app.run_screen:
            await pilot.press("escape")
        app.run_screen.action_now()
        await until(pilot, lambda: app.model.board.seq == source.run.events[-1].seq)


@pytest.mark.parametrize(
    ("size", "steps"),
    [((120, 40), "2 l 1 2"), ((80, 24), "2 l l 1 200x60 2"), ((200, 60), "2 l l l l l l l 80x24 1 40x12 2 h 200x60")],
)
async def test_a_column_of_the_matrix_is_in_view_after_it_was_hidden(size: tuple[int, int], steps: str) -> None:
    source = FleetBehind(random.Random(1))
    app = console(source)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for name in steps.split():
            if "x" in name:
                width, height = map(int, name.split("x"))
                await pilot.resize_terminal(width, height)
            else:
                await pilot.press(name)
        await pilot.pause()
        assert app.run_screen is not None
        matrix = app.run_screen.matrix
        assert matrix.column in matrix._columns(matrix.size.width)


async def test_wrapped_lines_outlive_a_hidden_pane_a_resize_and_another_row() -> None:
    first, second = InstanceId("s", "j", "a"), InstanceId("s", "j", "b")
    source = StillSource(
        [
            ev.RunStarted(seq=1, run="r", scenario="s", plan=[{"stage": "s", "jobs": [{"job": "j"}]}], agents=[]),
            ev.StageStarted(seq=2, stage="s", agents=["a", "b"]),
            ev.JobStarted(seq=3, instance=first),
            ev.JobOutput(seq=4, agent="a", instance=first, lines=["x" * 500] * 200),
            ev.JobStarted(seq=5, instance=second),
            ev.JobOutput(seq=6, agent="b", instance=second, lines=["short"]),
        ]
    )
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        log = app.run_screen.log_pane
        await pilot.press("1", "G", "3", "W")
        for size in ((200, 60), (40, 12), (80, 24)):
            await pilot.resize_terminal(*size)
        board = app.model.board
        for key in ("s/j@a", "s/j@b", "s/j@a"):
            await pilot.press("4")
            log.look_at(board.instances[InstanceId.parse(key)])
            await pilot.press("3")
            assert ("short" in screen_text(app)) is (key == "s/j@b")
