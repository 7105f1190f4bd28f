"""Standard streams that are closed, full, slow, or of an encoding that lacks signs: everything is said that can be."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from octogram_tui import streams
from octogram_tui.errors import ExitCode
from octogram_tui.streams import WAITING_BYTES, Outlet

SCENARIO = """agents: [{name: one, address: 127.0.0.1}]
stages:
  - {name: s, jobs: [{name: Grüße ✓ 日本, builtins.shell: 'echo Grüße ✓ 日本'}]}
"""
COMMANDS = ["--version", "--help", "help run", "check s.yml", "plan s.yml", "runs", "schema", "doctor s.yml --local"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "s.yml").write_text(SCENARIO, encoding="utf-8")
    try:
        os.mknod(tmp_path / "full", 0o20666, os.makedev(1, 7))
    except PermissionError:
        os.symlink("/dev/full", tmp_path / "full")
    return tmp_path


def run(place: Path, command: str, redirection: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program under a shell, as a person would redirect it."""
    return subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m octogram_tui {command} {redirection}"],
        cwd=place,
        env={**os.environ, "HOME": str(place), "XDG_STATE_HOME": str(place / "state"), **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.fault(61)
@pytest.mark.parametrize("command", [*COMMANDS, "s.yml --local"])
@pytest.mark.parametrize("redirection", [">&-", ">full"])
def test_a_lost_output_is_told_and_is_74(place: Path, command: str, redirection: str) -> None:
    done = run(place, command, redirection)
    assert done.returncode == ExitCode.IO
    reason = b"it is closed" if redirection == ">&-" else b"No space left on device"
    assert done.stderr.rstrip().endswith(b"octogram-tui: standard output cannot be written: " + reason)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", ["<&-", "2>&-", "2>full", "<&- 2>&-"])
def test_what_is_only_talk_may_be_lost(place: Path, redirection: str) -> None:
    assert run(place, "s.yml --local", redirection).returncode == 0
    done = run(place, "check s.yml", redirection)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"no errors" in done.stdout
    assert run(place, "check nothing.yml", redirection).returncode == run(place, "check nothing.yml", "").returncode


def test_an_exit_code_of_its_own_is_kept(place: Path) -> None:
    (place / "s.yml").write_text(SCENARIO.replace("'echo Grüße ✓ 日本'", "exit 3"), encoding="utf-8")
    assert run(place, "s.yml --local", ">&-").returncode == run(place, "s.yml --local", "").returncode != 0


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "utf-8"])
def test_signs_that_an_encoding_lacks_are_replaced(place: Path, encoding: str) -> None:
    done = run(place, "s.yml --local -v", "", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding)
    letters = {"ascii": r"Gr\xfc\xdfe \u2713", "iso-8859-1": r"Grüße \u2713", "utf-8": "Grüße ✓"}[encoding]
    assert f" | {letters}" in said
    assert ("✓ " if encoding == "utf-8" else "ok ") + letters in said
    for command in ("check s.yml", "plan s.yml", "runs"):
        assert run(place, command, "", PYTHONIOENCODING=encoding).returncode == 0


@pytest.mark.fault(61)
def test_a_reader_that_has_had_enough_loses_nothing(place: Path) -> None:
    assert run(place, "schema", "| head -1; exit 5").returncode == 5
    done = run(place, "schema", "2>errors | head -1")
    assert (done.stdout, (place / "errors").read_bytes()) == (b"{\n", b"")


def test_dash_is_the_standard_output_of_every_report(place: Path) -> None:
    assert b"<testsuites" in run(place, "s.yml --local --junit -", "").stdout.split(b"\n", 2)[1]
    assert run(place, "s.yml --local --metrics -", "").stdout.startswith(b"# HELP octogram_")
    events = run(place, "s.yml --local --events -", "")
    assert events.stdout.startswith(b'{"seq":1,')
    assert b"OK after" in events.stderr
    assert run(place, "init -", "").stdout.startswith(b"#")
    done = run(place, "s.yml --local --events - --junit -", "")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, b"")
    assert b"--events - and --junit - cannot share standard output" in done.stderr
    assert not (place / "-").exists()


