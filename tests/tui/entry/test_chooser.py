"""Choosing a run where a command names none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from entry_app import add_ended, add_run, entry_app, text_of, until

from octogram_tui.commands import choosing
from octogram_tui.engine import events as ev
from octogram_tui.settings import Settings
from octogram_tui.tui.entry.chooser import ChooserScreen


async def test_replay_shows_all_runs_and_attach_those_that_go_on(tmp_path: Path) -> None:
    add_ended(tmp_path, 0, minutes_ago=9)
    live = add_run(tmp_path, ev.WarningGiven(message="m"), minutes_ago=5)
    waiting = add_run(tmp_path, ev.ConfirmationAsked(stage="wipe"), minutes_ago=60)
    try:
        for use, count in (("replay", 3), ("attach", 2)):
            app = entry_app(lambda app, use=use: ChooserScreen(app, runs_dir=tmp_path, use=use))  # type: ignore[misc]
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda app=app: "dal.yml" in text_of(app))  # type: ignore[misc]
                rows = [line for line in text_of(app).splitlines() if "dal.yml" in line and "/x/" not in line]
                assert len(rows) == count
                assert "asks before stage wi" in rows[0]
                await pilot.press("j", "enter")
            assert app.return_value == live.path.parent.name
    finally:
        live.close()
        waiting.close()


async def test_a_list_that_becomes_empty_says_so_and_can_be_left(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    app = entry_app(lambda app: ChooserScreen(app, runs_dir=tmp_path, use="replay"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "there is none any more" in text_of(app))
        assert "is damaged" in text_of(app)
        await pilot.press("enter", "d", "q")
    assert app.return_value is None


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Say that this is a terminal, and note when a list is shown."""
    shown: list[str] = []

    class Instead:
        def __class_getitem__(cls, _: Any) -> Any:
            return cls

        def __init__(self, _: Settings) -> None:
            """Nothing is opened."""

        def choose(self, _: Any) -> str:
            shown.append("list")
            return "the chosen"

    monkeypatch.setattr("octogram_tui.tui.entry.app.Entry", Instead)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    return shown


def test_only_where_there_is_a_choice_is_one_asked_for(tmp_path: Path, opened: list[str]) -> None:
    settings = Settings(tmp_path, tmp_path, None)
    assert choosing.choose_run(settings, "replay", headless=False) == "last"  # which says that there is none
    one = add_ended(settings.runs_dir, 0, minutes_ago=9)
    assert choosing.choose_run(settings, "replay", headless=False) == one
    assert choosing.choose_run(settings, "attach", headless=False) == "last"
    add_ended(settings.runs_dir, 0, minutes_ago=5)
    assert choosing.choose_run(settings, "replay", headless=True) == "last"
    assert not opened
    assert choosing.choose_run(settings, "replay", headless=False) == "the chosen"
    assert opened == ["list"]
