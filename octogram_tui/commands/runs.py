"""`octogram-tui runs`: what ran here, and what still does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.journal.runbook import RunBook, RunEntry
from octogram_tui.projection.text import safe
from octogram_tui.report.phrases import duration
from octogram_tui.settings import load


def main(argv: Sequence[str]) -> int:
    """List the runs, the newest last."""
    parser = CommandParser("runs", "List the runs that are known here, the newest last.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parse(parser, argv)
    page = RunBook(load().runs_dir).read()
    entries = page.entries[::-1]
    for line in page.damaged:
        print(f"octogram-tui: {safe(line)}", file=sys.stderr)
    if args.json:
        for entry in entries:
            print(json.dumps(_record(entry)))
        return 0
    if not entries:
        print(f"no runs yet in {load().runs_dir}")
        return 0
    width = max(len(entry.run.id) for entry in entries)
    for entry in entries:
        run = entry.run
        ending = "" if run.exit_code is None else f"exit {run.exit_code}"
        spent = duration(run.worked_s) if run.state != "running" else ""
        counts = " ".join(f"{count} {state}" for state, count in sorted(run.counts.items()))
        if run.exit_code is None and entry.failures:
            counts = f"{entry.failures} failed"
        scenario = safe(run.info.scenario)
        print(f"{safe(run.id):{width}}  {entry.state:8}  {ending:8}  {spent:>8}  {counts:24}  {scenario}".rstrip())
    return 0


def _record(entry: RunEntry) -> dict[str, Any]:
    run = entry.run
    return {
        "run": run.id,
        "state": run.state,
        "course": entry.state,
        "exit_code": run.exit_code,
        "failures": entry.failures,
        "duration_s": run.duration_s,
        "paused_s": run.paused_s,
        "counts": dict(run.counts),
        "scenario": run.info.scenario,
        "started_wall": run.info.started_wall,
        "directory": str(run.directory),
        "pid": run.info.pid,
    }