def _terminal() -> tuple[int, int]:
    read_end, write_end = os.openpty()
    tty.setraw(write_end)
    return read_end, write_end


def _sockets() -> tuple[int, int]:
    one, other = socket.socketpair()
    return one.detach(), other.detach()


@pytest.mark.parametrize("between", [os.pipe, _terminal, _sockets])
def test_a_slow_reader_is_never_waited_for_and_gets_everything(between: Callable[[], tuple[int, int]]) -> None:
    read_end, write_end = between()
    outlet = Outlet(write_end)
    data = os.urandom(1 << 20)
    sizes = itertools.cycle([1, 7, 10_000, 333, 4095, 1500])  # room for less than a piece is left, too
    start = 0
    while start < len(data):
        outlet.write(data[start : (start := start + next(sizes))])  # nobody reads: this would block
    got = bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(os.read(read_end, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    outlet.drain(30)
    reader.join(60)
    assert (bytes(got), outlet.fault) == (data, None)
    os.close(read_end)
    os.close(write_end)


def test_a_terminal_that_is_another_user_s_is_not_waited_for_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "unwaiting", lambda fd: fd)  # as after `su -c`: it cannot be opened anew
    read_end, write_end = _terminal()
    outlet = Outlet(write_end)

    async def in_a_loop() -> None:
        for _ in range(20):
            outlet.write(bytes(1500))

    asyncio.run(in_a_loop())
    got = 0
    while got < 30_000:
        got += len(os.read(read_end, 1 << 16))
    outlet.drain(None)
    assert outlet.fault is None
    os.close(read_end)
    os.close(write_end)


def test_a_reader_that_never_comes_is_given_up() -> None:
    read_end, write_end = os.pipe()
    outlet = Outlet(write_end)
    outlet.write(bytes(1 << 20))
    outlet.drain(0.05)
    assert outlet.fault is not None
    assert outlet.fault.strerror == "its reader takes nothing"
    other = Outlet(write_end)

    async def in_a_loop() -> None:
        other.write(bytes(1 << 20))
        other.write(bytes(WAITING_BYTES))

    asyncio.run(in_a_loop())
    assert other.fault is not None
    assert other.fault.strerror == "its reader takes too little"
    os.close(read_end)
    os.close(write_end)


def test_a_reader_of_single_bytes_takes_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has room for more only every 4096 of them: by that alone it would be given up."""
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.01)
    read_end, write_end = os.pipe()
    outlet, patience_s = Outlet(write_end), 60.0
    now_s = time.monotonic()
    monkeypatch.setattr(streams, "time", SimpleNamespace(monotonic=lambda: now_s))  # goes on as the reader says
    outlet.write(bytes(1 << 17))
    got = bytearray()

    def read() -> None:
        nonlocal now_s
        for _ in range(5):
            now_s += patience_s / 2
            while outlet._took_s < now_s and outlet.fault is None:
                got.extend(os.read(read_end, 1))
                time.sleep(0.02)
        while len(got) < 1 << 17:
            got.extend(os.read(read_end, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    outlet.drain(patience_s)
    reader.join(60)
    assert (len(got), outlet.fault) == (1 << 17, None)
    os.close(read_end)
    os.close(write_end)


PRINTS = """
import sys
from octogram_tui import streams
streams.prepare()
print("x" * 5)
streams.print_bytes(b"y" * (streams.WAITING_BYTES - 1000))
streams.print_bytes(b"z" * (streams.WAITING_BYTES + 1000) + b"\\n")
print("the end")
sys.exit(streams.finish(0))
"""


@pytest.mark.parametrize("takes", ["sleep 0.2; tail -c 9", "head -c 1 >/dev/null; echo the end"])
def test_what_is_larger_than_may_wait_is_printed_to_its_end(place: Path, takes: str) -> None:
    (place / "p.py").write_text(PRINTS)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} p.py | {{ {takes}; }}"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"the end", b"")
