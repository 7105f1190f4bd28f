"""Lending the terminal: to an editor, a pager, a shell. Whatever they do, screen, modes and keys come back."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Sequence

from octogram_tui.errors import UsageError
from octogram_tui.tui import terminal_modes

STOPPED_LOOK_S = 0.25
"""How often we look whether the program was stopped, alone: nobody else is there to let it go on."""
ENDING_S = 1.0
"""How long a program has to end when the console has to."""

_LINE_AFTER = {"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "ne", "mcedit", "pico"}
_LINE_IN_NAME = {"hx", "helix", "subl", "zed"}


def read_command(text: str, *, what: str, default: str) -> list[str]:
    """Take a command of the environment apart, as a shell does. Raises UsageError that names the variable (`what`)."""
    try:
        command = shlex.split(text) or [default]
    except ValueError as error:
        raise UsageError(f"{what} cannot be read: {text}: {str(error).lower()}", hint=f"set {what} anew") from error
    return [os.path.expanduser(command[0]), *command[1:]]


def editor_command(editor: str, path: str, line: int) -> list[str]:
    """Make the command that opens a file at a line, for editors that can. Raises UsageError."""
    command = read_command(editor, what="$VISUAL or $EDITOR", default="vi")
    name = os.path.basename(command[0])
    path = os.path.join(".", path) if path.startswith(("-", "+")) else path
    if line <= 0:
        return [*command, path]
    if name in _LINE_AFTER:
        return [*command, f"+{line}", path]
    if name in ("code", "codium"):
        return [*command, "--goto", f"{path}:{line}"]
    return [*command, f"{path}:{line}"] if name in _LINE_IN_NAME else [*command, path]


def pager_command(pager: str, path: str) -> list[str]:
    """Make the command that shows a file. Raises UsageError."""
    command = read_command(pager, what="$PAGER", default="less")
    return [command[0], *(["-R"] if _is_less(command) else []), *command[1:], path]


def shows_colours(pager: str) -> bool:
    """Whether a pager shows colours when they stand in a text, and not their codes."""
    try:
        return _is_less(read_command(pager, what="$PAGER", default="less"))
    except UsageError:
        return False


def _is_less(command: Sequence[str]) -> bool:
    return os.path.basename(command[0]) == "less"


def why_not(command: Sequence[str]) -> str:
    """Say why a command cannot be started, before the screen is given away for it; empty when it may be."""
    program = command[0]
    if shutil.which(program):
        return ""
    if os.path.isdir(program):
        return f"cannot start {program}: it is a directory"
    if os.path.dirname(program) and os.path.exists(program):
        return f"cannot start {program}: it is not executable"
    return f"cannot start {program}: there is no such program"


class Borrower:
    """A program that has the terminal. `stop` ends it, when the console has to go."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> str:
        """Let it have the terminal until it ends. Gives what is to be said of that, empty when nothing is.

        It is of our own process group: Ctrl-Z in it stops us both, and `fg` brings both back.
        """
        name = os.path.basename(self.command[0])
        try:
            self._process = await asyncio.create_subprocess_exec(*self.command)
        except (OSError, ValueError) as error:
            return f"cannot start {self.command[0]}: {getattr(error, 'strerror', None) or error}"
        watching = asyncio.create_task(self._keep_going(self._process.pid))
        try:
            code = await self._process.wait()
        finally:
            watching.cancel()
        if code < 0:
            return f"{name} was ended by {_signal_name(-code)}"
        return f"{name} ended with exit status {code}" if code else ""

    async def _keep_going(self, pid: int) -> None:
        """Let it go on when it alone was stopped. When we were as well, whoever woke us has woken it too."""
        while True:
            await asyncio.sleep(STOPPED_LOOK_S)
            try:
                is_stopped = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG) is not None  # noqa: ASYNC222  # does not wait
            except ChildProcessError:
                return
            if is_stopped:
                terminal_modes.take_foreground()
                os.kill(pid, signal.SIGCONT)

    async def stop(self) -> None:
        """End it: at first as a closed terminal does, which editors take as a reason to save what was typed."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
            try:
                process.send_signal(number)
                await asyncio.wait_for(process.wait(), ENDING_S)
                return
            except TimeoutError:
                continue
            except ProcessLookupError:
                return


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
