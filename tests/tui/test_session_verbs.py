"""What is about the console itself: what it is attached to, pictures, calls, keys of one's own, other runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.journal import archive
from octogram_tui.journal.runbook import RunBook
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.command_palette import ActionProvider
from octogram_tui.tui.key_file import load_keys, template
from octogram_tui.tui.key_presets import PRESETS
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.log_screen import LogScreen
from octogram_tui.tui.screens.run_screen import RunScreen
from octogram_tui.tui.screens.save_form import SaveForm
from octogram_tui.tui.widgets.run_list import RunList


def screen_of(app: ConsoleApp) -> RunScreen:
    assert app.run_screen is not None
    return app.run_screen


def told(app: ConsoleApp) -> str:
    return " | ".join(notice.message for notice in app._notifications)


def offered(app: ConsoleApp) -> set[str]:
    return {entry.name for entry in ActionProvider(app.screen).entries()}


def made(runs_dir: Path, name: str, *events: ev.Event) -> Path:
    directory = runs_dir / name
    directory.mkdir()
    archive.write_info(directory, archive.RunInfo(name, "/x/other.yml", 4711, "2026-01-05T11:00:00Z", version="1.2.3"))
    writer = JournalWriter(directory / archive.JOURNAL, run=name, version="0")
    writer.append(list(events))
    writer.close()
    return directory


async def test_about_says_what_this_is_and_how_others_come_to_it(tmp_path: Path) -> None:
    source = StillSource(fleet_events(3.0))
    source.consoles = 2
    app = console(source, run_dir=made(tmp_path, "r1"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        screen_of(app).action_about()
        await until(pilot, lambda: isinstance(app.screen, Question))
        seen = screen_text(app, on_top=True)
        run = app.model.board.run
        for words in (run, "dir/fleet.yml", "process 4711", "1.2.3", "events", "2 attached, this one acts"):
            assert words in seen, words
        assert f"octogram-tui attach {run}" in seen
        assert str(tmp_path)[:30] in seen


async def test_a_picture_is_of_what_was_seen_and_not_of_the_question_where_it_goes(tmp_path: Path) -> None:
    app = console(StillSource(fleet_events(3.0)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen_of(app).action_screenshot()
        await until(pilot, lambda: isinstance(app.screen, SaveForm))
        form = app.screen
        assert isinstance(form, SaveForm)
        assert form.path_field.value == "octogram-tui.svg"
        form.path_field.value = str(tmp_path / "p.svg")
        await pilot.press("enter")
        await until(pilot, lambda: "written to" in told(app))
        picture = (tmp_path / "p.svg").read_text()
        assert picture.startswith("<svg")
        assert "fleet.yml" in picture
        assert "Write" not in picture


async def test_calls_go_off_and_come_back_as_they_were() -> None:
    app = console(StillSource(fleet_events(3.0)))
    app.notifies = "osc9"
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        seen = []
        for _ in range(2):
            screen_of(app).action_toggle_calls()
            seen.append(app.notifies)
        assert seen == ["off", "osc9"]
        await until(pilot, lambda: "calls when somebody" in told(app))


async def test_the_log_of_a_service_is_read_where_it_runs() -> None:
    events = fleet_events(3.0)
    source = StillSource(events)
    source.logs[LogQuery("node_1", "octez-1")] = {"lines": ["block 12"], "size_bytes": 8, "trouble": ""}
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.model.board.services.clear()
        assert "Service log" not in offered(app)
        source.tell(ev.ServiceAnnounced(seq=events[-1].seq + 1, at_s=3.0, agent="node_1", kind="node", name="octez-1"))
        await until(pilot, lambda: app.model.board.services)
        assert "Service log" in offered(app)
        screen_of(app).action_service_log()
        await until(pilot, lambda: "octez-1 on node_1" in screen_text(app, on_top=True))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        await until(pilot, lambda: "block 12" in screen_text(app, on_top=True))


async def test_the_doctor_s_words_are_shown_whatever_becomes_of_it(tmp_path: Path) -> None:
    app = console(StillSource(fleet_events(3.0)), scenario_path=str(tmp_path / "none.yml"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen_of(app).action_doctor()
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        await until(pilot, lambda: "doctor none.yml: exit status" in screen_text(app, on_top=True))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_file_that_is_begun_for_the_user_changes_nothing_until_it_is_written_in(
    tmp_path: Path, preset: str
) -> None:
    before = load_keys(None, preset)
    path = tmp_path / "keys.toml"
    path.write_text(template(before))
    after = load_keys(tmp_path, preset)
    assert all(after.of(action.name) == before.of(action.name) for action in ACTIONS)
    # Taken at its word, each line of it says what is so.
    begin = path.read_text().index("# preset =")
    path.write_text(path.read_text()[begin:].replace("# ", "", 1).replace("\n# ", "\n").replace("\nRun\n", "\n# Run\n"))
    lines = [line if "=" in line else "" for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    assert all(load_keys(tmp_path).of(action.name) == before.of(action.name) for action in ACTIONS)


async def test_own_keys_are_written_in_the_editor_and_count_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = console(StillSource(fleet_events(3.0)), config_dir=tmp_path / "config")
    path = tmp_path / "config" / "keys.toml"
    opened: list[list[str]] = []

    def lend(command: Any, *, gone: Any = None) -> None:
        opened.append(list(command()))
        gone()

    monkeypatch.setattr(app, "lend", lend)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.action_edit_keys()
        assert opened == [["vi", str(path)]]
        assert "# step-over = " in path.read_text()
        path.write_text('step-over = "f12"\n')
        app.action_edit_keys()
        assert path.read_text() == 'step-over = "f12"\n', "what is there is the user's"
        assert app.brush.keys.of("step over") == ("f12",)
        path.write_text('step-over = "r"\n')
        app.action_edit_keys()
        await until(pilot, lambda: "r is the key of" in told(app))
        assert app.brush.keys.of("step over") == ("f12",), "and the keys stay"


async def test_a_run_that_is_over_can_be_looked_at_again() -> None:
    events = fleet_events(3.0)
    source = StillSource(events)
    app = console(source, runs=RunBook(Path("/nowhere")))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Replay" not in offered(app)
        source.tell(ev.RunFinished(seq=events[-1].seq + 1, at_s=3.0, exit_code=0))
        await until(pilot, lambda: "Replay" in offered(app))
        screen_of(app).action_replay_run()
        await pilot.pause()
    assert app.return_value is not None
    assert (app.return_value.kind, app.return_value.next_run) == ("finished", app.model.board.run)


async def test_another_run_is_deleted_after_a_question_and_this_one_never(tmp_path: Path) -> None:
    ended = ev.RunFinished(seq=1, at_s=3.0, exit_code=0)
    made(tmp_path, "20260105-100000-other-aa", ended)
    events = fleet_events(3.0)
    made(tmp_path, events[0].run if isinstance(events[0], ev.RunStarted) else "x", ended)
    app = console(StillSource(events), runs=RunBook(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        pane = screen_of(app).panes["runs"]
        assert isinstance(pane, RunList)
        await pilot.press("6")
        await until(pilot, lambda: pane.count() == 2)
        names = [entry.run.id for entry in pane._entries]
        pane.move_to(names.index(app.model.board.run))
        await pilot.press("d")
        await until(pilot, lambda: "this is the run that you look at" in told(app))
        pane.move_to(names.index("20260105-100000-other-aa"))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("d")
        await until(pilot, lambda: pane.count() == 1)
        assert not (tmp_path / "20260105-100000-other-aa").exists()
        assert (tmp_path / app.model.board.run).exists()


def test_every_entry_of_the_palette_has_a_word_that_is_a_key_of_the_file() -> None:
    for action in ACTIONS:
        assert Keys().of(action.name) == action.default_keys or action.name in ("stop", "suspend")
