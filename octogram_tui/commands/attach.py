"""`octogram-tui attach`: a console onto a run that goes on."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from octogram_tui.commands.choosing import choose_run
from octogram_tui.commands.options import CommandParser, add_look_options, parse, refuse_beside, with_looks
from octogram_tui.errors import AttachRefused
from octogram_tui.journal import archive
from octogram_tui.settings import load

if TYPE_CHECKING:
    from octogram_tui.report.plainlog import Style

ANSWER_S = 5.0
LOOK_S = 0.1


def main(argv: Sequence[str]) -> int:
    """Join a run: in a console on a terminal, in plain lines to its end without one."""
    parser = CommandParser("attach", "Open a console onto a run that goes on.")
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="its name, the beginning of it, or `last`; without it one is chosen, or without a terminal the last",
    )
    parser.add_argument("--read-only", action="store_true", help="watch only")
    parser.add_argument("--headless", action="store_true", help="plain lines, also on a terminal")
    add_look_options(parser)
    args = parse(parser, argv)
    refuse_beside(args)
    settings = with_looks(load(), args)
    name = args.run or choose_run(settings, "attach", headless=args.headless or args.accessible)
    if name is None:
        return 0
    run = archive.find(settings.runs_dir, name)
    if run.state != "running":
        hint = f"look at it with: octogram-tui replay {run.id}"
        if run.state == "crashed":
            hint = f"go on with it: octogram-tui resume {run.id}; {hint}"
        raise AttachRefused(f"run {run.id} is {run.state}", hint=hint)
    if not _answers(run):
        raise AttachRefused(f"run {run.id} goes on, but does not answer", hint=f"its process: {run.info.pid}")
    if args.accessible:
        from octogram_tui.commands.accessible import attach as sit

        return sit(run, settings, ascii_only=args.ascii, read_only=args.read_only)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if settings.opens_console(is_terminal=is_terminal) and not args.headless:
        from octogram_tui.commands.console import attach

        return attach(run, settings, theme=args.theme, ascii_only=args.ascii, read_only=args.read_only)
    from octogram_tui.report.plainlog import Style

    style = Style(
        color=settings.use_color(is_terminal=sys.stdout.isatty()),
        ascii_only=args.ascii or settings.ascii,
    )
    return asyncio.run(_follow(run.info.socket, style))


def _answers(run: archive.KnownRun) -> bool:
    """Tell whether the run's host answers; one that has just begun, or a busy machine's, is waited for."""
    deadline_s = time.monotonic() + ANSWER_S
    while not run.is_attachable():
        if time.monotonic() >= deadline_s or archive.load(run.directory).state != "running":
            return False
        time.sleep(LOOK_S)
    return True


async def _follow(socket: str, style: Style) -> int:
    """Print the run's progress to its end; gives its exit code."""
    from octogram_tui.engine.events import RunFinished
    from octogram_tui.report.progress import Progress
    from octogram_tui.runtime.client import Client

    client = await Client.connect(socket, only_watch=True)
    progress = Progress(sys.stdout, style)
    code = 0
    async for batch in client.events():
        progress.apply(batch)
        for event in batch:
            if isinstance(event, RunFinished):
                code = event.exit_code
    progress.close()
    await client.close()
    return code
