"""The scenario's file from the console: read now, checked, put back; the variables written out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine.events import Event
from octogram_tui.runtime.verbs import CheckFile, LookAtFile
from octogram_tui.scenario.edit import variables_text
from octogram_tui.scenario.load import load_scenario
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.file_verbs import put_back
from octogram_tui.tui.screens.run_screen import RunScreen
from octogram_tui.tui.screens.save_form import SaveForm

PROBLEM = ["dir/fleet.yml", 7, 3, "unknown key `jbos`", "did you mean `jobs`?", "  jbos:", False]
RUNNING = "# as it runs\nstages: []\n"


def run_screen(app: ConsoleApp) -> RunScreen:
    assert app.run_screen is not None
    return app.run_screen


def told(app: ConsoleApp) -> str:
    return " | ".join(notice.message for notice in app._notifications)


def source_of(events: list[Event] | None = None) -> StillSource:
    return StillSource(events or fleet_events(3.0))


async def palette_names(app: ConsoleApp) -> set[str]:
    from octogram_tui.tui.command_palette import ActionProvider

    return {entry.name for entry in ActionProvider(app.screen).entries()}


async def test_the_file_is_read_now_and_what_came_of_it_is_said() -> None:
    source = source_of()
    source.answers[LookAtFile] = {"said": ["the run takes it up"]}
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Reload now" in await palette_names(app)
        run_screen(app).action_reload_now()
        await until(pilot, lambda: "the run takes it up" in told(app))
        assert source.asked == [LookAtFile()]
        source.has_control = False
        run_screen(app).action_reload_now()
        await pilot.pause()
        assert len(source.asked) == 1, "who only watches asks for nothing"
        assert "Reload now" not in await palette_names(app)
        assert "Check scenario" in await palette_names(app)


async def test_a_check_lists_what_is_wrong_and_leads_to_the_editor_there(monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of()
    source.answers[CheckFile] = {"said": ["1 problem"], "problems": [PROBLEM]}
    app = console(source)
    lines: list[int] = []

    async def edit(line: int) -> None:
        lines.append(line)

    monkeypatch.setattr(app, "edit_scenario", edit)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        run_screen(app).action_check_scenario()
        await until(pilot, lambda: isinstance(app.screen, Question))
        seen = screen_text(app, on_top=True)
        assert "1 problem in the file as it stands" in seen
        assert "fleet.yml:7: unknown key `jbos` (did you mean `jobs`?)" in seen
        await pilot.press("e")
        await until(pilot, lambda: lines == [7])
        source.answers[CheckFile] = {"said": ["2 stages, no errors"], "problems": []}
        run_screen(app).action_check_scenario()
        await until(pilot, lambda: "2 stages, no errors" in told(app))


async def test_what_the_last_edit_changed_is_there_as_long_as_there_was_one() -> None:
    events = fleet_events(3.0)
    seq = events[-1].seq
    source = source_of(events)
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Last edit" not in await palette_names(app)
        source.tell(ev.ScenarioReloaded(seq=seq + 1, at_s=3.0, changes=["stage x added", "job a/b changed"]))
        await until(pilot, lambda: app.model.board.changes)
        assert "Last edit" in await palette_names(app)
        run_screen(app).action_show_reload()
        await until(pilot, lambda: "stage x added" in screen_text(app, on_top=True))
        assert "Nothing stale by it." in screen_text(app, on_top=True)
        await pilot.press("escape")
        names = ("file", "line", "column", "message", "hint", "source", "is_warning")
        entry: Any = dict(zip(names, PROBLEM, strict=True))
        source.tell(ev.ScenarioRejected(seq=seq + 2, at_s=3.0, problems=[entry]))
        await until(pilot, lambda: app.model.board.problems)
        run_screen(app).action_show_reload()
        await until(pilot, lambda: "fleet.yml:7: unknown key" in screen_text(app, on_top=True))


async def test_the_running_text_is_put_back_after_a_question_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("# broken\n")
    path.with_name("fleet.yml.before").write_text("older\n")
    path.chmod(0o640)
    app = console(source_of(), scenario_path=str(path), read_text=lambda *_: RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = run_screen(app)
        screen.action_revert_scenario()
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert path.read_text() == "# broken\n", "never mind is never mind"
        screen.action_revert_scenario()
        await until(pilot, lambda: "kept as fleet.yml.before2" in screen_text(app, on_top=True))
        await pilot.press("y")
        await until(pilot, lambda: "is the running version again" in told(app))
        assert path.read_text() == RUNNING
        assert path.stat().st_mode & 0o777 == 0o640
        assert path.with_name("fleet.yml.before2").read_text() == "# broken\n"
        assert path.with_name("fleet.yml.before").read_text() == "older\n"
        screen.action_revert_scenario()
        await until(pilot, lambda: "the file is what the run goes by" in told(app))


def test_putting_back_never_writes_over_what_was_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "a.yml", tmp_path / "a.yml.before"
    assert not put_back(path, RUNNING, kept), "there was nothing to keep"
    assert (path.read_text(), kept.exists()) == (RUNNING, False)
    path.write_text("mine")
    kept.write_text("somebody's")
    with pytest.raises(FileExistsError):
        put_back(path, RUNNING, kept)
    assert (path.read_text(), kept.read_text()) == ("mine", "somebody's")


async def test_without_a_copy_of_the_text_there_is_nothing_to_put_back() -> None:
    app = console(source_of())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Revert scenario" not in await palette_names(app)
        run_screen(app).action_revert_scenario()
        await until(pilot, lambda: "no copy of the running text" in told(app))


async def saved(pilot: Pilot[ConsoleOutcome], app: ConsoleApp, path: Path) -> None:
    run_screen(app).action_save_variables()
    await until(pilot, lambda: isinstance(app.screen, SaveForm))
    form = app.screen
    assert isinstance(form, SaveForm)
    form.path_field.value = str(path)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is not form)


async def test_variables_go_to_a_file_that_a_run_reads_again(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    jobs = "[{name: j, builtins.command: ['true']}]"
    path.write_text(f"agents: [{{name: a, transport: local}}]\nstages: [{{name: s, jobs: {jobs}}}]\n")
    app = console(source_of())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        values = app.model.variables.values
        assert values
        for name in ("v.yml", "v.json"):
            await saved(pilot, app, tmp_path / name)
            scenario = load_scenario(str(path), variable_files=[str(tmp_path / name)]).scenario
            assert {each: scenario.variables[each] for each in values} == values
        assert json.loads((tmp_path / "v.json").read_text()) == values


def test_what_is_written_reads_as_it_was_whatever_it_looks_like() -> None:
    values = {
        "yes": "yes", "n": "1.10", "hex": "0x1f", "none": None, "empty": "", "many": "a\nb\n\n c: [",
        "deep": {"on": ["~", 1]},
        "float": 1.5, "true": True, "colon": "a: b # c", "spaces": " x ", "sign": "数 é", "tmpl": "{{ vars.x }}",
    }  # fmt: skip
    from octogram_tui.scenario.documents import read_document
    from octogram_tui.scenario.tree import plain

    for name in ("v.yml", "v.json"):
        text = variables_text(values, Path(name))
        document = read_document(name, {name: text}.__getitem__)
        assert not document.errors
        assert plain(document.root) == values
