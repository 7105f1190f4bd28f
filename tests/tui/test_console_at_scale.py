"""What thousands of things, a hasty hand or an end at a bad moment did to the console, and do no more."""

import tempfile
from pathlib import Path

import pytest
from console_app import StillSource, console, settled, until
from textual.screen import Screen

from octogram_tui.engine import events as ev
from octogram_tui.tui.entry.welcome import WelcomeScreen
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.help_screen import HelpScreen
from octogram_tui.tui.screens.run_screen import RunScreen


async def test_a_line_of_the_variables_costs_no_look_at_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started = ev.RunStarted(seq=1, run="r", scenario="s", variables={f"v{number}": number for number in range(2_000)})
    app = console(StillSource([started]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("4")
        assert app.run_screen is not None
        variables = app.run_screen.variables
        await until(pilot, lambda: variables.count() == 2_000 and variables.size.height)
        looked: list[object] = []
        text = app.brush.text

        def counted(raw: object, *, limit: int = 512) -> str:
            looked.append(raw)
            return text(raw, limit=limit)

        monkeypatch.setattr(app.brush, "text", counted)
        for _ in range(5):
            variables.sync()
        variables.paint(7, 80)
        assert len(looked) < 100


async def test_the_help_is_closed_once_by_a_key_that_comes_twice() -> None:
    app = console(StillSource([ev.RunStarted(seq=1, run="r", scenario="s")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        screen = app.screen
        screen.dismiss()
        screen.dismiss()
        await until(pilot, lambda: app.screen is app.run_screen)


async def test_a_text_for_the_pager_is_no_file_before_the_pager_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app = console(StillSource([ev.RunStarted(seq=1, run="r", scenario="s")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.show_in_pager("text", "log.txt")
        app.workers.cancel_all()  # as when the console ends just now
        assert not list(tmp_path.iterdir())
        await pilot.pause()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [RunScreen, Question, HelpScreen, WelcomeScreen])
def test_a_screen_is_a_screen_to_the_library(kind: type[Screen[object]]) -> None:
    """It has what all screens have, like the look of what is selected."""
    assert "screen--selection" in kind._get_component_classes()
