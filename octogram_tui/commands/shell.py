"""`octogram-tui shell`: a shell where it failed: on the agent, in the job's directory, with its environment."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from octogram_tui.commands.complaint import complain
from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import AttachRefused, OctogramError, RequestDenied
from octogram_tui.journal import archive, reader
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.text import safe
from octogram_tui.prompt.rows import HERE, find_instance
from octogram_tui.runtime.asking import ask
from octogram_tui.runtime.verbs import Whereabouts
from octogram_tui.settings import load
from octogram_tui.shell.opening import ShellFailed, elsewhere, here
from octogram_tui.shell.place import ShellPlace
from octogram_tui.transport.base import TerminalKind
from octogram_tui.tui.model import Model

EPILOG = """\
The run is not touched, and does not wait: what is done there is done beside it, and what the shell leaves running is
yours. Without ROW it is where the run is at: the first failure that it waits with, or what it holds next. `~.` at the
beginning of a line leaves a machine that answers no more. The exit code is that of the shell or the command."""


def main(argv: Sequence[str]) -> int:
    """Ask the run where, go there, and stay until the shell ends."""
    parser = CommandParser("shell", "Open a shell on a row's agent, where its command runs.", epilog=EPILOG)
    parser.add_argument("run", metavar="RUN", help="its name, the beginning of it, or `last`")
    parser.add_argument("row", metavar="ROW", nargs="?", default=HERE, help="a row, a part of its name, or an agent")
    parser.add_argument("--for-console", action="store_true", help=argparse.SUPPRESS)
    parser.usage = "octogram-tui shell RUN [ROW] [-- COMMAND ...]"
    end = argv.index("--") if "--" in argv else len(argv)
    args = parse(parser, argv[:end])
    command = list(argv[end + 1 :])
    if not args.for_console:
        try:
            return _open(args.run, args.row, command)
        except ShellFailed as error:
            complain(error)
            return error.status
    try:
        _open(args.run, args.row, command, comes_back=True)
    except OctogramError as error:
        complain(error)
        with suppress(EOFError):
            input("octogram-tui: enter goes back to the console ")
    return 0  # how a shell ended is no matter for who comes back to a console


def _open(name: str, row: str, command: list[str], *, comes_back: bool = False) -> int:
    run = archive.find(load().runs_dir, name)
    if run.state != "running":
        raise AttachRefused(f"run {run.id} is {run.state}: its agents are gone")
    place = ShellPlace.read(_where(run, _meant(run, row)))
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    for note in place.notes:
        print(f"octogram-tui: {safe(note)}", file=sys.stderr)
    if is_terminal and not command:
        print(
            f"octogram-tui: {safe(place.spec.name)}, {safe(place.directory)}; `exit` comes back, what it leaves"
            " running stays",
            file=sys.stderr,
        )
    if place.spec.transport == "local":
        return here(place, command, comes_back=comes_back)
    return asyncio.run(elsewhere(place, command, _terminal() if is_terminal else None))


def _meant(run: archive.KnownRun, row: str) -> InstanceId:
    """Find the row in what the run has stated so far. Raises UsageError."""
    model = Model(is_replay=True)
    for event in reader.read(run.journal):
        model.apply([event])
    return find_instance(row, model)


def _where(run: archive.KnownRun, id_: InstanceId) -> dict[str, Any]:
    try:
        return asyncio.run(ask(run.info.socket, Whereabouts(id_)))
    except RequestDenied as denied:
        raise RequestDenied(f"no shell for {safe(id_)}: {safe(denied.message)}") from None


def _terminal() -> TerminalKind:
    size = os.get_terminal_size(0)
    return TerminalKind(os.environ.get("TERM") or "dumb", (size.columns, size.lines))
