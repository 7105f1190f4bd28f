"""Ctrl-Z, `fg`, `bg` and signals from elsewhere, in a real pseudo-terminal: what is seen then is the whole console."""

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal_screen import Terminal

pytestmark = pytest.mark.terminal

BASH = shutil.which("bash") or "bash"
PROMPT = "here> "


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    shell = [BASH, "--norc", "--noprofile", "-i"]
    # An exported size is not to be believed.
    arguments = ("--agents", "3", "--paused", "--no-failure")
    terminal = Terminal(*arguments, shell=shell, PS1=PROMPT, COLUMNS="80", LINES="24")
    yield terminal
    terminal.close()


def seen(terminal: Terminal) -> list[str]:
    """The screen but for the times, which go on, and the scrollbar, which comes a moment later."""
    return [re.sub(r"\s+[\d:.]+s?\s*$", "", line.rstrip(" ▇")) for line in terminal.screen.display]


def in_bash(terminal: Terminal, command: str, expected: str) -> None:
    """Type where bash asks, with nothing on the screen that was there before: what is expected then is of this."""
    screen = terminal.screen
    terminal.when(lambda: screen.display[screen.cursor.y][: screen.cursor.x] == PROMPT, "the prompt")
    screen.reset()
    terminal.child.send(f"{command}\n")
    terminal.until(expected)


@pytest.mark.fault(60)
def test_everything_is_there_again_after_ctrl_z_and_fg(terminal: Terminal) -> None:
    terminal.until("? Help")
    terminal.until("S Skip")
    before = seen(terminal)
    for _ in range(2):
        terminal.press("\x1a", "Stopped")
        assert not terminal.screen.cursor.hidden
        in_bash(terminal, "clear; printf '%s\\n' {1..40} the''re", "there")
        terminal.child.send("fg\n")
        terminal.when(lambda: seen(terminal) == before, "the whole console")
        terminal.when(lambda: terminal.screen.cursor.hidden, "no cursor")
    terminal.press("2", "Services")  # the keys are the console's again
    terminal.press("\x1a", "Stopped")
    terminal.child.setwinsize(30, 100)
    terminal.screen.resize(30, 100)
    terminal.child.send("fg\n")
    terminal.when(lambda: terminal.screen.display[29].startswith(" Spc "), "the keys in the last line of 30")


def test_in_the_background_it_leaves_the_shell_alone(terminal: Terminal) -> None:
    terminal.until("? Help")
    terminal.until("S Skip")
    before = seen(terminal)
    terminal.press("\x1a", "Stopped")
    in_bash(terminal, "clear; bg; jobs", "pretended_run")
    in_bash(terminal, "echo still 'here'", "still here")
    terminal.child.send("fg\n")
    terminal.when(lambda: seen(terminal) == before, "the whole console")


def test_ctrl_z_in_the_editor_stops_both_and_fg_brings_both_back(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho what an editor shows\nread word\n")
    editor.chmod(0o755)
    shell = [BASH, "--norc", "--noprofile", "-i"]
    terminal = Terminal("--agents", "3", "--paused", shell=shell, PS1=PROMPT, EDITOR=str(editor), VISUAL="")
    with contextlib.closing(terminal):
        terminal.until("? Help")
        terminal.until("S Skip")
        before = seen(terminal)
        terminal.press("E", "what an editor shows")
        terminal.press("\x1a", "Stopped")
        in_bash(terminal, "echo still 'here'", "still here")
        in_bash(terminal, "fg", "pretended_run")
        terminal.child.send("\n")
        terminal.when(lambda: seen(terminal) == before, "the whole console")


def test_where_no_shell_is_nothing_stops_and_that_is_said() -> None:
    terminal = Terminal("--agents", "3", "--paused")
    with contextlib.closing(terminal):
        terminal.until("? Help")
        terminal.press("\x1a", "there is no shell to go back to")
        terminal.press("q", "Leave the run?")


def test_who_was_stopped_from_elsewhere_takes_the_terminal_again() -> None:
    terminal = Terminal("--agents", "3", "--paused")
    with contextlib.closing(terminal):
        terminal.until("? Help")
        terminal.until("S Skip")
        before = seen(terminal)
        os.kill(terminal.child.pid, signal.SIGSTOP)
        terminal.screen.reset()
        os.kill(terminal.child.pid, signal.SIGCONT)
        terminal.when(lambda: seen(terminal) == before, "the whole console")
        for key, said in (("q", "Leave the run?"), ("\x1b", "? Help"), ("q", "Leave the run?")):
            terminal.press(key, said)  # and each key is read once, by one reader
