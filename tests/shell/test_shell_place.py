"""What is told to the far side of a shell, and what that becomes: by a pipe, as behind an agent's command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from octogram_tui.errors import BootstrapFailed, LinkLost
from octogram_tui.shell.opening import ShellFailed, here
from octogram_tui.shell.place import ShellPlace
from octogram_tui.shell.talk import NONE_SPOKE, Talk
from octogram_tui.transport.base import TerminalKind

MARK = "OCTO-0123456789abcdef"
WAY = {
    "transport": "command",
    "address": "",
    "user": None,
    "port": None,
    "identity": None,
    "command": ["env"],
    "python": sys.executable,
    "ssh_config": None,
    "accept_new": False,
}


def place(directory: str, **more: Any) -> ShellPlace:
    told = {
        "agent": "n_1",
        "directory": directory,
        "environment": {"X": "it's"},
        "is_whole": False,
        "notes": [],
        "way": WAY,
    }
    return ShellPlace.read({**told, **more})


def become(there: ShellPlace, argv: list[str], typed: str = "", terminal: TerminalKind | None = None) -> Any:
    """Have the far side's program run, and give what it wrote behind the mark, and its exit status."""
    with subprocess.Popen(there.argv(MARK), stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as far:
        assert far.stdin is not None
        assert far.stdout is not None
        assert far.stderr is not None
        far.stdin.write(there.order(argv, terminal).decode() + typed)
        far.stdin.flush()
        if terminal is None:  # else whoever types would be gone, and the terminal with them
            far.stdin.close()
        out, err = far.stdout.read(), far.stderr.read()
        status = far.wait(60)
    assert out.startswith(MARK)
    return out.removeprefix(MARK), err, status


def test_the_far_side_becomes_what_it_is_told_with_what_follows(tmp_path: Path) -> None:
    out, err, status = become(place(str(tmp_path)), ["sh", "-c", 'pwd; echo "$X"; cat; exit 5'], "rest\n")
    assert (out, err, status) == (f"{tmp_path}\nit's\nrest\n", "", 5)
    assert not any("it's" in word for word in place(str(tmp_path)).argv(MARK))


def test_a_whole_environment_is_all_that_there_is(tmp_path: Path) -> None:
    out, _, _ = become(place(str(tmp_path), is_whole=True), ["/usr/bin/env"])
    assert {line.partition("=")[0] for line in out.splitlines()} <= {"X", "PWD", "LC_CTYPE"}


def test_a_directory_or_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    there = place(str(gone), environment={"HOME": str(tmp_path)})
    out, err, _ = become(there, [], "pwd\n")
    assert out == f"{tmp_path}\n"
    assert err == f"octogram-tui: cannot enter {gone}: No such file or directory; this is {tmp_path}\n"
    out, err, status = become(there, ["pwd"])  # a command was meant for that directory, and for no other
    assert (out, err, status) == ("", f"octogram-tui: cannot enter {gone}: No such file or directory\n", 1)
    there = place(str(tmp_path))
    assert become(there, [""])[1:] == (
        "octogram-tui: cannot start nothing: execve: argv first element cannot be empty\n",
        127,
    )
    _, err, status = become(there, ["no such program"])
    assert (status, "cannot start no such program" in err) == (127, True)


def test_what_cannot_be_started_here_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # and back at the end
    script = tmp_path / "no first line"
    script.write_text("echo good night\n")
    script.chmod(0o700)
    for word, said in ((str(script), "Exec format error"), (str(tmp_path), "no such program"), ("", "nothing: there")):
        with pytest.raises(ShellFailed, match=said) as caught:
            here(place(str(tmp_path)), [word], comes_back=False)
        assert caught.value.status == 127
    with pytest.raises(ShellFailed, match="cannot enter") as caught:
        here(place(str(tmp_path / "gone")), ["pwd"], comes_back=False)
    assert caught.value.status == 1


def test_a_terminal_is_made_where_the_way_gives_none(tmp_path: Path) -> None:
    script = "tty >/dev/null && stty size && echo $TERM; sleep 600 & echo $!; exit 3"  # who stays does not keep us
    out, _, status = become(place(str(tmp_path)), ["sh", "-c", script], terminal=TerminalKind("vt220", (91, 33)))
    *told, left = out.split()
    os.kill(int(left), signal.SIGKILL)
    assert (told, status) == (["33", "91", "vt220"], 3)


class Far:
    """A channel that remembers."""

    def __init__(self, status: int | None) -> None:
        self.written = b""
        self.status = status

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        pass

    def write_eof(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        pass

    async def wait_closed(self) -> int | None:
        return self.status


@pytest.mark.parametrize(("status", "code"), [(4, 4), (None, NONE_SPOKE)])
async def test_what_a_login_says_first_is_no_output(
    monkeypatch: pytest.MonkeyPatch, status: int | None, code: int
) -> None:
    monkeypatch.setattr("octogram_tui.shell.talk._read", lambda: b"")
    written: list[tuple[int, bytes]] = []
    talk = Talk(MARK, b"order\n", lambda fd, data: written.append((fd, data)))
    talk.data_received(b"Welcome!\nOCTO-01234")
    talk.data_received(b"56789abcdefout")
    talk.data_received(b"put")
    talk.stderr_received(b"hm")
    talk.channel_closed(None)
    far = Far(status)
    assert await talk.hold(far, is_terminal=False) == code
    assert written == [(2, b"Welcome!\n"), (1, b"out"), (1, b"put"), (2, b"hm")]
    assert far.written == b"order\n"


async def test_who_never_listens_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk(MARK, b"order\n", lambda *_: None)
    talk.data_received(b"This account is not available\n")
    talk.channel_closed(None)
    with pytest.raises(BootstrapFailed, match="no shell was started: This account is not available"):
        await talk.hold(Far(1), is_terminal=False)
    lost = Talk(MARK, b"order\n", lambda *_: None)
    lost.channel_closed(LinkLost("the connection is lost"))
    with pytest.raises(LinkLost, match="the connection is lost"):
        await lost.hold(Far(None), is_terminal=False)


def test_an_order_is_one_line() -> None:
    line = place("/a\nb").order(["x\ny"], None)
    assert line.count(b"\n") == 1
    assert json.loads(line)["argv"] == ["x\ny"]
