"""The welcome: what it finds, what it says, and which words each choice stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from entry_app import add_ended, add_run, entry_app, text_of, until

from octogram_tui.engine import events as ev
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.welcome import WelcomeScreen, checked

GOOD = "# Three little agents.\nagents: [{name: 'a_{1..3}', transport: local}]\nstages:\n- {name: s, jobs: []}\n"
BAD = GOOD.replace("jobs: []", "jobs: [{name: j, builtins.comand: x}]")


def welcome(tmp_path: Path, **options: Any) -> EntryApp[Any]:
    here = tmp_path / "here"
    here.mkdir(exist_ok=True)
    return entry_app(lambda app: WelcomeScreen(app, runs_dir=tmp_path / "runs", directory=here, **options))


def screen_of(app: EntryApp[Any]) -> WelcomeScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, WelcomeScreen)
    return screen


def write(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / "here" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def test_an_empty_directory_says_what_to_do(tmp_path: Path) -> None:
    app = welcome(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "none in this directory" in text_of(app))
        shown = text_of(app)
        assert "N writes one, Demo shows one" in shown
        assert "none yet" in shown
        await pilot.press("D")  # nothing is chosen that has machines
        await pilot.press("enter")
    assert app.return_value == ("demo",)  # the cursor stands on what one can begin with


async def test_scenarios_are_named_with_their_size_or_what_is_wrong_first(tmp_path: Path) -> None:
    write(tmp_path, "good.yml", GOOD)
    write(tmp_path, "sub/bad.yml", BAD)
    write(tmp_path, "notes.yml", "stages: [one, two]\n")
    app = welcome(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "1 stage, 3 agents" in text_of(app) and "line 4" in text_of(app))
        shown = text_of(app)
        assert "Three little agents." in shown
        assert "sub/bad.yml" in shown
        assert "notes.yml" not in shown
        await pilot.press("j", "p")
    assert app.return_value == ("sub/bad.yml", "--paused")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["enter"], ("good.yml",)),
        (["p"], ("good.yml", "--paused")),
        (["D"], ("doctor", "good.yml")),
        (["G", "enter"], ("doctor", "good.yml")),  # of one scenario nobody has to be asked
        (["G", "k", "enter"], ("init", "scenario.yml")),
        (["N"], ("init", "scenario.yml")),
        (["q"], None),
        (["escape"], None),
        (["ctrl+c"], None),
    ],
)
async def test_each_choice_is_a_command_line(tmp_path: Path, keys: list[str], words: tuple[str, ...] | None) -> None:
    write(tmp_path, "good.yml", GOOD)
    app = welcome(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "1 stage" in text_of(app))
        await pilot.press(*keys)
    assert app.return_value == words


async def test_the_doctor_asks_which_of_several_scenarios_and_escape_comes_back(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", GOOD)
    write(tmp_path, "b.yml", GOOD)
    app = welcome(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: text_of(app).count("1 stage") == 2)
        await pilot.press("G", "enter")
        assert "Which scenario's machines?" in text_of(app)
        assert "Demo" not in text_of(app)
        await pilot.press("escape")
        assert "Demo" in text_of(app)
        await pilot.press("G", "enter", "G", "enter")
    assert app.return_value == ("doctor", "b.yml")


async def test_runs_that_wait_stand_first_and_open_as_what_they_are(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    failed = add_ended(runs, 1, minutes_ago=90, failed=2)
    waiting = add_run(runs, ev.RunPaused(reason="failure"), minutes_ago=30)
    add_ended(runs, 0, minutes_ago=5)
    try:
        app = welcome(tmp_path, wanted=failed)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "finished ok" in text_of(app))
            shown = text_of(app)
            assert "Runs  1 waiting for you" in shown
            lines = [line for line in shown.splitlines() if "dal.yml" in line]
            assert "paused at a failure" in lines[0]
            assert "30 min ago" in lines[0]
            assert "finished ok" in lines[1]
            assert "✗2" in lines[2]
            assert "12.5s" in lines[2]
            await pilot.press("k", "k")
            assert "enter attach" in text_of(app)
            await pilot.press("enter")
    finally:
        waiting.close()
    assert app.return_value == ("attach", waiting.path.parent.name)


async def test_what_was_wanted_is_found_again_and_what_came_of_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", GOOD)
    write(tmp_path, "b.yml", GOOD)
    app = welcome(tmp_path, note="wrote b.yml", wanted=str(tmp_path / "here" / "b.yml"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: text_of(app).count("1 stage") == 2)
        assert "wrote b.yml" in text_of(app)
        await pilot.press("enter")
    assert app.return_value == ("b.yml",)


async def test_a_run_is_deleted_after_a_question_and_never_one_that_goes_on(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ended = add_ended(runs, 0, minutes_ago=5)
    live = add_run(runs, ev.WarningGiven(message="m"), minutes_ago=1)
    try:
        app = welcome(tmp_path)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "finished ok" in text_of(app))
            await pilot.press("g", "d")
            await pilot.pause()
            assert len(app.screen_stack) == 1
            await pilot.press("j", "d")
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.press("escape")
            assert (runs / ended).exists()
            await pilot.press("d", "d")
            await until(pilot, lambda: not (runs / ended).exists())
            await until(pilot, lambda: "finished ok" not in text_of(app))
    finally:
        live.close()
    assert live.path.exists()


async def test_the_mouse_chooses_and_a_second_click_opens(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", GOOD)
    write(tmp_path, "b.yml", GOOD)
    app = welcome(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: text_of(app).count("1 stage") == 2)
        await pilot.click("#choices", offset=(10, 0))  # a heading
        await pilot.click("#choices", offset=(10, 2))
        assert screen_of(app).choices.value.path.name == "b.yml"
        await pilot.click("#choices", offset=(10, 2))
        await until(pilot, lambda: app.return_value is not None)
    assert app.return_value == ("b.yml",)


@pytest.mark.fault(85, 86)
async def test_names_from_outside_are_never_markup_nor_codes(tmp_path: Path) -> None:
    write(tmp_path, "[red]\x1b[31m名前名前名前名前名前名前名前名前名前.yml", GOOD.replace("Three", "[b]\u202e"))
    add_run(tmp_path / "runs", minutes_ago=1, scenario="/x/[link]\x1b.yml").close()
    app = welcome(tmp_path)
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, lambda: "crashed" in text_of(app) and "1 stage" in text_of(app))
        shown = text_of(app)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[red]" in shown
        for y, strip in enumerate(app.screen._compositor.render_strips()):
            assert strip.cell_length == 60, y


@pytest.mark.parametrize("size", [(20, 6), (40, 10), (80, 24), (200, 60)])
async def test_it_fits_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path, "a.yml", GOOD)
    add_ended(tmp_path / "runs", 0, minutes_ago=5)
    app = welcome(tmp_path)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "a.yml" in text_of(app))
        await pilot.resize_terminal(30, 8)
        await pilot.press("G", "g", "j")
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: "octogram" in text_of(app))
        await pilot.press("q")
    assert app.return_value is None


def test_a_list_of_agents_that_a_program_tells_is_no_error(tmp_path: Path) -> None:
    program = tmp_path / "hosts"
    program.write_text("#!/bin/sh\ntouch ran\necho []\n")
    program.chmod(0o755)
    scenario = tmp_path / "s.yml"
    stages = "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
    scenario.write_text(f"agents: {{from: hosts}}\n{stages}")
    found = checked(scenario)
    assert (found.is_good, found.says) == (True, "its agents are told by a program, which a run asks")
    scenario.write_text(f"agents: {{from: [hosts, nothing.yml]}}\n{stages}")
    assert not checked(scenario).is_good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hosts", "s.yml"]
