"""`octogram-tui replay`: a run again, from its journal or from a file of events. Nothing is run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from octogram_tui import streams
from octogram_tui.commands.choosing import choose_run
from octogram_tui.commands.options import CommandParser, add_look_options, parse, refuse_beside, with_looks
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.errors import JournalError, UsageError
from octogram_tui.journal import archive, reader, texts
from octogram_tui.journal.history import JournalHistory
from octogram_tui.settings import Settings, load

if TYPE_CHECKING:
    from octogram_tui.report.progress import Progress

BATCH = 1000


def main(argv: Sequence[str]) -> int:
    """Show a run again; 0 when its journal could be read."""
    parser = CommandParser("replay", "Look at a run again, from its journal. Nothing is run.")
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="its name, the beginning of it, `last`, or a file that --events wrote; without it one is chosen, "
        "or without a terminal the last",
    )
    parser.add_argument(
        "--speed",
        type=float,
        metavar="N",
        help="play it N times as fast as it went (0: as fast as can be); not played, its end is shown",
    )
    parser.add_argument(
        "--at",
        metavar="MOMENT",
        default="",
        help="the moment that is shown first: an event's number, a time since the start (90s, 12:30) or of the day "
        "(@14:05), a stage's name, `start`; plain lines are told up to there",
    )
    parser.add_argument("--headless", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument("-v", "--verbose", action="store_true", help="the jobs' output too")
    parser.add_argument("--timestamps", action="store_true", help="begin each plain line with the time, in UTC")
    add_look_options(parser)
    args = parse(parser, argv)
    refuse_beside(args)
    settings = with_looks(load(), args)
    if args.speed is not None and not args.speed >= 0:
        raise UsageError(f"--speed {args.speed:g}: give how many times as fast as it went, or 0")
    name = args.run or choose_run(settings, "replay", headless=args.headless or args.accessible)
    if name is None:
        return 0
    journal, scenario = recorded(name, settings)
    if args.accessible:
        from octogram_tui.commands.accessible import replay

        last = _last_of(journal, args.at)
        level = int(args.verbose)
        if args.speed:
            return replay(Recording(journal, args.speed, last), settings, ascii_only=args.ascii, level=level)
        return replay(Recording(journal), settings, ascii_only=args.ascii, level=level, at=args.at)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if settings.opens_console(is_terminal=is_terminal) and not args.headless:
        return show(Recording(journal), settings, scenario, at=args.at, speed=args.speed)
    from octogram_tui.report.plainlog import Style
    from octogram_tui.report.progress import Progress

    style = Style(
        level=int(args.verbose),
        color=settings.use_color(is_terminal=sys.stdout.isatty()),
        ascii_only=args.ascii or settings.ascii,
        timestamps=args.timestamps,
    )
    progress = Progress(sys.stdout, style, files={"journal": str(journal)})
    asyncio.run(_tell(Recording(journal, args.speed or 0.0, _last_of(journal, args.at)), progress))
    return 0


def recorded(name: str, settings: Settings) -> tuple[Path, str]:
    """Find the journal that is meant, a run's or a file, and the scenario's file. Raises OctogramError."""
    if name.endswith(".jsonl") and Path(name).is_file():
        return Path(name), name
    run = archive.find(settings.runs_dir, name)
    return run.journal, run.info.scenario


async def _tell(recording: Recording, progress: Progress) -> None:
    """Tell of a recording in plain lines. Raises JournalError."""
    async for batch in recording.events():
        progress.apply(batch)
        streams.keep_pace()  # nothing else is to be done: no reader is too slow
    if recording.failure is not None:
        raise recording.failure
    if recording.is_cut:
        print("\nthat is how it stood then; what came after it is left out")
    else:
        progress.close()


def _last_of(journal: Path, at: str) -> int | None:
    """Give the event up to which it is told, without a screen that could begin there. Raises OctogramError."""
    if not at:
        return None
    from octogram_tui.tui.model import Model
    from octogram_tui.tui.moment_text import moment_of

    model = Model(is_replay=True, history=JournalHistory(journal))
    for event in reader.read(journal):
        model.apply([event])
    return moment_of(at, model)


def show(
    recording: Recording,
    settings: Settings,
    scenario: str,
    *,
    ascii_only: bool = False,
    theme: str | None = None,
    shows_runs: bool = True,
    at: str = "",
    speed: float | None = None,
) -> int:
    """Open the console on a recording, and on what is chosen there; gives the exit code. Raises JournalError.

    shows_runs: from here one can go to other runs; at: the moment that is shown first; speed: it plays from there
    """
    from octogram_tui.tui.opening import run_console
    from octogram_tui.tui.player import Opening

    outcome = asyncio.run(
        run_console(
            recording,
            settings,
            scenario_path=scenario,
            ascii=ascii_only,
            theme=theme,
            read_only=True,
            replay=True,
            read_text=partial(texts.find, recording.path.parent),
            shows_runs=shows_runs,
            history=JournalHistory(recording.path),
            opening=Opening(at, speed) if at or speed is not None else None,
        )
    )
    if outcome.next_run:
        from octogram_tui.commands.console import open_run

        return open_run(outcome.next_run, settings)
    if recording.failure is not None:
        raise recording.failure
    return 0


class Recording:
    """A journal as a source of events for a front end, read only. `failure`: what was wrong with it.

    speed: how many times as fast as it went; all of it at once with 0
    last: the event after which nothing is given
    """

    def __init__(self, path: Path, speed: float = 0.0, last: int | None = None) -> None:
        self.path = path
        self._last = last
        self.is_cut = False
        self._speed = speed
        self.has_control = False
        self.is_connected = True
        self.refusals: list[str] = []
        self.failure: JournalError | None = None

    async def events(self) -> AsyncIterator[list[Event]]:
        """Give the events, all at once or as far apart as they were."""
        batch: list[Event] = []
        now_s = 0.0
        try:
            for event in reader.read(self.path):
                if self._last is not None and event.seq > self._last:
                    self.is_cut = True
                    break
                wait_s = (event.at_s - now_s) / self._speed if self._speed > 0 else 0.0
                if batch and (wait_s > 0.02 or len(batch) >= BATCH):
                    yield batch
                    batch = []
                    await asyncio.sleep(wait_s)
                    now_s = event.at_s
                batch.append(event)
        except JournalError as error:
            self.failure = error
            self.refusals.append(f"{error.message}: what came after it cannot be shown")
        if batch:
            yield batch
        self.is_connected = False

    def send(self, stimulus: Stimulus) -> None:
        """A recording takes no requests."""
        self.refusals.append("this is a replay: nothing can be changed in it")

    async def close(self) -> None:
        """Nothing is held."""
