"""The pane of runs: what each waits for, and going to another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.journal import archive
from octogram_tui.journal.runbook import RunBook
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.screens.session_verbs import SessionVerbs
from octogram_tui.tui.widgets.run_list import RunList

WAITING, ENDED = "20260105-100000-other-aa", "20260105-110000-older-bb"


@pytest.fixture
def runs_dir(tmp_path: Path) -> Any:
    """A run that waits at a failure, one that has ended, and one that is damaged."""
    writers = []
    for name, event in (
        (WAITING, ev.RunPaused(seq=1, at_s=2.0, reason="failure")),
        (ENDED, ev.RunFinished(seq=1, at_s=3.0, exit_code=1, duration_s=3.0, counts={"failed": 2})),
    ):
        directory = tmp_path / name
        directory.mkdir()
        archive.write_info(directory, archive.RunInfo(name, f"/x/{name[16:21]}.yml", 1, "2026-01-05T11:00:00Z"))
        writers.append(JournalWriter(directory / archive.JOURNAL, run=name, version="0"))
        writers[-1].append([event])
    writers[1].close()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / archive.INFO).write_text("[]")
    yield tmp_path
    writers[0].close()


async def listed(pilot: Pilot[ConsoleOutcome]) -> RunList:
    """Go to the pane, and wait for the list."""
    app = await settled(pilot)
    assert app.run_screen is not None
    pane = app.run_screen.panes["runs"]
    assert isinstance(pane, RunList)
    await pilot.press("6")
    await until(pilot, lambda: "paused at a failure" in screen_text(app))
    return pane


def opened(runs_dir: Path, events: list[ev.Event], **options: Any) -> ConsoleApp:
    return console(StillSource(events, has_control=not options), runs=RunBook(runs_dir), **options)


async def test_runs_stand_with_what_they_wait_for_and_damage_is_a_line(runs_dir: Path) -> None:
    app = opened(runs_dir, fleet_events(3.0))
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        await until(pilot, lambda: "1 waiting for you" in screen_text(app))
        lines = screen_text(app).splitlines()
        first = next(line for line in lines if "other.yml" in line)
        second = next(line for line in lines if "older.yml" in line)
        assert lines.index(first) < lines.index(second)
        assert "finished, exit 1" in second
        assert "✗2" in second
        assert "bad/run.json is damaged" in screen_text(app)


async def test_another_run_is_opened_after_a_question_that_names_it(runs_dir: Path) -> None:
    app = opened(runs_dir, fleet_events(3.0))
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("enter", "o")
        await until(pilot, lambda: app.return_value)
    assert app.return_value == ConsoleOutcome("detached", None, WAITING)


async def test_from_a_replay_nobody_is_asked(runs_dir: Path) -> None:
    app = opened(runs_dir, fleet_events(3.0), replay=True)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await listed(pilot)
        await pilot.press("j", "y")
        assert pane.entry is not None
        assert pane.entry.run.id == ENDED
        await pilot.press("enter")
        await until(pilot, lambda: app.return_value)
    assert app.return_value == ConsoleOutcome("detached", None, ENDED)


async def test_from_a_run_that_is_over_its_exit_code_is_told_on_the_way(runs_dir: Path) -> None:
    over = ev.RunFinished(seq=100_000, at_s=900.0, exit_code=7)
    app = opened(runs_dir, [*fleet_events(3.0), over])
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await listed(pilot)
        await pilot.click(pane, offset=(5, 1))
        await pilot.click(pane, offset=(5, 1))
        await until(pilot, lambda: app.return_value)
    assert app.return_value == ConsoleOutcome("finished", 7, ENDED)


async def test_the_run_that_is_looked_at_is_marked_and_not_opened_again(runs_dir: Path) -> None:
    events = fleet_events(3.0)
    assert isinstance(events[0], ev.RunStarted)
    events[0].run = WAITING
    app = opened(runs_dir, events)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await listed(pilot)
        assert any("›" in line and "other.yml" in line for line in screen_text(app).splitlines())
        await pilot.press("enter")
        await until(pilot, lambda: "this is the run that you look at" in screen_text(app))
        assert app.return_value is None


async def test_without_a_directory_of_runs_it_says_so() -> None:
    app = console(StillSource(fleet_events(3.0)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("6")
        await until(pilot, lambda: "are not known here" in screen_text(app))
        await pilot.press("enter", "j", "G")


async def test_another_run_is_compared_with_this_one(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    async def show_said(_: SessionVerbs, title: str, words: list[str]) -> None:
        started.append(words)

    monkeypatch.setattr(SessionVerbs, "_show_said", show_said)
    events = [*fleet_events(3.0)]
    app = opened(runs_dir, events)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await listed(pilot)
        assert pane.entry is not None
        await pilot.press("C")
        await until(pilot, lambda: started)
        assert started == [["compare", "--", pane.entry.run.id, app.model.board.run]]
