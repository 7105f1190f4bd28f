"""`octogram-tui replay`: a run again, from its journal or from a file of events. Nothing is run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from octogram_tui.commands.choosing import choose_run
from octogram_tui.commands.options import CommandParser, add_look_options, parse, refuse_beside, with_looks
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.errors import JournalError
from octogram_tui.journal import archive, reader, texts
from octogram_tui.settings import Settings, load

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
        default=0.0,
        help="N times as fast as it went; everything at once when left out",
    )
    parser.add_argument("--headless", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument("-v", "--verbose", action="store_true", help="the jobs' output too")
    parser.add_argument("--timestamps", action="store_true", help="begin each plain line with the time, in UTC")
    add_look_options(parser)
    args = parse(parser, argv)
    refuse_beside(args)
    settings = with_looks(load(), args)
    name = args.run or choose_run(settings, "replay", headless=args.headless or args.accessible)
    if name is None:
        return 0
    if name.endswith(".jsonl") and Path(name).is_file():
        journal, scenario = Path(name), name
    else:
        run = archive.find(settings.runs_dir, name)
        journal, scenario = run.journal, run.info.scenario
    if args.accessible:
        from octogram_tui.commands.accessible import replay

        return replay(Recording(journal, args.speed), settings, ascii_only=args.ascii, level=int(args.verbose))
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if settings.opens_console(is_terminal=is_terminal) and not args.headless:
        return show(Recording(journal, args.speed), settings, scenario)
    from octogram_tui.report.plainlog import Style
    from octogram_tui.report.progress import Progress

    style = Style(
        level=int(args.verbose),
        color=settings.use_color(is_terminal=sys.stdout.isatty()),
        ascii_only=args.ascii or settings.ascii,
        timestamps=args.timestamps,
    )
    progress = Progress(sys.stdout, style, files={"journal": str(journal)})
    for event in reader.read(journal):
        progress.apply([event])
    progress.close()
    return 0


def show(
    recording: Recording,
    settings: Settings,
    scenario: str,
    *,
    ascii_only: bool = False,
    theme: str | None = None,
    shows_runs: bool = True,
) -> int:
    """Open the console on a recording, and on what is chosen there; gives the exit code. Raises JournalError.

    shows_runs: from here one can go to other runs
    """
    from octogram_tui.tui.opening import run_console

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
        )
    )
    if outcome.next_run:
        from octogram_tui.commands.console import open_run

        return open_run(outcome.next_run, settings)
    if recording.failure is not None:
        raise recording.failure
    return 0


class Recording:
    """A journal as a source of events for the console: read only, at some speed. `failure`: what was wrong with it."""

    def __init__(self, path: Path, speed: float) -> None:
        self.path = path
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
                wait_s = (event.at_s - now_s) / self._speed if self._speed > 0 else 0.0
                if batch and (wait_s > 0.02 or len(batch) >= BATCH):
                    yield batch
                    batch = []
                    await asyncio.sleep(wait_s)
                    now_s = event.at_s
                batch.append(event)
        except JournalError as error:
            self.failure = error
        if batch:
            yield batch
        self.is_connected = False

    def send(self, stimulus: Stimulus) -> None:
        """A recording takes no requests."""
        self.refusals.append("this is a replay: nothing can be changed in it")

    async def close(self) -> None:
        """Nothing is held."""
