"""The problems of a scenario as a list, until it is saved or left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from entry_app import entry_app, text_of, until

from octogram_tui.errors import Problem
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.problems import ProblemsScreen


def problems(path: Path) -> list[Problem]:
    return [
        Problem(str(path), 3, 9, "unknown key `jbos`; did you mean `jobs`?", "write `jobs`", "  - {x, jbos: []}"),
        Problem(str(path), 12, 0, "there is no procedure `x`", "", ""),
        Problem("other.yml", 0, 0, "there is no such file"),
        Problem(str(path), 14, 1, "doubtful", "", "", is_warning=True),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "s.yml"
    found.write_text("agents: []\n")
    return found


def screen(path: Path, found: list[Problem] | None = None) -> EntryApp[Any]:
    return entry_app(lambda app: ProblemsScreen(app, scenario=str(path), problems=found or problems(path)))


async def test_each_problem_has_its_line_its_place_and_what_to_do(path: Path) -> None:
    app = screen(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "3 errors" in text_of(app))
        lines = text_of(app).splitlines()
        assert any("✗" in line and "3  unknown key `jbos`" in line for line in lines)
        at = next(index for index, line in enumerate(lines) if "  - {x, jbos: []}" in line)
        assert lines[at + 1].index("^") == lines[at].index("x, jbos") + 3  # column 9: below the j
        assert any("= write `jobs`" in line for line in lines)
        await pilot.press("j")
        assert "there is no procedure" in text_of(app)
        await pilot.press("q")
    assert app.return_value is None


async def test_a_save_by_whatever_editor_goes_on(path: Path) -> None:
    app = screen(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "3 errors" in text_of(app))
        path.write_text("agents: [] # mended\n")
        await until(pilot, lambda: app.return_value)
    assert app.return_value == "again"


@pytest.mark.parametrize(("keys", "line"), [(["E"], 3), (["j", "enter"], 12)])
async def test_the_editor_opens_at_the_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str], line: int
) -> None:
    app = screen(path)
    opened: list[tuple[str, int]] = []

    def edited(file: str, at: int, then: Callable[[], None]) -> None:
        opened.append((file, at))
        path.write_text("agents: [] # mended\n")
        then()

    monkeypatch.setattr(app, "edit_file", edited)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        await until(pilot, lambda: app.return_value)
    assert opened == [(str(path), line)]
    assert app.return_value == "again"


async def test_r_reads_it_again(path: Path) -> None:
    app = screen(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
    assert app.return_value == "again"


@pytest.mark.parametrize("size", [(24, 8), (60, 20), (200, 60)])
async def test_long_wide_and_hostile_lines_are_cut_around_the_place(path: Path, size: tuple[int, int]) -> None:
    source = "名前" * 200 + "\x1b[31mHERE" + "x" * 3000
    found = [Problem(str(path), 7, source.index("HERE") + 1, "[b]\x07" + "long " * 200, "hint " * 200, source)]
    app = screen(path, found)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert {strip.cell_length for strip in app.screen._compositor.render_strips()} == {size[0]}
        if size[1] >= 20:
            assert "[b]" in shown
            assert "^" in shown
