"""`octogram-tui journal`: whether the journals of runs are as they were written, and what is left of a damaged one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from octogram_tui.commands.complaint import complain
from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import ExitCode, JournalError, OctogramError
from octogram_tui.journal import archive
from octogram_tui.journal.recovery import Condition, examine
from octogram_tui.journal.salvage import salvage
from octogram_tui.projection.text import safe
from octogram_tui.settings import Settings, load

EPILOG = """A RUN is the name of a run, the beginning of it, `last`, or the file of a journal.

check: read all of it, and say whether each line is as it was written: exit code 0, or 9 for damage
salvage: make a journal of what comes before the damage; the damaged file stays beside it
"""


def main(argv: Sequence[str]) -> int:
    """Check journals, all where none is named, or salvage one."""
    parser = CommandParser("journal", "Say whether the journals of runs are as they were written.", epilog=EPILOG)
    parser.add_argument("what", metavar="check|salvage", choices=("check", "salvage"))
    parser.add_argument("runs", metavar="RUN", nargs="*", help="check: all when none is named")
    args = parse(parser, argv)
    settings = load()
    if args.what == "check":
        return _check([_journal(name, settings) for name in args.runs] or _all(settings))
    if len(args.runs) != 1:
        parser.error("name the one run whose journal is to be salvaged")
    return _salvage(args.runs[0], _journal(args.runs[0], settings))


def _journal(name: str, settings: Settings) -> Path:
    """Find a run's journal; the run need not be whole. Raises AttachRefused, or JournalError."""
    if Path(name).is_file():
        return Path(name)
    for directory in (Path(name), settings.runs_dir / name):
        if (directory / archive.JOURNAL).is_file():
            return directory / archive.JOURNAL
    return archive.find(settings.runs_dir, name).journal


def _all(settings: Settings) -> list[Path]:
    """Give the journals of all runs, whatever else there is of these."""
    found = sorted(settings.runs_dir.glob(f"*/{archive.JOURNAL}"))
    if not found:
        print(f"no runs yet in {settings.runs_dir}")
    return found


def _check(journals: Sequence[Path]) -> int:
    code = 0
    for path in journals:
        try:
            condition = examine(path)
        except JournalError as error:
            code = max(code, complain(error))
            continue
        print(safe(f"{path}: {_says(condition)}"))
        if condition.damage:
            code = max(code, int(ExitCode.RESUME_REFUSED))
    return code


def _says(condition: Condition) -> str:
    """Say what state a journal is in."""
    lines = f"{condition.lines} lines"
    if condition.damage:
        return f"damaged: line {condition.lines + 1}: {condition.damage}; the {condition.lines} before it are sound"
    if not condition.is_sealed:
        lines += ", of a former version: without checksums"
    if condition.torn_bytes:
        return f"{lines}, and {condition.torn_bytes} bytes of one that was being written"
    return f"{lines}, {'all sound' if condition.is_sealed else 'each one readable'}"


def _salvage(name: str, path: Path) -> int:
    try:
        salvaged = salvage(path)
    except OctogramError as error:
        return complain(error)
    if salvaged is None:
        print(safe(f"{path}: nothing of it is damaged"))
        return 0
    lines = salvaged.condition.lines
    print(safe(f"{path}: {lines} lines are salvaged, up to event {salvaged.condition.last_seq}"))
    print(safe(f"  the damaged file: {salvaged.aside}"))
    print(
        f"  `octogram-tui resume` would go on from there: what ran later is not known to it, and could run again:\n"
        f"  look at it first: octogram-tui replay {safe(name)}",
        file=sys.stderr,
    )
    return 0
