"""A console on a run that stands still, and a source that remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import ReloadModeRequest, Stimulus
from octogram_tui.journal.writer import JournalWriter
from octogram_tui.runtime.desk import Question
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from tools.pretended_run import PretendedRun

STARTED_S = 1767614400.0  # what the fleet says it was started at
DEADLINE_S = 60.0
LOOKS = 50
"""So often at most: what comes all the time is never all shown."""


class StillSource:
    """Gives the events it is told to, and keeps what is sent."""

    def __init__(self, events: list[Event], *, has_control: bool = True, ends: bool = False) -> None:
        self.has_control = has_control
        self.is_connected = True
        self.refusals: list[str] = []
        self.sent: list[Stimulus] = []
        self.logs: dict[LogQuery, dict[str, Any]] = {}  # what the agents have
        self.consoles = 1
        self.asked: list[Question] = []
        self.answers: dict[type[Question], dict[str, Any]] = {}  # of the run's host
        self._events = events
        self._ends = ends
        self._more: asyncio.Queue[list[Event]] = asyncio.Queue()

    async def events(self) -> AsyncIterator[list[Event]]:
        yield self._events
        while not self._ends:
            yield await self._more.get()

    def tell(self, *events: Event) -> None:
        self._more.put_nowait(list(events))

    def send(self, stimulus: Stimulus) -> None:
        if not isinstance(stimulus, ReloadModeRequest):  # every console chooses that for itself, when it may act
            self.sent.append(stimulus)

    def take_control(self) -> None:
        self.has_control = True

    def only_watch(self) -> None:
        self.has_control = False

    async def answer(self, question: Question) -> dict[str, Any]:
        if isinstance(question, LogQuery):
            return self.logs.get(question, {"problem": f"{question.process} has no log"})
        self.asked.append(question)
        return self.answers.get(type(question), {"problem": "nobody knows"})

    async def close(self) -> None:
        pass


def fleet_events(until_s: float, *, agents: int = 12, paused: bool = False, fails: bool = True) -> list[Event]:
    run = PretendedRun(agents, seed=2, fails=fails)
    run.begin(paused=paused)
    return run.advance(until_s)


def written(path: Path, events: list[Event]) -> Path:
    """Write a journal of events, which a console can look back in."""
    journal = JournalWriter(path, run="r", version="1")
    journal.append(events)
    journal.close()
    return path


def console(source: StillSource, **options: Any) -> ConsoleApp:
    """A console whose clock stands a little after the last event."""
    last_s = source._events[-1].at_s if source._events else 0.0
    options.setdefault("scenario_path", "dir/fleet.yml")
    options.setdefault("clock", lambda: STARTED_S + last_s + 0.3)
    app = ConsoleApp(source, **options)
    app.animation_level = "none"
    return app


def is_shown(app: object) -> bool:
    """Whether a console has drawn what came: it takes that in first, and what was typed just before is shown before."""
    if not isinstance(app, ConsoleApp) or app.feed is None:
        return True
    return not app.feed._waiting and (app._has_all or not app.feed._came.is_set())


async def until(pilot: Pilot[ConsoleOutcome], condition: Callable[[], object]) -> None:
    """Let the app work until something holds, and show what has come by then, where that ever ends."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await pilot.pause()
    looks = 0
    while not is_shown(pilot.app) and looks < LOOKS:
        await pilot.pause()
        looks += 1
    await pilot.pause()


async def settled(pilot: Pilot[ConsoleOutcome]) -> ConsoleApp:
    """Let the app take in all that its source has so far."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    source = app.source
    assert isinstance(source, StillSource)
    wanted = source._events[-1].seq if source._events else 0
    await until(pilot, lambda: app.model.board.seq >= wanted and is_shown(app))
    await pilot.pause()
    return app


def screen_text(app: ConsoleApp, *, on_top: bool = False) -> str:
    """What stands on the screen, line by line: that of the run, or the one that is on top of it."""
    compositor = app.screen_stack[-1 if on_top else 0]._compositor
    return "\n".join("".join(segment.text for segment in strip) for strip in compositor.render_strips())
