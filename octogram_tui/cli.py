"""Arguments -> which command -> exit code. Imports each command only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from octogram_tui import __version__
from octogram_tui.commands import COMMANDS

HIDDEN = ("host",)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--version"]:
        if arguments[1:] == ["--json"]:
            import json

            print(json.dumps({"version": __version__, "python": sys.version.split()[0]}))
        else:
            print(f"octogram-tui {__version__}")
        return 0
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone: there is nobody left to tell, and the interpreter must not try.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _dispatch(arguments: list[str]) -> int:
    from importlib import import_module

    from octogram_tui.errors import OctogramError

    name = arguments[0] if arguments else "help"
    try:
        if name in COMMANDS or name in HIDDEN:
            code: int = import_module(f"octogram_tui.commands.{name}").main(arguments[1:])
        elif name in ("-h", "--help"):
            code = import_module("octogram_tui.commands.help").main([])
        else:
            code = import_module("octogram_tui.commands.run").main(arguments)
        return code
    except OctogramError as error:
        from octogram_tui.commands.complaint import complain

        return complain(error)
