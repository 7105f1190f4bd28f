"""`octogram-tui runs`: what ran here, and what still does."""

from __future__ import annotations

import json
from collections.abc import Sequence

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.journal import archive
from octogram_tui.report.phrases import duration
from octogram_tui.settings import load


def main(argv: Sequence[str]) -> int:
    """List the runs, the newest last."""
    parser = CommandParser("runs", "List the runs that are known here, the newest last.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parse(parser, argv)
    settings = load()
    found = archive.listing(settings.runs_dir)
    if args.json:
        for run in found:
            print(
                json.dumps(
                    {
                        "run": run.id,
                        "state": run.state,
                        "exit_code": run.exit_code,
                        "duration_s": run.duration_s,
                        "counts": dict(run.counts),
                        "scenario": run.info.scenario,
                        "started_wall": run.info.started_wall,
                        "directory": str(run.directory),
                        "pid": run.info.pid,
                    }
                )
            )
        return 0
    if not found:
        print(f"no runs yet in {settings.runs_dir}")
        return 0
    width = max(len(run.id) for run in found)
    for run in found:
        ending = "" if run.exit_code is None else f"exit {run.exit_code}"
        spent = duration(run.duration_s) if run.state != "running" else ""
        counts = " ".join(f"{count} {state}" for state, count in sorted(run.counts.items()))
        print(f"{run.id:{width}}  {run.state:8}  {ending:8}  {spent:>8}  {counts:24}  {run.info.scenario}".rstrip())
    return 0
