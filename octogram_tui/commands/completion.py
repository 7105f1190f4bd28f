"""`octogram-tui completion`: print what a shell sources to complete our command lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.resources import completion_dir

SHELLS = ("bash", "zsh", "fish")
EPILOG = """Options, commands, files, runs, and the stages, jobs, agents, tags and variables of the scenario that the
line names are completed. What is printed asks the program each time, so that it stays true when that is upgraded."""


def make_parser() -> CommandParser:
    """Describe the command line."""
    parser = CommandParser(
        "completion", "Print what lets a shell complete command lines of octogram-tui.", epilog=EPILOG
    )
    parser.add_argument("shell", metavar="bash|zsh|fish", choices=SHELLS, help="the shell that is to source it")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print the script."""
    shell = parse(make_parser(), argv).shell
    sys.stdout.write((completion_dir() / f"octogram-tui.{shell}").read_text())
    return 0
