"""Runs the program as a user does: a process of its own, a home of its own; and looks for what it leaves behind.

A test that fails says what was seen of what it had started: the last frame of each terminal, and what was printed into
a pipe and read by nobody. In the log of CI that is all there is to find the cause by.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from octogram_tui.journal import archive
from octogram_tui.runtime import typed_verbs
from octogram_tui.runtime.asking import ask

ROOT = Path(__file__).resolve().parents[1]
PYTHONPATH = f"{ROOT}:{ROOT / 'agentd'}"
NODE_MODULES = ROOT / "build" / "node" / "node_modules"
"""Where what tests/editors/package.json names is installed: CONTRIBUTING.md tells how."""
PROGRAM = [sys.executable, "-m", "octogram_tui"]
DEADLINE_S = 60.0
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""A child begins with the memory of whoever forks it, as the system counts it: a small process has to."""
LAST_LINES = 40
"""So many lines of what was printed are shown of a test that failed."""
HAS_FAILED = pytest.StashKey[bool]()
_STARTED: list[Terminal | subprocess.Popen[str]] = []
"""What the test that is under way has started, and may have to be looked at when it fails."""


@dataclass
class Place:
    """A home directory for one test: its path, in the environment of everything started, tells what is ours."""

    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the program sees of the world."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "OCTOGRAM_", "CI"))}
        return {
            **kept,
            "HOME": str(self.home),
            "PYTHONPATH": PYTHONPATH,
            "TERM": "xterm-256color",
            "OCTOGRAM_CHECK": "1",
            **self.extra,
        }

    def run(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, without a terminal."""
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            cwd=more.pop("cwd", self.home),
            check=False,
            **more,
        )

    def run_measured(self, *arguments: str) -> tuple[int, str, int]:
        """Run the program to its end, beside no check of its own; the code, what it printed, the most bytes it took."""
        said, most = self.home / "said", self.home / "most"
        with open(said, "w") as out:
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, str(most), *PROGRAM, *arguments],
                env={**self.environment, "OCTOGRAM_CHECK": "0"},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.returncode, said.read_text(), int(most.read_text()) * 1024

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the program without a terminal, in a group of its own."""
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            start_new_session=True,
        )
        _STARTED.append(process)
        return process

    def open(self, *arguments: str, size: tuple[int, int] = (100, 30)) -> Terminal:
        """Start the program in a terminal."""
        return in_terminal([*PROGRAM, *arguments], env=self.environment, cwd=self.home, size=size)

    @property
    def runs_dir(self) -> Path:
        """Where its runs are kept."""
        return self.home / ".local/state/octogram-tui/runs"

    def ask(self, *words: str, run: str = "last") -> dict[str, Any]:
        """Ask a run something from this process, whoever holds control; a program's start is saved."""
        socket = archive.find(self.runs_dir, run).info.socket
        return asyncio.run(ask(socket, typed_verbs.parse(list(words)), takes_control=True))

    def write(self, name: str, text: str) -> Path:
        """Write a file of the test's."""
        path = self.home / name
        path.write_text(text)
        return path

    def processes(self) -> list[str]:
        """List whatever lives with this home in its environment or as its place: `pid command`."""
        mine = f"HOME={self.home}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                is_mine = mine in (entry / "environ").read_bytes() + b"\0"
                is_mine = is_mine or os.readlink(entry / "cwd").startswith(f"{self.home}/")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if is_mine and state not in "ZX":
                found.append(f"{entry.name} {command}")
        return found

    def wait_clean(self, within_s: float = 40.0) -> None:
        """Wait until nothing of ours is left. Fails with what is."""
        wait_for(lambda: not self.processes(), within_s, lambda: f"left behind: {self.processes()}")

    def last_run(self) -> dict[str, Any]:
        """Give what `runs --json` says of the newest run."""
        lines = self.run("runs", "--json").stdout.splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
        return found

    def daemons(self, agent: str = "") -> list[int]:
        """List the daemons of one agent, or of all, with their guards, and with bridges as far as there are any."""
        wanted = re.compile(rf" attach .*--agent {agent}" if agent else " attach ")
        return [int(line.split()[0]) for line in self.processes() if wanted.search(line)]

    def kill_everything(self) -> None:
        """End whatever a failed test left; who guards another one may start anew, so look again."""
        for _ in range(50):
            found = self.processes()
            if not found:
                return
            for line in found:
                try:
                    os.kill(int(line.split()[0]), signal.SIGKILL)
                except OSError:
                    pass


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a home; what a test left running in it fails the test, and is ended: at once where it has failed already."""
    home = tmp_path / "home"
    home.mkdir()
    found = Place(home)
    yield found
    try:
        if not request.node.stash.get(HAS_FAILED, False):
            found.wait_clean()
    finally:
        found.kill_everything()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a failure say what was to be seen, first of all what stands on the screens."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, pytest.skip.Exception):
        error = None
    if call.when != "teardown":
        item.stash[HAS_FAILED] = error is not None
    if error is not None:
        for note in seen(error):
            error.add_note(note)
    if call.when == "teardown":
        _STARTED.clear()
    return (yield)


def seen(error: BaseException) -> Iterator[str]:
    """Tell what was seen of everything that the test has started."""
    for one in _STARTED:
        if isinstance(one, Terminal):
            yield one.shown()
        elif one.stdout is not None and not one.stdout.closed and (unread := _unread(one.stdout)):
            yield f"printed by process {one.pid} ({one.poll()}), and read by nobody:\n{_last(unread)}"
    if isinstance(error, subprocess.TimeoutExpired):  # which knows them as bytes, whatever was asked for
        for name, said in (("printed", error.output), ("said as errors", error.stderr)):
            if said:
                yield f"{name} until then:\n{_last(bytes(said).decode(errors='replace'))}"


def _last(text: str) -> str:
    return "\n".join(text.splitlines()[-LAST_LINES:])


def _unread(pipe: Any) -> str:
    """Give what waits in a pipe, and wait for nothing."""
    found = b""
    while select.select([pipe], [], [], 0)[0] and (chunk := os.read(pipe.fileno(), 65536)):
        found += chunk
    return found.decode(errors="replace")


class Terminal(pexpect.spawn):  # type: ignore[misc]
    """What runs in a terminal, and ends by itself: pexpect sends it signals within tenths of a second, and gives up.

    `expect` looks at what was written, and what is drawn twice answers for the second time also when nothing has
    happened; `until` looks at what stands on the screen, and what it has read nobody expects any more.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._screen = pyte.Screen(*named["dimensions"][::-1])
        self._stream = pyte.Stream(self._screen)
        _STARTED.append(self)
        super().__init__(*arguments, **named)
        self.logfile_read = io.StringIO()

    def __str__(self) -> str:
        """Say which one it is: pexpect would tell of the last hundred bytes, and of its own settings."""
        return f"process {self.pid}"

    def frame(self) -> str:
        """Give what stands on the screen after all that was read."""
        self._stream.feed(self.logfile_read.getvalue())  # only now: in most tests nobody asks
        self.logfile_read.seek(0)
        self.logfile_read.truncate()
        lines = (self._screen.buffer[row] for row in range(self._screen.lines))
        return "\n".join("".join(line[at].data for at in range(self._screen.columns)).rstrip() for line in lines)

    def shown(self) -> str:
        """Tell how it is, and what stands on its screen."""
        end_s = time.monotonic() + 2  # a clock ticks on for ever
        try:
            while not self.closed and time.monotonic() < end_s:
                self.read_nonblocking(65536, timeout=0.3)  # it may have waited for a reader, amid a frame
        except (pexpect.TIMEOUT, pexpect.EOF, OSError):
            pass
        state = "has ended" if self.terminated or self.flag_eof else "is there"
        frame = re.sub(r"\n\n+", "\n\n", self.frame()).strip("\n")
        return f"the terminal of process {self.pid}, which {state}, shows:\n{frame}"

    def until(self, text: str, *, gone: str = "") -> None:
        """Read until a text stands on the screen, and another does not."""
        what = repr(text) + (f" without {gone!r}" if gone else "")
        self.when(lambda: text in (frame := self.frame()) and not (gone and gone in frame), what)

    def when(self, condition: Callable[[], object], what: str = "it") -> None:
        """Wait for a condition, and read meanwhile: whoever draws waits for whoever reads, and then minds no keys."""
        end_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end_s, f"{what} did not come"
            try:
                self.read_nonblocking(65536, timeout=0.1)
            except pexpect.TIMEOUT:
                pass

    def press(self, keys: str, text: str, *, gone: str = "") -> None:
        """Send keys, and read until a text stands on the screen."""
        self.send(keys)
        self.until(text, gone=gone)

    def close(self, force: bool = True) -> None:
        """Close it; what has said all that it will is left its time to end, and what was killed its time to be gone."""
        if self.flag_eof and not self.closed:
            self.wait()
        try:
            super().close(force)
        except pexpect.ExceptionPexpect:  # pexpect looks for it a tenth of a second after it was killed, and once
            self.ptyproc.kill(signal.SIGKILL)
            self.ptyproc.wait()
            super().close(force)

    def hang_up(self) -> None:
        """Close the terminal and nothing else, and wait for the end of what it was the terminal of."""
        self.ptyproc.fileobj.close()
        self.ptyproc.closed = self.closed = True
        self.ptyproc.wait()


