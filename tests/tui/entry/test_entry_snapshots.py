"""What the screens before a run look like, and the list of runs, as SVG: from data that stand still."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled
from console_app import until as until_console
from entry_app import NOW, entry_app, text_of, until
from pretended_host import Host, machine
from textual.app import App

from octogram_tui.engine import events as ev
from octogram_tui.errors import Problem
from octogram_tui.journal import archive
from octogram_tui.journal.runbook import RunBook
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.tui.entry.preflight import PreflightScreen
from octogram_tui.tui.entry.problems import ProblemsScreen
from octogram_tui.tui.entry.welcome import WelcomeScreen

SIZES = [(80, 24), (120, 40)]
GOOD = "# Three little agents.\nagents: [{name: 'a_{1..3}', transport: local}]\nstages:\n- {name: s, jobs: []}\n"
BAD = GOOD.replace("jobs: []", "jobs: [{name: j, builtins.comand: x}]")
PAUSED = ev.RunPaused(seq=1, at_s=2.0, reason="failure")
ENDED = ev.RunFinished(seq=1, at_s=3.0, exit_code=1, duration_s=75.0, counts={"ok": 40, "failed": 2})
WELL = ev.RunFinished(seq=1, at_s=3.0, exit_code=0, duration_s=3725.0, counts={"ok": 118})
RUNS: tuple[tuple[str, str, ev.Event], ...] = (
    ("20261120-080000-soak-aa", "2026-11-20T08:00:00Z", WELL),
    ("20261123-113000-dal-bb", "2026-11-23T11:30:00Z", ENDED),
    ("20261123-115500-dal-cc", "2026-11-23T11:55:00Z", PAUSED),
)

pytestmark = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
Looks = Callable[..., bool]


@pytest.fixture
def looks(snap_compare: Any, size: tuple[int, int]) -> Looks:
    """Compare an app with its picture, once something holds of it."""

    def compare(app: App[Any], wait: Callable[[Any], Any]) -> bool:
        return bool(snap_compare(app, terminal_size=size, run_before=wait))

    return compare


@pytest.fixture
def runs_dir() -> Iterator[Path]:
    """One run waits for its operator, one has failed and one went well."""
    with ExitStack() as stack:
        place = Path.home() / "runs"
        for name, started, event in RUNS:
            directory = place / name
            directory.mkdir(parents=True)
            archive.write_info(directory, archive.RunInfo(name, f"~/work/{name[16:-3]}.yml", 1, started))
            writer = JournalWriter(directory / archive.JOURNAL, run=name, version="0")
            stack.callback(writer.close)
            writer.append([event])
            if event is not PAUSED:
                writer.close()
            told_s = datetime.fromisoformat(started).timestamp() + event.at_s
            os.utime(writer.path, (told_s, told_s))
        yield place


def test_welcome(looks: Looks, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octogram_tui.tui.entry.welcome.__version__", "0.0")
    here = Path.home() / "work"
    here.mkdir()
    (here / "good.yml").write_text(GOOD)
    (here / "bad.yml").write_text(BAD)
    app = entry_app(lambda app: WelcomeScreen(app, runs_dir=runs_dir, directory=here))

    async def wait(pilot: Any) -> None:
        wanted = ("3 agents", "line 4", "1 waiting for you")
        await until(pilot, lambda: all(said in text_of(app) for said in wanted))

    assert looks(app, wait)


def test_preflight(looks: Looks) -> None:
    """Many that refuse alike are a row; so are those whose keys are new, and those that are well."""
    host = Host()
    app = entry_app(lambda app: PreflightScreen(app, host=host, scenario="dal.yml", expected=24))
    host.say(*(machine(number, fails="connection refused") for number in range(12)))
    host.say(machine(12, key="ed25519 SHA256:AAA"), machine(13, key="ed25519 SHA256:BBB"))
    host.say(*(machine(number) for number in range(14, 24)), {"seen": []})

    async def wait(pilot: Any) -> None:
        await until(pilot, lambda: "14 of 24 machines cannot be used" in text_of(app))

    try:
        assert looks(app, wait)
    finally:
        host.close()


def test_problems(looks: Looks) -> None:
    found = [
        Problem("dal.yml", 3, 6, "unknown key `jbos`; did you mean `jobs`?", "write `jobs`", "  - {jbos: []}"),
        Problem("dal.yml", 12, 0, "there is no procedure `x`", "", ""),
        Problem("other.yml", 0, 0, "there is no such file"),
        Problem("dal.yml", 14, 1, "`until` is asked once only", "", "", is_warning=True),
    ]
    app = entry_app(lambda app: ProblemsScreen(app, scenario="dal.yml", problems=found))

    async def wait(pilot: Any) -> None:
        await until(pilot, lambda: "did you mean" in text_of(app))

    assert looks(app, wait)


def test_runs(looks: Looks, runs_dir: Path) -> None:
    events = fleet_events(3.0)
    assert isinstance(events[0], ev.RunStarted)
    events[0].started_wall = (NOW - timedelta(seconds=3.3)).isoformat()
    app = console(StillSource(events), runs=RunBook(runs_dir), clock=NOW.timestamp)

    async def wait(pilot: Any) -> None:
        await settled(pilot)
        await pilot.press("6")
        await until_console(pilot, lambda: "1 waiting for you" in screen_text(app))

    assert looks(app, wait)
