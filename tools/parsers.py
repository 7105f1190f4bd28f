"""The parser of every command, as it parses: what pages and tables about the command line are made from."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from unittest.mock import patch

from octogram_tui.commands import COMMANDS
from octogram_tui.commands.options import CommandParser

WITHOUT_PARSER = ("help", "demo")
"""Commands that read their words themselves: `demo` takes what a run takes."""


class _Met(Exception):
    """A parser was about to print its help."""

    def __init__(self, parser: CommandParser) -> None:
        super().__init__()
        self.parser = parser


@cache
def all_parsers() -> dict[str, CommandParser]:
    """Give them by the commands' names; the main command's is ''."""
    found = {"": parser_of("run")}
    for name in COMMANDS:
        if name not in WITHOUT_PARSER:
            found[name] = parser_of(name)
    return found


def parser_of(command: str) -> CommandParser:
    """Give that of one command, which is `run` for the main one."""

    def meet(parser: CommandParser, file: object = None) -> None:
        raise _Met(parser)

    with patch.object(CommandParser, "print_help", meet):
        try:
            import_module(f"octogram_tui.commands.{command}").main(["--help"])
        except _Met as met:
            return met.parser
    raise LookupError(f"{command} has no parser")
