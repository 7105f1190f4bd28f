"""The console in a real pseudo-terminal: it opens, asks, ends in order, and leaves the terminal as it was."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from fixtures_program import PYTHONPATH

pytestmark = pytest.mark.terminal

RESTORED = "\x1b\\[\\?1049l"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def console() -> Iterator[pexpect.spawn]:
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": PYTHONPATH,
    }
    environment.pop("NO_COLOR", None)
    command = ["-m", "tools.pretended_run", "--agents", "3", "--paused"]
    child = pexpect.spawn(
        sys.executable, command, env=environment, dimensions=(24, 80), timeout=60, encoding="utf-8", cwd=str(ROOT)
    )
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


def test_it_is_seen_when_errors_go_to_a_file(tmp_path: Path) -> None:
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": PYTHONPATH}
    command = f"{sys.executable} -m tools.pretended_run --agents 3 --paused 2>{tmp_path / 'errors'}"
    child = pexpect.spawn(
        "sh", ["-c", command], env=environment, dimensions=(24, 80), timeout=60, encoding="utf-8", cwd=str(ROOT)
    )
    try:
        child.expect("Held before the first stage")
        child.send("q")
        child.expect("Leave the run")
        child.send("d")
        child.expect(RESTORED)
        child.expect("detached")
    finally:
        child.close(force=True)
    assert (tmp_path / "errors").read_text() == ""


def test_no_colour_and_no_unicode_where_asked() -> None:
    environment = {
        **os.environ,
        "TERM": "linux",
        "NO_COLOR": "1",
        "PYTHONPATH": PYTHONPATH,
        "LC_ALL": "C",
    }
    command = ["-m", "tools.pretended_run", "--agents", "3", "--paused"]
    child = pexpect.spawn(
        sys.executable, command, env=environment, dimensions=(24, 80), timeout=60, encoding="utf-8", cwd=str(ROOT)
    )
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
