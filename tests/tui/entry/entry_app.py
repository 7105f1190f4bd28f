"""A screen of what stands before a run, in memory; and runs in a directory to show on it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from octogram_tui.engine import events as ev
from octogram_tui.journal import archive
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.tui.entry.app import EntryApp

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEADLINE_S = 60.0


def entry_app(make_screen: Callable[[EntryApp[Any]], Screen[Any]], **options: Any) -> EntryApp[Any]:
    app: EntryApp[Any] = EntryApp(make_screen, clock=NOW.timestamp, **options)
    app.animation_level = "none"
    return app


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app work until something holds."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await pilot.pause()
    except TimeoutError:
        raise AssertionError(f"it did not come:\n{text_of(pilot.app)}") from None
    await pilot.pause()


def text_of(app: App[Any]) -> str:
    """What stands on the screen, line by line."""
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


def add_run(runs_dir: Path, *events: ev.Event, minutes_ago: float, scenario: str = "/x/dal.yml") -> JournalWriter:
    """Add a run with these events; it goes on until its writer is closed."""
    started = NOW - timedelta(minutes=minutes_ago)
    run, directory = archive.create(runs_dir, scenario, started)
    archive.write_info(directory, archive.RunInfo(run, scenario, 1, started.isoformat()))
    writer = JournalWriter(directory / archive.JOURNAL, run=run, version="0")
    for number, event in enumerate(events, 1):
        event.seq, event.at_s = number, float(number)
        writer.append([event])
    told_s = started.timestamp() + len(events)
    os.utime(writer.path, (told_s, told_s))
    return writer


def add_ended(runs_dir: Path, exit_code: int, *, minutes_ago: float, failed: int = 0) -> str:
    """Add a run that has ended; gives its name."""
    counts = {"ok": 3, **({"failed": failed} if failed else {})}
    end = ev.RunFinished(exit_code=exit_code, duration_s=12.5, counts=counts)
    writer = add_run(runs_dir, end, minutes_ago=minutes_ago)
    writer.close()
    return writer.path.parent.name
