"""`octogram-tui help`: the commands, one of them, or the exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from octogram_tui.commands import COMMANDS
from octogram_tui.commands.words import command_meant
from octogram_tui.errors import EXIT_TEXTS, ExitCode, UsageError


def main(argv: Sequence[str]) -> int:
    """Explain; 0, or 2 for a topic that does not exist."""
    topic = argv[0] if argv else ""
    if topic in ("-h", "--help", "help"):
        topic = ""
    if topic == "exit-codes":
        for code in ExitCode:
            print(f"{int(code):4}  {EXIT_TEXTS[code]}")
        from octogram_tui.engine.verdict import PRECEDENCE

        print(f"when several apply: {', '.join(str(int(code)) for code in PRECEDENCE)}")
        return 0
    if topic in ("", "run"):
        from octogram_tui.commands.run_parser import make_parser

        make_parser().print_help()
        if not topic:
            print("\nother commands:")
            for name, text in COMMANDS.items():
                print(f"  {name:8}  {text}")
        return 0
    if topic not in COMMANDS:
        meant = command_meant(topic, (*COMMANDS, "exit-codes"))
        if meant:
            raise UsageError(f"there is no help on {topic!r}", hint=f"did you mean `octogram-tui help {meant}`?")
        raise UsageError(f"there is no help on {topic!r}", hint=f"topics: {', '.join(COMMANDS)}, exit-codes")
    try:
        import_module(f"octogram_tui.commands.{topic}").main(["--help"])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
