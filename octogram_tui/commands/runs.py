"""`octogram-tui runs`: what ran here, and what still does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.journal import archive, left, presence
from octogram_tui.journal.runbook import RunBook, RunEntry
from octogram_tui.projection.text import safe
from octogram_tui.report.phrases import VERSION, duration, outcome_of
from octogram_tui.scenario.report import json_text
from octogram_tui.settings import load

MOST_AGENTS = 4


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
            print(json_text(_record(entry)))
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
        notes = _damage_of(entry) if entry.damage else []
        for line in notes + (_left_of(run, is_sound=not entry.damage) if run.state == "crashed" else []):
            print(f"{'':{width}}  {safe(line)}")
    return 0


def _damage_of(entry: RunEntry) -> list[str]:
    """Say what is wrong with a run's journal, and what helps."""
    return [
        f"its journal is damaged, {entry.damage}",
        f"octogram-tui journal salvage {entry.run.id} makes a journal of what comes before",
    ]


def _left_of(run: archive.KnownRun, *, is_sound: bool) -> list[str]:
    """Say what a run whose process has died may have left, where and until when, and what can be done about it."""
    until = left.until(run.directory, archive.JOURNAL, run.info.lease_s)
    is_sound = is_sound and left.tells(run.journal)
    resume = f"octogram-tui resume {run.id} goes on with it"
    if presence.cleaned_s(run.directory, archive.JOURNAL):
        return ["nothing is left of it on any machine: it was cleaned", *([resume] if is_sound else [])]
    ways = f"octogram-tui clean {run.id} ends it"
    if is_sound:
        ways = f"{resume}, {ways}"
    if until is None:
        return [ways]
    when = until.astimezone().strftime("%H:%M:%S")
    if until <= datetime.now(UTC):
        return [f"its agents had to end by themselves by {until.astimezone():%Y-%m-%d %H:%M:%S}", ways]
    if not is_sound:
        return [f"until {when} it may still run agents: which is not known", ways]
    agents = left.agents_named(run.journal)
    if not agents:
        return ["nothing was left of it", ways]
    shown = ", ".join(agent.says for agent in agents[:MOST_AGENTS])
    more = f" and {len(agents) - MOST_AGENTS} more" if len(agents) > MOST_AGENTS else ""
    return [f"until {when} it may still run: {shown}{more}", ways]


def _record(entry: RunEntry) -> dict[str, Any]:
    """Tell of a run in the words of the document that it prints at its end."""
    run = entry.run
    has_ended = run.exit_code is not None
    known = run.counts if has_ended else {"failed": entry.failures}
    return {
        "v": VERSION,
        "run": run.id,
        "scenario": run.info.scenario,
        "version": run.info.version,
        "host": run.info.host,
        "started_wall": run.info.started_wall,
        "state": "damaged" if entry.damage else run.state,
        "damage": entry.damage,
        "course": entry.state,
        "outcome": outcome_of(run.exit_code),
        "exit_code": run.exit_code,
        "duration_s": round(run.duration_s if has_ended else entry.lasted_s(datetime.now(UTC)), 6),
        "paused_s": round(run.paused_s, 6),
        "counts": {state: count for state, count in sorted(known.items()) if count},
        "directory": str(run.directory),
        "pid": run.info.pid,
        "left": _left_record(run) if run.state == "crashed" else None,
    }


def _left_record(run: archive.KnownRun) -> dict[str, Any]:
    if presence.cleaned_s(run.directory, archive.JOURNAL):
        return {"agents": [], "until": None}
    until = left.until(run.directory, archive.JOURNAL, run.info.lease_s)
    known = left.agents_left(run.journal)
    agents = [{"agent": agent.name, "host": agent.host, "home": agent.home} for agent in known or ()]
    return {
        "agents": None if known is None else agents,
        "until": None if until is None else until.isoformat(timespec="seconds"),
    }
