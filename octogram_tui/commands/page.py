"""`octogram-tui page`: the console of one page of `serve`. Not for people: it draws for a browser, on a pipe."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import ExitCode
from octogram_tui.journal import archive
from octogram_tui.settings import load

PARENT_LOOK_S = 1.0


def main(argv: Sequence[str]) -> int:
    """Open the console on a run, live or over, until it is left or the server is gone."""
    parser = CommandParser("page", "")
    parser.add_argument("run")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--theme")
    args = parse(parser, argv)
    _end_with(os.getppid())
    settings = load()
    run = archive.find(settings.runs_dir, args.run)
    # What the console draws goes to the real standard output, so nothing else may; its last words are for terminals.
    with open(os.devnull, "w") as nobody, contextlib.redirect_stdout(nobody):
        if run.state == "running" and run.is_attachable():
            from octogram_tui.commands.console import attach

            return attach(
                run, settings, theme=args.theme, ascii_only=args.ascii, read_only=args.read_only, shows_runs=False
            )
        from octogram_tui.commands.replay import Recording, show

        recording = Recording(run.journal)
        return show(recording, settings, run.info.scenario, ascii_only=args.ascii, theme=args.theme, shows_runs=False)


def _end_with(parent: int) -> None:
    """End when the server does, also when it was killed: a pipe that nobody reads any more says nothing."""

    def watch() -> None:
        never = threading.Event()
        while os.getppid() == parent:
            never.wait(PARENT_LOOK_S)
        os._exit(ExitCode.HANGUP)

    threading.Thread(target=watch, daemon=True, name="parent").start()
