"""Options that several commands share, and a parser whose mistakes are ours to word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

from octogram_tui.errors import UsageError
from octogram_tui.scenario.scalars import read_duration_s
from octogram_tui.settings import Settings


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
        self.taken: dict[str, str] = {}  # what options took for their values

    def format_help(self) -> str:
        """Give the help, with examples at its end."""
        from octogram_tui.commands.examples import lines_of

        examples = lines_of(self._command)
        return super().format_help() + ("\n".join(["\nexamples:", *examples, ""]) if examples else "")

    @property
    def command(self) -> str:
        """Give the command that it is for; '' for the main one."""
        return self._command

    @property
    def is_for_scenario(self) -> bool:
        """Whether it is the main command's: its one word is a scenario."""
        return not self._command

    def hint(self, meant: str = "") -> str:
        """Say what was meant, or where to find what there is."""
        command = f"help {self._command}" if self._command else "--help"
        return meant or f"`octogram-tui {command}` lists what there is"

    def error(self, message: str) -> NoReturn:
        """Refuse a command line, in our words."""
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            for option, value in self.taken.items():
                if value.endswith((".yml", ".yaml", ".json")):
                    raise UsageError(f"{missing} is missing", hint=f"{option} took {value!r} for its value")
            raise UsageError(f"{missing} is missing", hint=self.hint())
        too_many = message.removeprefix("unrecognized arguments: ")
        if too_many != message:
            raise UsageError(f"too many words: {too_many}", hint=self.hint())
        message = message.removeprefix("argument ")
        names, _, what = message.partition(": ")
        if what == "expected one argument":
            for option in names.split("/"):
                value = self.taken.get(option, "")
                if value.startswith("-") and value not in self._option_string_actions:
                    raise UsageError(message, hint=f"a value that begins with `-` is written {option}=VALUE")
        raise UsageError(message, hint=self.hint())


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
        type=some_word,
        metavar="FILE",
        action="append",
        default=[],
        help="a file of variables, merged over the scenario's",
    )
    group.add_argument(
        "--secret",
        metavar="NAME=SOURCE",
        action="append",
        default=[],
        help="where the value of a secret variable comes from: env:VARIABLE, file:PATH, command:LINE or "
        "keyring:SERVICE/USER; may be repeated, and wins over the scenario's `secrets`",
    )
    group.add_argument(
        "--agents",
        type=some_word,
        metavar="FILE",
        action="append",
        default=[],
        help="a list of further agents: our own, an inventory of Ansible (a file or a directory), the file of "
        "`terraform output -json`, a program that prints one of these; terraform:DIRECTORY, tofu:DIRECTORY",
    )
    group.add_argument(
        "--trust-inventory",
        action="store_true",
        help="run what tells the scenario's `agents: {from: ...}` also where nothing is to be run, as by `check`",
    )
    group.add_argument(
        "--trust-procedures",
        action="store_true",
        help="run files of `procedures` on this machine too, where reading them does not show what they declare",
    )
    group.add_argument("--local", action="store_true", help="every agent on this machine, whatever its address")
    group.add_argument(
        "--limit",
        type=some_word,
        metavar="REGEX|LABEL=VALUE",
        help="only agents in whose name this is found; or those with a label, as `group=web,db` or `group=!db`",
    )


def add_choice_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides which parts of the scenario run."""
    group = parser.add_argument_group("which parts run (stages marked `always` run in any case, but for --no-always)")
    group.add_argument("--from", metavar="STAGE", dest="from_stage", help="leave out the stages before this one")
    group.add_argument("--until", metavar="STAGE", dest="until_stage", help="leave out the stages after this one")
    group.add_argument("--stage", metavar="NAME", action="append", default=[], help="only this stage; may be repeated")
    group.add_argument("--tags", type=some_word, metavar="TAG,...", help="only jobs with one of these tags")
    group.add_argument(
        "--no-always", action="store_true", help="leave out stages marked `always` too, unless --stage names them"
    )


def add_rerun_option(group: Any) -> None:
    """Add what runs the rest of an earlier run."""
    group.add_argument(
        "--rerun-failed",
        metavar="RUN",
        type=some_word,
        help="only what failed in RUN or never came to run there (its id, the beginning of it, `last`, or its "
        "directory); without a SCENARIO, the one of RUN, with the parts and variables that it was given",
    )


def add_ssh_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides how machines are reached."""
    group = parser.add_argument_group("SSH")
    group.add_argument("--ssh-config", type=some_word, metavar="FILE", help="in place of ~/.ssh/config")
    group.add_argument(
        "--accept-new",
        action="store_true",
        help="trust host keys never seen before; one that changed is refused in any case",
    )


