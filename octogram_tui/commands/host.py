"""`octogram-tui host`: the process of a run that a console started. Not for people.

It alone loads the scenario. What it finds, good or bad, goes to the console as one line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octogram_tui.commands.complaint import complaint
from octogram_tui.commands.launch import HOST_LOG
from octogram_tui.commands.run import host_settings, load_request, read_request
from octogram_tui.errors import ExitCode, OctogramError, Problem, ScenarioError
from octogram_tui.journal import archive
from octogram_tui.report.headless import run_with
from octogram_tui.settings import load

if TYPE_CHECKING:
    from octogram_tui.commands.invocation import Invocation


class ConsoleGone(OctogramError):
    """Nobody waits for the run any more."""

    exit_code = ExitCode.INTERRUPTED


class FirstWord:
    """What the console is told: at last, and once, that the run can be attended, or why there is none."""

    def __init__(self, ready_fd: int) -> None:
        self._fd: int | None = ready_fd

    def say(self, record: dict[str, Any]) -> None:
        """Tell something before that. Raises ConsoleGone."""
        if self._fd is None:
            return
        left = memoryview(json.dumps(record).encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except BrokenPipeError:
            raise ConsoleGone("the console that this run was for went away before the run began") from None

    def give(self, said: str, exit_code: int | None = None, problems: Sequence[Problem] = ()) -> None:
        """Tell it; without an exit code the run is there. Later answers are for nobody. Raises ConsoleGone."""
        if self._fd is None:
            return
        try:
            self.say({"said": said, "exit_code": exit_code, "problems": [list(problem) for problem in problems]})
        finally:
            os.close(self._fd)
            self._fd = None


def main(argv: Sequence[str]) -> int:
    """Host the run: RUN RUN_DIR SOCKET READY_FD, then the arguments of the run."""
    run, run_dir, socket, ready_fd, *arguments = argv
    os.set_inheritable(int(ready_fd), False)
    first_word = FirstWord(int(ready_fd))
    if arguments[:1] == ["resume"]:
        return _resume(arguments[1:], Path(socket), first_word)
    try:
        invocation = load_request(read_request(arguments, opens_console=True))
        _look_out(invocation, first_word)
        settings = host_settings(invocation, run, Path(run_dir), Path(socket))

        def tell() -> None:
            from octogram_tui.scenario.report import as_text

            first_word.give(as_text(invocation.warnings) if invocation.warnings else "")

        reporters = invocation.output(Path(run_dir)).file_reporters
        return run_with(reporters, invocation.scenario, invocation.options(run), settings, tell)
    except OctogramError as error:
        try:
            problems = error.problems if isinstance(error, ScenarioError) else ()
            first_word.give(complaint(error), int(error.exit_code), problems)
        except ConsoleGone as gone:
            error = gone
        if isinstance(error, ConsoleGone):  # it would have tidied up
            archive.forget_unbegun(load().runs_dir / run, Path(run_dir), HOST_LOG)
        raise error


def _resume(arguments: Sequence[str], socket: Path, first_word: FirstWord) -> int:
    """Go on with a run whose process has died."""
    from octogram_tui.commands.resume import Resumption

    try:
        resumption = Resumption.read(arguments, opens_console=True)
        invocation = resumption.load()
        reporters = invocation.output(resumption.run.directory).file_reporters
        settings = resumption.host_settings(invocation, socket)
        options = resumption.options(invocation)
        return run_with(reporters, invocation.scenario, options, settings, lambda: first_word.give(""))
    except OctogramError as error:
        with contextlib.suppress(ConsoleGone):
            first_word.give(complaint(error), int(error.exit_code))
        raise


def _look_out(invocation: Invocation, first_word: FirstWord) -> None:
    """Look at the machines first, where there are any, and the console is to see that. Raises ConsoleGone."""
    args, settings = invocation.args, invocation.settings
    if args.no_preflight or not settings.preflight or not invocation.scenario.is_remote:
        return
    from octogram_tui.runtime.lookout import look_out

    ssh_config = args.ssh_config or settings.ssh_config or None
    transports = invocation.transports()
    decision = asyncio.run(look_out(invocation.scenario, transports, first_word.say, ssh_config=ssh_config))
    if decision == "cancel":
        raise ConsoleGone("the run was not wanted, once its machines were looked at")
    invocation.args.paused = invocation.args.paused or decision == "paused"
