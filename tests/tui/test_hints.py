"""Hints come to those who are new, and go; the lesson of the demo stands in their place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.projection.board import Board
from octogram_tui.tui import hints as book
from octogram_tui.tui.hints import Hints
from octogram_tui.tui.keymap import ACTIONS


def board(*events: ev.Event) -> Board:
    found = Board()
    for event in fleet_events(3.0):
        found.apply(event)
    for event in events:
        found.apply(event)
    return found


def test_a_hint_goes_once_its_key_was_used_three_times_and_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "hints.json"
    hints = Hints(path)
    running = board()
    for _ in range(3):
        assert hints.wanted(running) == book.RUNNING
        hints.used("toggle_pause")
        hints.used("move")  # of no hint
    assert hints.wanted(running) is None
    assert Hints(path).wanted(running) is None
    assert json.loads(path.read_text()) == {"running shown": 1, "toggle_pause": 3}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_hint_that_was_there_in_many_runs_was_read(tmp_path: Path) -> None:
    path = tmp_path / "hints.json"
    running = board()
    for _ in range(book.ENOUGH_RUNS):
        hints = Hints(path)
        assert hints.wanted(running) == hints.wanted(running) == book.RUNNING
    assert Hints(path).wanted(running) is None


def test_each_state_has_its_hint() -> None:
    hints = Hints()
    assert hints.wanted(board(ev.RunPaused(reason="operator"))) == book.PAUSED
    assert hints.wanted(board(ev.StagesDone())) == book.DONE
    assert hints.wanted(board(ev.StopRequested(by="operator"))) is None
    failing = Board()
    for event in fleet_events(40.0):
        failing.apply(event)
    assert failing.failures
    assert hints.wanted(failing) == book.FAILED
    for cluster in failing.clusters.all:
        last = cluster.first.struck.last
        assert last is not None
        assert last.failure is not None
        last.failure = replace(last.failure, kind="agent_lost")
    assert hints.wanted(failing) == book.DOUBTFUL  # nothing of that is alive


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"toggle_pause": "many"}', '{"toggle_pause": -7}', "\udcff"])
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hints.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert Hints(path).wanted(board()) == book.RUNNING


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hints = Hints(tmp_path / "file" / "hints.json")
    for _ in range(3):
        hints.used("toggle_pause")
    assert hints.wanted(board()) is None


def test_they_name_actions_that_there_are() -> None:
    names = {action.name for action in ACTIONS}
    for hint in (book.RUNNING, book.PAUSED, book.FAILED, book.DOUBTFUL, book.DONE):
        for part in hint.says.split("{")[1:]:
            assert part.partition("}")[0] in names
        assert any(action.call.partition("(")[0] == hint.call for action in ACTIONS)


async def test_keys_of_the_console_are_counted_and_the_line_goes() -> None:
    source = StillSource(fleet_events(3.0))
    app = console(source, hints=Hints())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "holds the run" in screen_text(app)
        await pilot.press("space", "space")
        assert "holds the run" in screen_text(app)
        await pilot.press("space")
        await until(pilot, lambda: "holds the run" not in screen_text(app))
        await pilot.resize_terminal(80, 18)
        await pilot.pause()


async def test_on_a_small_screen_there_is_no_room_for_hints_but_for_a_lesson() -> None:
    app = console(StillSource(fleet_events(3.0)), hints=Hints())
    async with app.run_test(size=(80, 16)) as pilot:
        await settled(pilot)
        assert "holds the run" not in screen_text(app)
    app = console(StillSource(fleet_events(3.0)), teaches=True)
    async with app.run_test(size=(60, 16)) as pilot:
        await settled(pilot)
        assert "2. Three divers" in screen_text(app)


async def test_the_lesson_s_keys_are_those_of_the_map_and_can_be_clicked_and_it_can_be_skipped() -> None:
    source = StillSource(fleet_events(3.0))
    app = console(source, teaches=True, hints=Hints())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        shown = screen_text(app)
        assert "2. Three divers" in shown
        assert "L skips this" in shown
        rows = shown.splitlines()
        y = next(index for index, row in enumerate(rows) if "Spc pauses" in row)
        await pilot.click(offset=(rows[y].index("Spc") + 1, y))
        await until(pilot, lambda: source.sent)
        await pilot.press("L")
        await until(pilot, lambda: "Three divers" not in screen_text(app))
        assert "holds the run" in screen_text(app)  # a hint, as anywhere


async def test_where_there_is_no_lesson_the_key_says_so() -> None:
    app = console(StillSource(fleet_events(3.0)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("L")
        await until(pilot, lambda: "there is no lesson here" in screen_text(app))


async def test_who_only_watches_is_told_nothing_that_he_cannot_do() -> None:
    for has_control in (True, False):
        app = console(StillSource(fleet_events(6.0, paused=True), has_control=has_control))
        app.model.hints = Hints()
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert ("lets the row run" in screen_text(app)) is has_control
