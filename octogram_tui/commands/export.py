"""`octogram-tui export`: a run as a file for others: a page, a document, a trace, a JUnit report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.projection.text import safe
from octogram_tui.settings import load

if TYPE_CHECKING:
    from octogram_tui.export.account import Account
    from octogram_tui.export.bounds import Bounds
    from octogram_tui.export.recorded import Recorded
    from octogram_tui.report.document import Document

BATCH = 1000
ENDINGS = {"html": ".html", "json": ".json", "junit": ".junit.xml", "chrome_trace": ".trace.json"}
MOST_ROWS = 1_000_000

EPILOG = """A RUN is the name of a run, the beginning of it, `last`, a directory, or a file of events. It may go on,
have crashed or be damaged: what there is of it is exported, and says so.
"""


def main(argv: Sequence[str]) -> int:
    """Write a run to a file; 0 when it was written, whatever became of the run."""
    parser = CommandParser("export", "Write a run as a file for others. Nothing is run.", epilog=EPILOG)
    parser.add_argument("run", metavar="RUN", help="a run: its name, the beginning of it, `last`, or a file of events")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--html", dest="kind", action="store_const", const="html", help="one page that opens offline")
    kinds.add_argument("--json", dest="kind", action="store_const", const="json", help="one document for programs")
    kinds.add_argument(
        "--junit", dest="kind", action="store_const", const="junit", help="the report that --junit of the run writes"
    )
    kinds.add_argument(
        "--chrome-trace",
        dest="kind",
        action="store_const",
        const="chrome_trace",
        help="trace events, for Perfetto, chrome://tracing and Speedscope",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="", help="where to; `-` is the standard output (RUN.html here, ...)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that is no report of ours")
    page = parser.add_argument_group("of a page")
    page.add_argument("--rows", type=_count(1, MOST_ROWS), metavar="N", help="told in full (2000); others are counted")
    page.add_argument("--log-lines", type=_count(2, 100_000), metavar="N", help="of each attempt that failed (200)")
    page.add_argument("--log-mib", type=_count(1, 1000), metavar="N", help="of all output together (8)")
    page.add_argument("--no-scenario", action="store_true", help="leave the scenario's text out")
    trace = parser.add_argument_group("of a trace")
    trace.add_argument("--by", choices=("agent", "stage"), help="what a process is (agent)")
    args = parse(parser, argv)
    args.kind = args.kind or "html"
    _refuse_beside(parser, args)

    from octogram_tui.export import written
    from octogram_tui.export.recorded import Recorded

    run = Recorded.find(args.run, load())
    target = None if args.output == "-" else Path(args.output or written.name_of(run.name, ENDINGS[args.kind]))
    if target is not None:
        written.check_target(target, force=args.force)
    size = _junit(run, target) if args.kind == "junit" else written.write(target, _pieces(run, args))
    if run.damage:
        print(safe(f"octogram-tui: {run.damage}"), file=sys.stderr)
        print("  what comes before the damage is exported, and says so", file=sys.stderr)
    if target is not None:
        print(safe(f"{target}: {_size(size)}"), file=sys.stderr)
    return 0


def _refuse_beside(parser: CommandParser, args: Any) -> None:
    """Refuse options that mean nothing for what is written. Raises UsageError."""
    for name in ("rows", "log_lines", "log_mib", "no_scenario"):
        if args.kind != "html" and getattr(args, name) not in (None, False):
            parser.error(f"--{name.replace('_', '-')} is of a page: leave it out, or give --html")
    if args.by is not None and args.kind != "chrome_trace":
        parser.error("--by is of a trace: give --chrome-trace")


def _count(least: int, most: int) -> Any:
    """Read a number within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return read


def _bounds(args: Any) -> Bounds:
    from octogram_tui.export.bounds import MIB, Bounds

    usual = Bounds()
    return Bounds(
        rows=args.rows or usual.rows,
        lines=args.log_lines or usual.lines,
        log_bytes=(args.log_mib or 0) * MIB or usual.log_bytes,
    )


def _pieces(run: Recorded, args: Any) -> Iterator[str]:
    """Fold the run, and write what was asked for."""
    from octogram_tui.export.account import Account

    bounds = _bounds(args)
    report = _report(run) if args.kind == "json" else None
    account = Account.of(run, bounds, keeps=args.kind != "chrome_trace", report=report)
    try:
        if args.kind == "html":
            from octogram_tui.export.page import pages

            yield from pages(account, run, bounds, with_source=not args.no_scenario)
        elif report is not None:
            from octogram_tui.export.document import document

            _tell_commands(account, run, report)
            yield from document(account, run, report)
        else:
            from octogram_tui.export.trace import trace

            yield from trace(account, run, args.by or "agent")
    finally:
        account.store.close()


def _report(run: Recorded) -> Document:
    """Make what tells of the run as it does itself at its end."""
    from octogram_tui.export.environment import hidden
    from octogram_tui.report.document import Document

    return Document({} if run.directory is None else {"run": hidden(run, str(run.directory))})


def _tell_commands(account: Account, run: Recorded, report: Document) -> None:
    """Tell the commands that repeat a run of which it is known how it was begun."""
    from octogram_tui.commands.again import held_line, line_of, rerun_line
    from octogram_tui.export import environment
    from octogram_tui.report.closing import Repeats

    terms = environment.terms_of(run)
    if terms is None or run.directory is None:
        return
    argv = environment.shown_argv(account, map(terms.hidden, terms.argv))
    holds = "--on-failure=pause" in argv or ("--on-failure", "pause") in pairwise(argv)
    directory = run.directory

    def rerun() -> str:
        return terms.hidden(rerun_line(argv, directory, load().runs_dir))

    report.repeat(Repeats(line_of(argv), rerun, None if holds else partial(held_line, argv)))


def _junit(run: Recorded, target: Path | None) -> int:
    """Have the report of a run written by what writes it when the run ends."""
    from octogram_tui.report.junit import JUnit

    report = JUnit.open(target or Path("-"))
    batch = []
    for event in run.events():
        batch.append(event)
        if len(batch) >= BATCH:
            report.apply(batch)
            batch = []
    report.apply(batch)
    report.close()
    return target.stat().st_size if target is not None and target.is_file() else 0


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1000:.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1_000_000:.1f} MB"
