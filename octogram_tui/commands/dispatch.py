"""Which command the words of a command line name, and running it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from octogram_tui.commands import COMMANDS

HIDDEN = ("host", "page", "complete")


def dispatch(words: Sequence[str]) -> int:
    """Run what the words name, which are at least one; gives the exit code. Raises OctogramError."""
    name = words[0]
    if name in COMMANDS or name in HIDDEN:
        code: int = import_module(f"octogram_tui.commands.{name}").main(list(words[1:]))
    elif name in ("-h", "--help"):
        code = import_module("octogram_tui.commands.help").main([])
    else:
        code = import_module("octogram_tui.commands.run").main(list(words))
    return code
