"""The console in a real pseudo-terminal: it opens, asks, ends in order, and leaves the terminal as it was."""

import fcntl
import os
import random
import shlex
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from fixtures_program import in_terminal, wait_for
from terminal_screen import Terminal, pretended_run, surroundings

pytestmark = pytest.mark.terminal

RANDOM_BURSTS = 500 if "OCTOGRAM_RANDOM_STEPS" in os.environ else 25
RESTORED = "\x1b\\[\\?1049l"
PAUSED = pretended_run("--agents", "3", "--paused")


@pytest.fixture
def console() -> Iterator[pexpect.spawn]:
    child = in_terminal(PAUSED, env=surroundings())
    child.expect("Held before the first stage")
    yield child
    child.close(force=True)


def test_ctrl_c_asks_and_again_stops(console: pexpect.spawn) -> None:
    console.sendintr()
    console.expect("Stop the run")
    console.sendintr()
    console.expect(RESTORED)
    console.expect("stopped")
    console.expect(pexpect.EOF)


WRITES_AS_THE_CONSOLE = """
import signal, sys, termios
from octogram_tui import settings
settings.prepare_textual()
from octogram_tui.tui.terminal_driver import TerminalDriver
signal.signal(signal.SIGINT, lambda *_: None)
flags = termios.tcgetattr(0)
flags[3] = TerminalDriver._patch_lflag(flags[3])
termios.tcsetattr(0, termios.TCSANOW, flags)
for number in range(10_000):
    print(f"{number:06}")
"""


def test_ctrl_c_takes_nothing_with_it_that_was_not_shown_yet() -> None:
    """The system throws it away else, and a thread that waited for room to write waits for ever."""
    child = in_terminal([sys.executable, "-c", WRITES_AS_THE_CONSOLE], env=surroundings())
    try:
        wait_for(lambda: _unread_bytes(child) > 4000)  # as much as fits: nobody reads
        child.sendintr()
        child.expect(pexpect.EOF)
        assert str(child.before).split() == [f"{number:06}" for number in range(10_000)]
    finally:
        child.close(force=True)


def test_a_terminal_that_shows_nothing_holds_up_no_key() -> None:
    child = in_terminal(PAUSED, env=surroundings(), size=(200, 60))
    try:
        wait_for(lambda: _unread_bytes(child) > 4000)
        for _ in range(40):  # more frames than may wait for it
            child.send("2345")
        child.send("qd")
        child.expect(RESTORED)
        child.expect("detached")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)


def test_q_d_detaches(console: pexpect.spawn) -> None:
    console.send("q")
    console.expect("Leave the run")
    console.send("d")
    console.expect(RESTORED)
    console.expect("detached")
    console.expect(pexpect.EOF)


def test_termination_restores_the_terminal(console: pexpect.spawn) -> None:
    console.kill(signal.SIGTERM)
    console.expect(RESTORED)
    console.expect("detached")
    console.expect(pexpect.EOF)


def test_a_closed_terminal_ends_it_at_once(console: pexpect.spawn) -> None:
    console.kill(signal.SIGHUP)
    console.expect(pexpect.EOF)
    console.wait()
    assert console.exitstatus == 129


def test_tab_leads_from_a_variable_s_name_to_its_value_however_fast_one_types(console: pexpect.spawn) -> None:
    console.send("e")
    console.expect("Set a variable")
    console.send("slots\t75\r")  # in one write: each key has to find the field that the one before led to
    console.send("4")
    console.expect(r"slots\s.*?75.*?operator")


def test_what_is_typed_before_it_is_there_is_done_in_its_order() -> None:
    """The terminal reads lines by then, and ends them as lines are ended."""
    child = in_terminal(PAUSED, env=surroundings())
    try:
        for character in "eslots\t75\r4":
            child.send(character)
        child.expect(r"slots\s.*?75.*?operator")
    finally:
        child.close(force=True)


def test_it_is_seen_when_errors_go_to_a_file(tmp_path: Path) -> None:
    command = f"{shlex.join(PAUSED)} 2>{tmp_path / 'errors'}"
    child = in_terminal(["sh", "-c", command], env=surroundings())
    try:
        child.expect("Held before the first stage")
        child.send("q")
        child.expect("Leave the run")
        child.send("d")
        child.expect(RESTORED)
        child.expect("detached")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert (tmp_path / "errors").read_text() == ""


@pytest.mark.fault(62)
def test_no_size_of_a_terminal_ends_it() -> None:
    terminal = Terminal("--agents", "3", "--speed", "20", size=(80, 24))
    try:
        terminal.until("deploy binaries")
        for columns, rows in ((0, 0), (1, 1), (1, 40), (200, 1)):
            terminal.child.setwinsize(rows, columns)
            terminal.child.send("jz2")
            terminal.read(0.05)
        terminal.child.send("1")
        terminal.resize(100, 30)
        terminal.until("deploy binaries")
    finally:
        terminal.close()


