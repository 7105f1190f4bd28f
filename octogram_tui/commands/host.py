"""`octogram-tui host`: the process of a run that a console started. Not for people.

It alone loads the scenario. What it finds, good or bad, goes to the console as one line of JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from octogram_tui.commands.complaint import complaint
from octogram_tui.commands.launch import HOST_LOG
from octogram_tui.commands.run import host_settings, load_request, read_request
from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.journal import archive
from octogram_tui.report.headless import run_with
from octogram_tui.settings import load


class ConsoleGone(OctogramError):
    """Nobody waits for the run any more."""

    exit_code = ExitCode.INTERRUPTED


class FirstWord:
    """What the console is told, once: that the run can be attended, or why there is none."""

    def __init__(self, ready_fd: int) -> None:
        self._fd: int | None = ready_fd

    def give(self, said: str, exit_code: int | None = None) -> None:
        """Tell it; without an exit code the run is there. Later answers are for nobody. Raises ConsoleGone."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        try:
            with open(fd, "w", encoding="utf-8", errors="backslashreplace") as pipe:
                json.dump({"said": said, "exit_code": exit_code}, pipe)
                pipe.write("\n")
        except BrokenPipeError:
            raise ConsoleGone("the console that this run was for went away before the run began") from None


def main(argv: Sequence[str]) -> int:
    """Host the run: RUN RUN_DIR SOCKET READY_FD, then the arguments of the run."""
    run, run_dir, socket, ready_fd, *arguments = argv
    os.set_inheritable(int(ready_fd), False)
    first_word = FirstWord(int(ready_fd))
    try:
        invocation = load_request(read_request(arguments, opens_console=True))
        settings = host_settings(invocation, run, Path(run_dir), Path(socket))
        reporters = invocation.output(Path(run_dir)).file_reporters()

        def tell() -> None:
            from octogram_tui.scenario.report import as_text

            first_word.give(as_text(invocation.warnings) if invocation.warnings else "")

        return run_with(reporters, invocation.scenario, invocation.options(run), settings, tell)
    except OctogramError as error:
        try:
            first_word.give(complaint(error), int(error.exit_code))
        except ConsoleGone as gone:
            error = gone
        if isinstance(error, ConsoleGone):  # it would have tidied up
            archive.forget_unbegun(load().runs_dir / run, Path(run_dir), HOST_LOG)
        raise error
