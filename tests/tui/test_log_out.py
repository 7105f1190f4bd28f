"""Logs that leave the console: into a file, a pager, the clipboard; and pinned ones."""

from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.lending import pager_command, shows_colours
from octogram_tui.tui.screens.save_form import SaveForm, file_name
from octogram_tui.tui.typed_text import CLIPBOARD_CHARACTERS, clipped

RAW = ["plain", "\x1b[31mred\x1b[0m", "1%\r100%", "\x1b]0;gone\x07", "x" * 5000]


async def with_log(pilot: Pilot[Any], source: StillSource) -> ConsoleApp:
    app = await settled(pilot)
    output = ev.JobOutput(
        seq=5000, at_s=7.0, agent="lone", instance=InstanceId("deploy binaries", "copy binaries", "lone"), lines=RAW
    )
    source.tell(output)
    await until(pilot, lambda: app.model.board.seq == 5000)
    return app


async def written(pilot: Pilot[Any], path: Path) -> str:
    await until(pilot, lambda: not isinstance(pilot.app.screen, SaveForm))
    return path.read_text()


async def test_a_log_is_written_to_a_file_and_never_over_one_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = StillSource(fleet_events(0.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await with_log(pilot, source)
        await pilot.press("3", "w")
        form = pilot.app.screen
        assert isinstance(form, SaveForm)
        name = form.path_field.value
        assert "/" not in name
        await pilot.press("enter")
        text = await written(pilot, tmp_path / name)
        assert text.splitlines()[-4:] == ["red", "␍100%", "␛]0;gone␇", "x" * 4096 + "..."]
        assert "\x1b" not in text
        await pilot.press("w")
        form = pilot.app.screen
        assert isinstance(form, SaveForm)
        assert form.path_field.value != name  # that one is taken
        (tmp_path / "mine").write_text("keep me")
        await pilot.press("ctrl+u", *"mine", "enter")
        assert "enter again writes over it" in screen_of(form)
        assert (tmp_path / "mine").read_text() == "keep me"
        await pilot.press("enter")
        assert "red" in await written(pilot, tmp_path / "mine")


def screen_of(form: SaveForm) -> str:
    return "\n".join("".join(text for text, _ in line) for line in form.says.lines)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no/such/folder", "cannot write no/such/folder: there is no such"),
        (".", ". is a directory"),
        ("", "type the name"),
    ],
)
async def test_what_cannot_be_written_is_said_in_a_line(
    path: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = StillSource(fleet_events(0.0))
    async with console(source).run_test(size=(80, 24)) as pilot:
        await with_log(pilot, source)
        await pilot.press("w", "ctrl+u", *path.replace("/", "§"), "x", "backspace")
        form = pilot.app.screen
        assert isinstance(form, SaveForm)
        form.path_field.value = path
        await pilot.press("enter")
        await until(pilot, lambda: said in screen_of(form))
        await pilot.press("escape")
        assert list(tmp_path.iterdir()) == []


def test_a_name_is_made_of_the_title_and_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_name("sell one @ shop_2 [/../x]") == "sell-one-shop_2-..-x.log"
    assert file_name("\x1b数") == "output.log"
    (tmp_path / "output.log").symlink_to("nowhere")
    assert file_name("") == "output-2.log"


async def test_the_log_is_read_in_the_pager(tmp_path: Path) -> None:
    source = StillSource(fleet_events(0.0))
    app = console(source)
    shown: list[tuple[str, str]] = []
    app.show_in_pager = lambda text, name: shown.append((text, name))  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await with_log(pilot, source)
        app.pager = "less"
        await pilot.press("v")
        app.pager = "more"
        await pilot.press("v")
    (coloured, _), (plain, _) = shown
    assert "\x1b[38;5;1mred\x1b[0m\n␍100%\n␛]0;gone␇\n" in coloured
    assert "\nred\n␍100%\n" in plain
    assert "\x1b" not in plain


def test_less_is_told_to_show_colours() -> None:
    assert pager_command("less -S", "f") == ["less", "-R", "-S", "f"]
    assert pager_command("more", "f") == ["more", "f"]
    assert [shows_colours(pager) for pager in ("", "/usr/bin/less", "most", "'")] == [True, True, False, False]


async def test_a_log_is_pinned_from_any_pane() -> None:
    source = StillSource(fleet_events(6.0))
    async with console(source).run_test(size=(120, 40)) as pilot:
        app = await settled(pilot)
        assert app.run_screen is not None
        log = app.run_screen.log_pane
        await pilot.press("exclamation_mark", "p")
        subject = log.subject
        assert log.tab.letter == "A"
        await pilot.press("1", "g")
        assert log.subject is subject
        await pilot.press("less_than_sign")
        assert (log.tab.letter, log.subject is subject) == ("", False)
        await pilot.press("greater_than_sign", "p")
        assert len(log.tabs) == 1
        assert "Log" in screen_text(app)


def test_no_more_is_copied_than_terminals_take() -> None:
    text = "\n".join(f"line {number}" for number in range(100_000))
    copied = clipped(text)
    assert copied.endswith("line 99999")
    assert copied.startswith("line ")
    assert len(copied) <= CLIPBOARD_CHARACTERS
    assert clipped("short") == "short"
