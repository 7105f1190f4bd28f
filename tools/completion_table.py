"""Makes the table that command lines are completed by: each command's options and words, and what kind each takes."""

from __future__ import annotations

import argparse
import json
from typing import Any

from octogram_tui.commands import COMMANDS
from octogram_tui.commands.completion import SHELLS
from octogram_tui.commands.options import CommandParser
from octogram_tui.errors import UsageError
from tools.parsers import all_parsers

BY_DEST = {
    "from_stage": "stage",
    "until_stage": "stage",
    "stage": "stage",
    "limit": "agent",
    "tags": "tag",
    "var": "variable",
    "secret": "secret",
    "theme": "theme",
    "break_": "row",
    "row": "row",
    "words": "word",
}
BY_METAVAR = {
    "FILE": "file",
    "DIR": "dirs",
    "SCENARIO": "scenario",
    "RUN": "run",
    "RUN|SCENARIO": "run or scenario",
    "RUN | SCENARIO": "run or scenario",
    "PATTERN": "row",
}
KEYS = ("default", "vscode", "gdb", "nohjkl")


def page() -> str:
    """Give the table as JSON."""
    commands = {name: _command(parser) for name, parser in all_parsers().items()}
    commands["demo"] = {"options": [], "words": []}
    commands["help"] = {"options": [], "words": [_choice([*COMMANDS, "exit-codes"])]}
    commands["completion"]["words"] = [_choice(SHELLS)]
    return json.dumps({"help": COMMANDS, "commands": commands}, indent=1) + "\n"


def _choice(choices: Any) -> dict[str, Any]:
    return {"kind": "choice", "choices": list(choices)}


def _command(parser: CommandParser) -> dict[str, Any]:
    actions = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    return {
        "options": [_option(action) for action in actions if action.option_strings],
        "words": [_word(action) for action in actions if not action.option_strings],
    }


def _option(action: argparse.Action) -> dict[str, Any]:
    takes = action.nargs is None
    found = {"names": list(action.option_strings), "dest": action.dest, "takes": takes, "help": _help(action)}
    return found | (_kind(action) if takes else {})


def _word(action: argparse.Action) -> dict[str, Any]:
    return _kind(action) | ({"repeats": True} if action.nargs == "*" else {})


def _kind(action: argparse.Action) -> dict[str, Any]:
    if action.choices:
        return _choice(action.choices)
    if action.dest == "keys":
        return _choice(KEYS)
    if action.dest == "speed":
        return {"kind": ""}
    return {"kind": BY_DEST.get(action.dest) or BY_METAVAR.get(str(action.metavar), "")}


def _help(action: argparse.Action) -> str:
    """Give the beginning of what an option does: one short line."""
    text = " ".join((action.help or "").replace("%%", "%").split())
    for end in ("; ", ": ", " ("):
        text = text.partition(end)[0]
    if "\t" in text:
        raise UsageError(f"the help of {action.option_strings} has a tab")
    return text
