"""The terminal is lent to an editor and a pager, which may do what they like: screen, modes and keys come back."""

import contextlib
import os
import shutil
import stat
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_app import StillSource, console, fleet_events, settled, until
from terminal_screen import Terminal

from octogram_tui.errors import UsageError
from octogram_tui.tui import lending
from octogram_tui.tui.terminal_app import NO_TERMINAL

SHELL = shutil.which("bash") or "/bin/sh"
LEAVES_ALL_ON = (
    r"stty raw -echo; printf '\033[?1049h\033[?1000h\033[?25l\033[5;8r\033(0\033[7m garbage \033]0;never ended'"
)
ACTS = {  # what the editor does, and what is said then
    "ends": ("exit 0", ""),
    "fails": ("exit 3", "ended with exit status 3"),
    "is killed with all modes on": (f"{LEAVES_ALL_ON}; kill -9 $$", "was ended by SIGKILL"),
    "is ended with an unknown signal": ("kill -40 $$", "was ended by signal 40"),
    "is stopped, alone": ("kill -STOP $$; exit 4", "ended with exit status 4"),
    "keeps the terminal for itself": (f"{SHELL} -ic 'kill -9 $$'; exit 5", "ended with exit status 5"),
    "does not take what is typed": ("stty raw; printf '\\033[6n'; exit 6", "ended with exit status 6"),
}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    editor = tmp_path / "an editor"
    editor.write_text(f'#!{SHELL}\n. "$ACT"\n')
    editor.chmod(0o755)
    terminal = Terminal("--agents", "3", "--paused", EDITOR=f"'{editor}' --wait", ACT=str(tmp_path / "act"), VISUAL="")
    yield terminal
    terminal.close()


def is_ours(terminal: Terminal) -> bool:
    """Whether keys come as they are pressed, to the console."""
    flags = termios.tcgetattr(terminal.child.fileno())[3]
    return not flags & (termios.ICANON | termios.ECHO) and os.tcgetpgrp(terminal.child.fileno()) == terminal.child.pid


@pytest.mark.terminal
def test_whatever_the_editor_does_the_console_comes_back(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("Held before the first stage")
    for number, (name, (act, said)) in enumerate(ACTS.items()):
        done = tmp_path / f"done {number}"
        (tmp_path / "act").write_text(f"echo 'what an editor shows'; touch '{done}'\n{act}\n")
        terminal.child.send("E")
        terminal.when(done.exists, f"the editor that {name}")
        terminal.until(said or "6 inject operations", gone="what an editor shows")
        terminal.until("6 inject operations", gone="garbage")
        terminal.when(lambda: terminal.screen.display[-1].startswith(" Spc Go  n Over"), f"the keys, after it {name}")
        terminal.when(lambda: terminal.screen.cursor.hidden and is_ours(terminal), f"the console, after it {name}")
        terminal.press("q", "Leave the run?")  # a key does what it does
        terminal.press("\x1b", "Held before", gone="Leave the run?")


@pytest.mark.terminal
def test_a_terminal_resized_meanwhile_is_drawn_at_its_size(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("Held before the first stage")
    (tmp_path / "act").write_text("trap '' INT; echo 'what an editor shows'; read word; [ \"$word\" = done ]\n")
    terminal.press("E", "what an editor shows")
    terminal.child.setwinsize(30, 100)
    terminal.screen.resize(30, 100)
    terminal.child.send("\x03")  # is the editor's, which this one does not mind
    terminal.child.send("done\r")
    terminal.until("? Help", gone="what an editor shows")
    assert "what an editor shows" not in terminal.text()
    assert "Stop the run?" not in terminal.text()


@pytest.mark.terminal
def test_a_signal_does_not_wait_for_the_editor(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("Held before the first stage")
    (tmp_path / "act").write_text(
        "trap '' HUP; echo $$ > \"$ACT.pid\"; echo 'what an editor shows'; read word; read word\n"
    )
    terminal.press("E", "what an editor shows")
    os.kill(terminal.child.pid, 15)
    terminal.until("detached")
    pid = int((tmp_path / "act.pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.terminal
def test_an_editor_that_cannot_be_read_is_said() -> None:
    terminal = Terminal("--agents", "3", "--paused", EDITOR='vi "x', VISUAL="")
    with contextlib.closing(terminal):
        terminal.until("Held before the first stage")
        terminal.press("E", "cannot be read")
        terminal.press("q", "Leave the run?")


@pytest.mark.parametrize(
    ("editor", "line", "expected"),
    [
        ("vim -u NONE", 7, ["vim", "-u", "NONE", "+7", "s.yml"]),
        ("code --wait", 7, ["code", "--wait", "--goto", "s.yml:7"]),
        ("hx", 7, ["hx", "s.yml:7"]),
        ("ed", 7, ["ed", "s.yml"]),
        ("vim", 0, ["vim", "s.yml"]),
        ("", 3, ["vi", "+3", "s.yml"]),
        ("'/a b/nano'", 3, ["/a b/nano", "+3", "s.yml"]),
        ("~/ed", 0, ["~/ed", "s.yml"]),
    ],
)
def test_editors_are_told_the_line_in_their_way(editor: str, line: int, expected: list[str]) -> None:
    assert lending.editor_command(editor, "s.yml", line) == [os.path.expanduser(word) for word in expected]


def test_a_file_is_never_an_option_and_a_quote_that_stands_alone_is_refused() -> None:
    assert lending.editor_command("vim", "-c.yml", 0) == ["vim", "./-c.yml"]
    with pytest.raises(UsageError, match=r"\$VISUAL or \$EDITOR cannot be read: vi \"x: no closing quotation"):
        lending.editor_command('vi "x', "s.yml", 1)
    with pytest.raises(UsageError, match=r"\$PAGER cannot be read"):
        lending.pager_command("less 'x", "log")


def test_why_a_program_cannot_be_started(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    assert lending.why_not([str(plain)]) == f"cannot start {plain}: it is not executable"
    assert lending.why_not([str(tmp_path)]) == f"cannot start {tmp_path}: it is a directory"
    assert lending.why_not(["no-such-editor"]) == "cannot start no-such-editor: there is no such program"
    plain.chmod(plain.stat().st_mode | stat.S_IXUSR)
    assert lending.why_not([str(plain)]) == ""


async def test_where_no_terminal_is_nothing_is_lent_and_that_is_said() -> None:
    app = console(StillSource(fleet_events(2)), editor="cat")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("E")
        await until(pilot, lambda: [notice.message for notice in app._notifications] == [NO_TERMINAL])
        await pilot.press("ctrl+z")
        assert not app.is_lent
