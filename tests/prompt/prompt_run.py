"""A run whose events are told one part after the other, and what is asked of it."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from octogram_tui.engine import events as ev
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.journal import reader
from octogram_tui.journal.history import JournalHistory
from octogram_tui.prompt.lines import Lines
from octogram_tui.prompt.outlet import Outlet
from octogram_tui.prompt.session import Session
from octogram_tui.prompt.telling import Teller
from octogram_tui.report.plainlog import Style
from octogram_tui.runtime.verbs import Asked
from octogram_tui.tui.model import Model
from octogram_tui.tui.outcome import ConsoleOutcome

JOURNAL = Path(__file__).parents[1] / "tui" / "recorded_failing.jsonl"
"""Three shops open; one cannot sell, and the run is stopped."""


def recorded(renamed: dict[str, str] | None = None) -> list[Event]:
    """Give all that was stated, to the end; with some names in another's place."""
    if not renamed:
        return list(reader.read(JOURNAL))
    text = JOURNAL.read_text()
    for name, other in renamed.items():
        text = text.replace(name, other)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(text)
        file.flush()
        return list(reader.read(Path(file.name)))


def failing(renamed: dict[str, str] | None = None) -> list[Event]:
    """Give the events up to the end of the stage that fails, and hold the run there."""
    events: list[Event] = []
    for event in recorded(renamed):
        if isinstance(event, ev.StageFinished) and event.stage == "sell":
            break
        events.append(event)
    return [*events, ev.RunPaused(seq=events[-1].seq + 1, at_s=events[-1].at_s, reason="failure")]


def begun() -> list[Event]:
    """Give the events up to the first stage's beginning: nothing runs, and nothing holds it."""
    events = recorded()
    return events[: next(at for at, event in enumerate(events, 1) if isinstance(event, ev.StageStarted))]


def model_of(events: list[Event]) -> Model:
    model = Model(is_replay=True)
    assert not model.apply(events)
    return model


class Source:
    """Gives what it has, and what comes of each request."""

    def __init__(self, events: list[Event], *, has_control: bool = True) -> None:
        self.has_control = has_control
        self.is_connected = True
        self.refusals: list[str] = []
        self.asked: list[Asked] = []
        self.sent: list[Stimulus] = []
        self.answers: dict[type, dict[str, Any]] = {}
        self.follows: dict[type, list[Event]] = {}  # what the run states when it is asked for that
        self.parts: asyncio.Queue[list[Event] | None] = asyncio.Queue()
        self.parts.put_nowait(events)

    async def events(self) -> AsyncIterator[list[Event]]:
        while (part := await self.parts.get()) is not None:
            yield part
        self.is_connected = False

    def send(self, stimulus: Stimulus) -> None:
        self.sent.append(stimulus)
        self._follow(stimulus)

    async def answer(self, question: Asked) -> dict[str, Any]:
        self.asked.append(question)
        follows = self._follow(question)
        return self.answers.get(
            type(question), {"problem": "", "led_to": [], "up_to": follows[-1].seq if follows else 0}
        )

    def _follow(self, asked: object) -> list[Event]:
        follows = self.follows.get(type(asked), [])
        if follows:
            self.parts.put_nowait(follows)
        if any(isinstance(event, ev.RunFinished) for event in follows):
            self.parts.put_nowait(None)
        return follows

    async def close(self) -> None:
        pass


class Script(Lines):
    """Lines that are there, or (typed) come one after the other."""

    def __init__(self, *lines: str, is_typed: bool = False) -> None:
        super().__init__(-1, is_typed=is_typed)
        self._lines = list(lines)

    async def next(self, outlet: Outlet) -> str | None:
        return self._lines.pop(0) if self._lines else None


async def sit(source: Source, *lines: str, is_typed: bool = False, **options: Any) -> tuple[ConsoleOutcome, str]:
    """Have lines done; gives how it was left, and all that was told."""
    history = JournalHistory(JOURNAL) if options.pop("has_journal", False) else None
    model = Model(is_replay=options.pop("is_replay", False), history=history)
    stream = io.StringIO()
    outlet = Outlet(stream, "> ")
    teller = Teller(model, outlet, cast("Any", outlet), Style(words=True))
    session = Session(source, model, Script(*lines, is_typed=is_typed), outlet, teller, **{"owns": True, **options})
    async with asyncio.timeout(60):
        outcome = await session.run()
    return outcome, stream.getvalue()
