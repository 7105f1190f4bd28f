"""Options that several commands share, and a parser whose mistakes are ours to word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from octogram_tui.errors import UsageError
from octogram_tui.scenario.scalars import read_duration_s


class CommandParser(argparse.ArgumentParser):
    """Raises UsageError in place of ending the program; takes no abbreviations, which scripts would come to rely on."""

    def __init__(self, command: str, description: str, *, epilog: str = "") -> None:
        super().__init__(
            prog=f"octogram-tui {command}".strip(),
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._command = command

    def error(self, message: str) -> NoReturn:
        """Refuse a command line."""
        command = f"help {self._command}" if self._command else "--help"
        raise UsageError(message, hint=f"`octogram-tui {command}` lists what there is")


def add_scenario_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides which scenario it is."""
    group = parser.add_argument_group("the scenario")
    group.add_argument(
        "-e",
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a variable to a scalar, [list] or {map} of YAML; may be repeated, and wins over --variables",
    )
    group.add_argument(
        "--variables",
        metavar="FILE",
        action="append",
        default=[],
        help="a file of variables, merged over the scenario's",
    )
    group.add_argument(
        "--agents", metavar="FILE", action="append", default=[], help="a file with a list of further agents"
    )
    group.add_argument(
        "--trust-procedures",
        action="store_true",
        help="run files of `procedures` on this machine too, where reading them does not show what they declare",
    )
    group.add_argument("--local", action="store_true", help="every agent on this machine, whatever its address")
    group.add_argument("--limit", metavar="REGEX", help="only agents in whose name this is found")


def add_choice_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides which parts of the scenario run."""
    group = parser.add_argument_group("which parts run (stages marked `always` run in any case, but for --no-always)")
    group.add_argument("--from", metavar="STAGE", dest="from_stage", help="leave out the stages before this one")
    group.add_argument("--until", metavar="STAGE", dest="until_stage", help="leave out the stages after this one")
    group.add_argument("--stage", metavar="NAME", action="append", default=[], help="only this stage; may be repeated")
    group.add_argument("--tags", metavar="TAG,...", default="", help="only jobs with one of these tags")
    group.add_argument(
        "--no-always", action="store_true", help="leave out stages marked `always` too, unless --stage names them"
    )


def add_ssh_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides how machines are reached."""
    group = parser.add_argument_group("SSH")
    group.add_argument("--ssh-config", metavar="FILE", help="in place of ~/.ssh/config")
    group.add_argument(
        "--accept-new",
        action="store_true",
        help="trust host keys never seen before; one that changed is refused in any case",
    )


def positive_seconds(text: str) -> float:
    """Read a duration as scenarios write them: `90`, `90s`, `5m`, `1h30m`."""
    seconds = read_duration_s(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90, 90s, 5m or 1h")
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is too short a duration: give more than 0, or leave the option out")
    return seconds


def port_number(text: str) -> int:
    """Read a TCP port."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


def parse(parser: CommandParser, argv: Sequence[str]) -> Any:
    """Read the arguments. Raises UsageError; `--help` prints and raises SystemExit, as argparse does."""
    known = [option for action in parser._actions for option in action.option_strings]  # argparse has no other way
    for word in argv:
        if word == "--":
            break
        option = word.partition("=")[0]
        if option.startswith("--") and option not in known:
            like = get_close_matches(option, known, 1)
            command = parser.prog.partition(" ")[2]
            everything = f"`octogram-tui {f'help {command}' if command else '--help'}` lists what there is"
            raise UsageError(f"there is no option {option}", hint=f"did you mean {like[0]}?" if like else everything)
    return parser.parse_args(list(argv))
