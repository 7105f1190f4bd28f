"""`octogram-tui host`: the process of a run that a console started. Not for people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from octogram_tui.commands.run import host_settings, prepare
from octogram_tui.report.headless import run_with


def main(argv: Sequence[str]) -> int:
    """Host the run: RUN RUN_DIR SOCKET READY_FD, then the arguments of the run."""
    run, run_dir, socket, ready_fd, *arguments = argv
    invocation = prepare(arguments, opens_console=True)
    settings = host_settings(invocation, run, Path(run_dir), Path(socket))

    def tell() -> None:
        os.write(int(ready_fd), b"ready\n")
        os.close(int(ready_fd))

    reporters = invocation.output(Path(run_dir)).file_reporters()
    return run_with(reporters, invocation.scenario, invocation.options(run), settings, tell)
