"""`octogram-tui serve`: the console in a browser of this machine."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from octogram_tui.commands.options import CommandParser, any_port, parse
from octogram_tui.errors import UsageError
from octogram_tui.journal import archive
from octogram_tui.settings import Settings, load

EPILOG = """With a scenario, all options of a run may follow: `octogram-tui --help` lists them.

Only this machine can reach it. From another one: ssh -L 8080:127.0.0.1:8080 MACHINE, with --port 8080.
"""
EXTENSIONS = (".yml", ".yaml", ".json")


class MissingExtra(UsageError):
    """What serves a browser is not installed."""


def main(argv: Sequence[str]) -> int:
    """Serve a run, or begin one and serve that; gives 0 when it was ended by a signal, as it always is."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_own_options(own)
    try:
        args, rest = own.parse_known_args(list(argv))
    except SystemExit:
        parse(_parser(), argv)  # says it in our words
        raise
    scenario = next((word for word in rest if word.endswith(EXTENSIONS) and not word.startswith("-")), None)
    if scenario is None:
        args = parse(_parser(), argv)
    for need in ("aiohttp", "textual_serve"):
        if find_spec(need) is None:
            raise MissingExtra(
                "serving a browser needs the extra `web`, which is not installed",
                hint="install it: pip install 'octogram-tui[web]'",
            )
    if scenario is not None:
        return _begin(args, rest)
    settings = load()
    run = archive.find(settings.runs_dir, args.run)
    return _serve(run, args, theme=args.theme, ascii_only=args.ascii)


def _add_own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=any_port, default=0, metavar="PORT", help="of 127.0.0.1; any free one unless given"
    )
    parser.add_argument("--read-only", action="store_true", help="pages only watch")


def _parser() -> CommandParser:
    parser = CommandParser("serve", "Open the console in a browser of this machine.", epilog=EPILOG)
    parser.add_argument(
        "run",
        metavar="RUN | SCENARIO",
        nargs="?",
        default="last",
        help="a run's name, the beginning of it, or `last`; or a scenario, which is run",
    )
    _add_own_options(parser)
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--theme", help="the console's colours")
    return parser


def _begin(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Begin a run as its console would, and serve it in the console's place."""
    from octogram_tui.commands.console import goes_on, open_console
    from octogram_tui.commands.run import make_run, read_request

    def show(run: archive.KnownRun, _: Settings, *, theme: str | None, ascii_only: bool, earlier: Sequence[int]) -> int:
        if not earlier:
            _serve(run, args, theme=theme, ascii_only=ascii_only)
        if archive.load(run.directory).state == "running":
            print(goes_on(run.id))
        return 0

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        rest = [*rest, "--no-preflight"]  # which is shown where this was started
    return open_console(read_request(rest, opens_console=True), make_run, show)


def _serve(run: archive.KnownRun, args: argparse.Namespace, *, theme: str | None, ascii_only: bool) -> int:
    from octogram_tui.web.server import BrowserServer

    argv = [sys.executable, "-m", "octogram_tui", "page", os.fspath(run.directory.absolute())]
    argv += ["--read-only"] if args.read_only else []
    argv += ["--ascii"] if ascii_only else []
    argv += ["--theme", theme] if theme else []

    def told(url: str) -> None:
        print(f"run {run.id} in a browser of this machine: {url}")
        print("who has this address has the console; Ctrl-C closes it, and leaves the run as it is", flush=True)

    async def serve() -> None:
        await BrowserServer(argv, f"octogram-tui {run.id}").run(args.port, told)

    asyncio.run(serve())
    return 0