def add_look_options(group: Any) -> None:
    """Add what decides how a console looks, and what its keys do."""
    group.add_argument(
        "--accessible",
        action="store_true",
        help="no screen: verbs typed at a prompt, all told in lines; for screen readers, serial lines, and scripts",
    )
    group.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    group.add_argument("--theme", type=some_word, metavar="NAME", help="the console's colours")
    group.add_argument(
        "--keys", type=some_word, metavar="NAME", help="the console's keys: default, vscode, gdb or nohjkl"
    )


def refuse_beside(args: Any) -> None:
    """Refuse what contradicts it. Raises UsageError."""
    if args.accessible and args.headless:
        raise UsageError("--accessible takes verbs, --headless none: give one of them")


def with_looks(settings: Settings, args: Any) -> Settings:
    """Put what the command line says of looks and keys over the settings."""
    return replace(
        settings,
        ascii=args.ascii or settings.ascii,
        theme=args.theme or settings.theme,
        keys=args.keys or settings.keys,
    )


def check_looks(settings: Settings) -> None:
    """Refuse a theme or keys that there are not, before anything is begun. Raises SettingsError."""
    # What is not asked for needs no look: the console's modules take a moment to be imported.
    if settings.theme:
        from octogram_tui.tui.theme import palette

        palette(settings.theme, settings.config_dir)
    if settings.keys or (settings.config_dir / "keys.toml").exists():
        from octogram_tui.tui.key_file import load_keys

        load_keys(settings.config_dir, settings.keys)


def positive_seconds(text: str) -> float:
    """Read a duration as scenarios write them: `90`, `90s`, `5m`, `1h30m`."""
    seconds = read_duration_s(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90, 90s, 5m or 1h")
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is too short a duration: give more than 0, or leave the option out")
    return seconds


def some_word(text: str) -> str:
    """Read a word; an empty one is a variable that a script has not set, and must not mean everything."""
    if not text:
        raise argparse.ArgumentTypeError("nothing is given; leave the option out where none is meant")
    return text


def how_often(text: str) -> int:
    """Read how often something is tried again."""
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of retries such as 0, 1 or 3")
    return int(text)


def port_number(text: str) -> int:
    """Read a TCP port."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


def any_port(text: str) -> int:
    """Read a TCP port, or 0 for any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535; 0 is any free one)")
    return int(text)


def parse(parser: CommandParser, argv: Sequence[str]) -> Any:
    """Read the arguments. Raises UsageError; `--help` prints and raises SystemExit, as argparse does."""
    from octogram_tui.commands.words import option_meant, refuse_as_scenario, refuse_missing_file, refuse_second_word

    actions = {option: action for action in parser._actions for option in action.option_strings}  # no other way
    places = {action.dest for action in parser._actions if not action.option_strings}
    words: list[str] = []
    taken: dict[str, str] = {}
    waiting = ""  # for its value
    for place, word in enumerate(argv):
        option = word.partition("=")[0] if word.startswith("--") else word[:2]
        if waiting:
            taken[waiting], waiting = word, ""
        elif word == "--":
            break
        elif word.startswith("-") and len(word) > 1:
            if option not in actions:
                meant = option_meant(option, list(actions))
                if meant is None and not parser.is_for_scenario and _is_of_run(option):
                    raise UsageError(f"there is no option {option} here", hint=f"{option} is an option of a run")
                raise UsageError(
                    f"there is no option {option}", hint=parser.hint(f"did you mean {meant}?" if meant else "")
                )
            if actions[option].nargs is None and word == option:
                waiting = option
        else:
            words.append(word)
            if parser.is_for_scenario and len(words) == 1:
                refuse_as_scenario(word, argv[place + 1 :])
            elif "scenarios" in places or ("scenario" in places and len(words) == 1):
                refuse_missing_file(word)
            elif parser.is_for_scenario:
                refuse_second_word(words[0], word)
    parser.taken = taken
    return parser.parse_args(list(argv))


def _is_of_run(option: str) -> bool:
    from octogram_tui.commands.run_parser import make_parser

    return any(option in action.option_strings for action in make_parser()._actions)