@pytest.mark.fault(62)
@pytest.mark.parametrize("size", [(0, 0), (1, 1)])
def test_it_begins_in_a_terminal_without_a_size_and_is_there_when_it_has_one(size: tuple[int, int]) -> None:
    child = in_terminal(PAUSED, env={**surroundings(), "TERM": ""}, size=size)
    child.expect(r"\x1b\[\?1049h")
    child.setwinsize(30, 100)
    child.expect("Held before the first stage")
    child.close(force=True)


def test_no_colour_and_no_unicode_where_asked() -> None:
    environment = {**surroundings(), "TERM": "linux", "COLORTERM": "", "NO_COLOR": "1", "LC_ALL": "C"}
    child = in_terminal(PAUSED, env=environment)
    child.expect("collect")
    seen = str(child.before)
    child.send("q")
    child.expect("never mind")
    seen += str(child.before)
    child.send("d")
    child.expect(pexpect.EOF)
    child.close(force=True)
    assert seen.isascii()
    assert "[38;" not in seen
    assert "[48;" not in seen


def test_the_terminal_is_as_it_was_however_the_console_ends(tmp_path: Path) -> None:
    """Echo, lines, signals, the other screen, the cursor, the mouse and pastes: what a shell would find."""
    stty = "stty -a"
    run = f"{shlex.join(PAUSED)}; echo ended $?"
    shell = in_terminal(["sh"], env={**surroundings(), "PS1": "$ "})

    def ask(command: str) -> str:
        shell.sendline(f"{command}; echo do''ne")
        shell.expect("done")
        said = str(shell.before)
        return said[said.find("speed") :]  # what was typed is echoed before it

    try:
        before = ask(stty)
        assert "icanon" in before
        for end in ("qd", "term", "\x03", "quit"):
            shell.sendline(run)
            shell.expect("Held before the first stage")
            if end in ("term", "quit"):
                number = {"term": signal.SIGTERM, "quit": signal.SIGQUIT}[end]
                os.kill(_foreground(shell), number)
            elif end == "\x03":
                shell.send(end)
                shell.expect("Stop the run")
                shell.send("s")
            else:
                shell.send("q")
                shell.expect("Leave the run")
                shell.send("d")
            shell.expect("ended 0")
            written = str(shell.before)
            for mode in ("?1049", "?1000", "?1003", "?1006", "?2004", "?1004"):
                assert written.rfind(f"\x1b[{mode}l") > written.rfind(f"\x1b[{mode}h"), f"{mode} stays after {end!r}"
            assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l"), f"the cursor is hidden after {end!r}"
            assert ask(stty) == before, f"after {end!r}"
    finally:
        shell.close(force=True)


def _unread_bytes(child: pexpect.spawn) -> int:
    return int.from_bytes(fcntl.ioctl(child.child_fd, termios.FIONREAD, bytes(4)), sys.byteorder)


def _foreground(shell: pexpect.spawn) -> int:
    return os.tcgetpgrp(shell.child_fd)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1])
def test_random_keys_in_a_terminal(seed: int) -> None:
    """Bytes as a terminal sends them, in bursts, with sizes that change meanwhile; `make random` takes a minute."""
    rng = random.Random(seed)
    keys = [*"1234567jkhlgGfztW!/?nrSyeR&:,.=+-", " ", "\t", "\x1b[Z", "\r", "\x1b", "\x1b[A", "\x1b[5~", "\x1bOP", "é"]
    mouse = ["\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m", "\x1b[<64;{x};{y}M", "\x1b[<65;{x};{y}M", "\x1b[<32;{x};{y}M"]
    more = ["\x1b[200~two\nlines\x1b[201~", "\x1b[I", "\x1b[O", "\x1b[<999;", "\x1b]11;rgb:0/0/0\x07", "\x1b[?2026;2$y"]
    terminal = Terminal("--agents", "4", "--speed", "20", size=(80, 24))
    done: list[str] = []
    try:
        terminal.until("deploy binaries")
        for _ in range(RANDOM_BURSTS):
            if rng.random() < 0.1:
                terminal.resize(*rng.choice([(80, 24), (120, 40), (200, 60), (40, 12), (159, 30)]))
            x, y = rng.randrange(1, 80), rng.randrange(1, 24)
            burst = "".join(rng.choices([*keys, *keys, *mouse, *more], k=rng.randrange(1, 5)))
            done.append(burst)
            terminal.child.send(burst.replace("{x}", str(x)).replace("{y}", str(y)))
            terminal.read(0.03)
            assert terminal.child.isalive(), done[-10:]
            assert "Traceback" not in terminal.text(), done[-10:]
        terminal.child.send("\x1b")
        # A size that came and went has moved what stood here: it is drawn again as soon as the console can.
        terminal.when(lambda: terminal.text().strip(), f"what is drawn after {done[-10:]}")
        terminal.until("", gone="never mind")
        assert "cannot be drawn" not in terminal.text()
        assert "console-faults" not in terminal.text()
    finally:
        terminal.close()