def in_terminal(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path = ROOT, size: tuple[int, int] = (80, 24)
) -> Terminal:
    """Start something in a terminal of its own.

    Ctrl-C makes a terminal forget what was not read yet, also the first half of a letter: that is no error.
    """
    return Terminal(
        command[0],
        list(command[1:]),
        env=dict(env),
        cwd=str(cwd),
        dimensions=size[::-1],
        timeout=DEADLINE_S,
        encoding="utf-8",
        codec_errors="replace",
    )


def wait_for(
    condition: Callable[[], object], within_s: float = DEADLINE_S, describe: Callable[[], str] = lambda: ""
) -> None:
    """Wait for a condition of the world outside, which tells nobody when it comes true."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, describe() or "it did not happen in time"
        time.sleep(0.02)


def send_signal(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to all that are there yet: a bridge goes with its run, a guard with its daemon."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def events_of(text: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def events_so_far(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a file that is being written, or of nobody's yet: of the last one there may be a part only."""
    text = path.read_text() if path.exists() else ""
    return events_of(text[: text.rfind("\n") + 1])


def plain(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Reduce events to what must be the same wherever the agents are: no times, no ids, no order among agents."""
    volatile = {
        "seq",
        "at_s",
        "cause",
        "duration_s",
        "run",
        "started_wall",
        "host",
        "birth",
        "home",
        "pid",
        "python",
        "address",
        "digest",
        "where",
        "scenario",
        "agents",
        "ports",
        "reason",
    }
    by_the_way = {"job_output", "job_progress", "run_started", "agent_load", "agent_suspect", "agent_waiting"}
    reduced = []
    for event in events:
        if event["type"] in by_the_way:
            continue
        kept = {k: v for k, v in event.items() if k not in volatile}
        if event["type"] == "job_started":
            kept["arguments"] = sorted(event["arguments"])
        if event["type"] == "job_finished":
            kept["result"] = sorted(event["result"]) if isinstance(event.get("result"), dict) else event.get("result")
        if event["type"] == "variable_changed" and event["name"].endswith("_port"):
            kept["value"] = "a port"
        text = json.dumps(kept, sort_keys=True)
        if event["type"] not in ("agent_starting", "agent_ready") or text not in reduced:  # again, after it has waited
            reduced.append(text)
    return sorted(reduced)
