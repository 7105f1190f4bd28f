"""The process of a run, as the console that starts it sees it: what it says before the run begins, and how it ended.

It writes lines of JSON into a pipe: what it looks at before the run (runtime's preflight), then its first word, which
says that the run can be attended, or why there is none. What the console decides meanwhile goes to its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from octogram_tui.commands.interrupts import Interrupts
from octogram_tui.errors import ExitCode, OctogramError

HOST_LOG = "host.log"
SLOW_START_S = 20.0  # after which the user is told what is waited for
READ_BYTES = 64 * 1024
LOG_TAIL_BYTES = 8 * 1024
END_S = 5.0
"""How long a process that has shut its pipe may take to end."""


class HostFailed(OctogramError):
    """The run's host process did not come up."""

    exit_code = ExitCode.IO


class Launch:
    """A run's process that was started, until it has said its first word."""

    def __init__(self, process: subprocess.Popen[bytes], read_fd: int, run: str, run_dir: Path) -> None:
        self.process = process
        self.run = run
        self.run_dir = run_dir
        self.is_over = False  # it will say nothing more
        self._fd = read_fd
        self._rest = b""
        self._heard: deque[dict[str, Any]] = deque()

    @classmethod
    def start(cls, run: str, run_dir: Path, socket: Path, argv: Sequence[str]) -> Launch:
        """Start the process. Raises HostFailed when the system does not let us."""
        log = run_dir / HOST_LOG
        read_fd, write_fd = os.pipe()
        try:
            with open(log, "ab") as output:
                os.chmod(log, 0o600)
                # A session of its own: neither Ctrl-C nor the closing of this terminal reaches the run.
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "octogram_tui",
                        "host",
                        run,
                        str(run_dir),
                        str(socket),
                        str(write_fd),
                        *argv,
                    ],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=(write_fd,),
                )
        except OSError as error:
            os.close(read_fd)
            what = f"{error.filename}: {error.strerror}" if error.filename == str(log) else error.strerror
            raise HostFailed(
                f"the run's process cannot be started: {what}",
                hint="free some space, memory or processes, or give another directory with --run-dir",
            ) from error
        finally:
            os.close(write_fd)
        return cls(process, read_fd, run, run_dir)

    def fileno(self) -> int:
        """Give what `select` waits for."""
        return self._fd

    def take(self) -> list[dict[str, Any]]:
        """Give the lines that have come; waits for something to come when nothing has."""
        data = b"" if self.is_over else os.read(self._fd, READ_BYTES)
        self.is_over = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [record for line in lines if (record := _parsed(line))]

    def put_back(self, records: Sequence[dict[str, Any]]) -> None:
        """Let `hear` give these first."""
        self._heard.extend(records)

    def hear(self, interrupts: Interrupts) -> dict[str, Any]:
        """Wait for the next line; {} when a signal came first. Raises HostFailed when there will be none."""
        both = [self._fd, interrupts.fileno()]
        while not self._heard and not self.is_over:
            ready, _, _ = select.select(both, [], [], SLOW_START_S)
            if not ready:
                print("the run's process is still at the scenario; Ctrl-C stops it", file=sys.stderr)
                select.select(both, [], [])
            if interrupts.came:
                return {}
            self._heard.extend(self.take())
        if not self._heard:
            raise self.failure()
        return self._heard.popleft()

    def tell(self, decision: dict[str, Any]) -> None:
        """Say what was decided. A process that is gone is met when it is listened to."""
        stdin = self.process.stdin
        with contextlib.suppress(OSError):
            if stdin is not None:
                stdin.write(json.dumps(decision).encode() + b"\n")
                stdin.flush()

    def hang_up(self) -> None:
        """Shut both pipes: a process that waits for a decision ends."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def failure(self) -> HostFailed:
        """Say why there was no first word, as far as can be told."""
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            return HostFailed(
                f"the run's process (number {self.process.pid}) says nothing, and does not end",
                hint=f"its log: {self.run_dir / HOST_LOG}",
            )
        reason = manner_of_death(self.process.returncode)
        said = last_words(self.run_dir)
        if said:
            reason = f"{said} ({reason})" if self.process.returncode < 0 else said
        return HostFailed(f"the run's process did not start: {reason}", hint=f"its log: {self.run_dir / HOST_LOG}")


def _parsed(line: bytes) -> dict[str, Any]:
    """Read a line of the pipe; {} when it is none of ours."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def last_words(run_dir: Path) -> str:
    """Give the line of a process's log that tells most of why it ended: the last that is no hint; '' without one."""
    try:
        with open(run_dir / HOST_LOG, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    telling = [line.strip() for line in lines if line.strip() and not line.startswith((" ", "\t"))]
    return telling[-1].removeprefix("octogram-tui: ") if telling else ""


def manner_of_death(returncode: int) -> str:
    """Say how a process ended that did not say it itself."""
    if returncode >= 0:
        return f"it ended with exit status {returncode}, and said nothing"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    if returncode == -signal.SIGKILL:
        return f"it was killed ({name}), as the system does when memory runs out"
    return f"it was ended by {name}"
