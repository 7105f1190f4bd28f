"""`octogram-tui compare`: two runs beside each other, from their journals. Nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import JournalError
from octogram_tui.journal import archive, reader
from octogram_tui.projection.compare_runs import compare_runs
from octogram_tui.projection.run_record import RunRecord
from octogram_tui.report.comparison import comparison_lines, comparison_record
from octogram_tui.scenario.report import json_text
from octogram_tui.settings import Settings, load

DIFFERENT = 1
"""What it exits with where the runs differ, as `diff` does."""


class _Read(NamedTuple):
    record: RunRecord
    state: str


def main(argv: Sequence[str]) -> int:
    """Compare two runs; 0 when they did and gave the same, 1 when not."""
    parser = CommandParser(
        "compare",
        "Say where two runs first differ in what their rows did or gave, and what took longer.",
        epilog="Rows are found by their names, in whatever order they ran. It exits with 0 where the runs did and\n"
        "gave the same, and with 1 where they differ, as `diff` does.",
    )
    parser.add_argument("left", metavar="RUN", help="a run: its name, the beginning of it, `last`, or a file of events")
    parser.add_argument("right", metavar="RUN", help="the other one")
    parser.add_argument("--json", action="store_true", help="one JSON object, with every row that differs")
    args = parse(parser, argv)
    settings = load()
    left, right = (_read(name, settings) for name in (args.left, args.right))
    found = compare_runs(left.record, right.record)
    states = (left.state, right.state)
    if args.json:
        print(json_text(comparison_record(found, states)))
    else:
        for line in comparison_lines(found, states):
            print(line)
    return 0 if found.is_same else DIFFERENT


def _read(name: str, settings: Settings) -> _Read:
    """Fold a journal. Raises JournalError, or AttachRefused where there is none of that name."""
    if name.endswith(".jsonl") and Path(name).is_file():
        journal, state = Path(name), ""
    else:
        run = archive.find(settings.runs_dir, name)
        journal, state = run.journal, run.state
    record = RunRecord()
    for event in reader.read(journal):
        record.apply(event)
    if not record.run:
        raise JournalError(f"{journal} has no run: its first event is missing")
    return _Read(record, "finished" if record.is_finished else state if state == "running" else "crashed")
