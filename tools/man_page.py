"""Makes the pages of `man`: one of the program, and one of each command, from their parsers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from octogram_tui import __version__, settings
from octogram_tui.commands import COMMANDS
from octogram_tui.commands.examples import EXAMPLES
from octogram_tui.commands.options import CommandParser
from octogram_tui.errors import EXIT_TEXTS, ExitCode
from tools.parsers import WITHOUT_PARSER, all_parsers

FOLDER = "docs/man"
NAME = "octogram-tui"


def paths() -> list[str]:
    """Give where the pages are."""
    names = [NAME, *(f"{NAME}-{command}" for command in COMMANDS if command not in WITHOUT_PARSER)]
    return [f"{FOLDER}/{name}.1" for name in names]


def page(path: str) -> str:
    """Give one of them."""
    command = path.removeprefix(f"{FOLDER}/{NAME}").removesuffix(".1").removeprefix("-")
    return "\n".join(_page(command, all_parsers()[command])) + "\n"


def _page(command: str, parser: CommandParser) -> Iterator[str]:
    name = f"{NAME}-{command}" if command else NAME
    about = COMMANDS[command] if command else "run scenarios over many machines, and step through them"
    yield f'.TH "{_text(name.upper())}" "1" "" "{NAME} {__version__}" "User Commands"'
    yield ".nh"
    yield from (".SH NAME", f"{_text(name)} \\- {_text(about)}")
    yield from (".SH SYNOPSIS", ".ad l", _text(_usage(parser)), ".ad b")
    yield from (".SH DESCRIPTION", _text(" ".join((parser.description or "").split())))
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
        if actions:
            title = {"positional arguments": "arguments"}.get(group.title or "", group.title or "options")
            title, _, more = title.partition(" (")
            yield f'.SH "{_text(title.upper())}"'
            if more:
                yield _text(f"({more}")
        for action in actions:
            yield from _entry(_head(action), action.help or "")
    if parser.epilog:
        yield ".SH NOTES"
        yield from _paragraphs(parser.epilog)
    if not command:
        yield from _whole_program()
    yield from (".SH EXAMPLES", ".nf")
    for each in EXAMPLES[command]:
        yield _text(f"{NAME} {each.line}" + (f"    # {each.what}" if each.what else ""))
    yield ".fi"
    others = [] if not command else [NAME]
    others += [f"{NAME}-{each}" for each in COMMANDS if each not in (command, *WITHOUT_PARSER)] if not command else []
    yield from (".SH SEE ALSO", ",\n".join(f".BR {_text(each)} (1)" for each in others).replace("(1),", '"(1),"'))


def _whole_program() -> Iterator[str]:
    yield ".SH COMMANDS"
    for name, text in COMMANDS.items():
        yield from _entry(f"{NAME} {name}", text)
    yield ".SH ENVIRONMENT"
    for setting in settings.TABLE:
        yield from _entry(setting.variable, setting.doc)
    yield ".SH FILES"
    yield from _entry("$XDG_CONFIG_HOME/octogram-tui/config.toml", "your settings, by the same names in small letters")
    yield from _entry(settings.PROJECT_FILE, "those of a project, in its repository")
    yield from _entry("$XDG_STATE_HOME/octogram-tui/runs/", "the runs: journals, reports, and what they have fetched")
    yield '.SH "EXIT STATUS"'
    for code in ExitCode:
        yield from _entry(str(int(code)), EXIT_TEXTS[code])


def _usage(parser: CommandParser) -> str:
    return " ".join(parser.format_usage().removeprefix("usage: ").split())


def _head(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = ""
    if action.nargs is None:
        value = f" {action.metavar}" if action.metavar else f" {'|'.join(map(str, action.choices or ()))}"
    return ", ".join(action.option_strings) + value


def _entry(head: str, text: str) -> Iterator[str]:
    yield from (".TP", f"\\fB{_text(head)}\\fR", _text(" ".join(text.replace("%%", "%").split())) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    for number, part in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _text(" ".join(part.split()))


def _text(text: str) -> str:
    """Write what stands for itself."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith(".") else text
