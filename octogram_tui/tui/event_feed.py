"""Between a run and the app: events come as they come, and are shown some thirty times a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Protocol, runtime_checkable

from octogram_tui.engine.events import Event, JobOutput
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.runtime.desk import Question
from octogram_tui.tui.pace import Pace
from octogram_tui.tui.typed_first import TypedFirst

SLICE_EVENTS = 100
SLICE_LINES = 1_000
"""So many are dealt with in one turn of the loop, which a key, or an editor, may have to wait for: events, and lines of
the log."""
WAITING_EVENTS = 2_000
"""So many events may wait for the app; then the source is not read until it has caught up."""
CATCHING_UP_S = 0.15
"""While more waits than can be folded, it is drawn so often."""
SAYS_S = 1.0
"""Who is behind for longer says so."""


class EventSource(Protocol):
    """Where events come from: a run's host, a journal, or a pretended fleet."""

    has_control: bool
    is_connected: bool
    refusals: list[str]

    def events(self) -> AsyncIterator[list[Event]]:
        """Give what was stated, from the first event on; ends with the source."""
        ...

    def send(self, stimulus: Stimulus) -> None:
        """Ask for something. The answer is an event."""
        ...

    async def close(self) -> None:
        """Let go; the run goes on."""
        ...


@runtime_checkable
class SharedSource(Protocol):
    """A source that several consoles watch, and one commands."""

    def take_control(self) -> None:
        """Become the console that may act."""
        ...

    def only_watch(self) -> None:
        """Leave control to others."""
        ...


@runtime_checkable
class AnsweringSource(Protocol):
    """A source that can be asked for what is no event: more of a log than came, what the scenario's file is now."""

    is_connected: bool
    consoles: int

    async def answer(self, question: Question) -> dict[str, Any]:
        """Give {problem}, or what runtime/desk.py says."""
        ...


class Taker(Protocol):
    """Who takes events in: the app."""

    typed: TypedFirst
    pace: Pace

    def take_in(self, events: list[Event]) -> None:
        """Fold."""
        ...

    def copy_on(self) -> bool:
        """Go on with a copy of what was folded, if there is one to be made; False when it is whole."""
        ...

    def show_what_came(self) -> None:
        """Draw what changed."""
        ...

    def source_ended(self) -> None:
        """Nothing more will come."""
        ...


class EventFeed:
    """Reads the source in one task, and feeds the app from another, never faster than the app takes it in.

    What came since the last frame is folded in slices, between which the loop goes on, what is typed before all else;
    then it is drawn once. Where more waits than is folded until the next frame, some frames are left out.
    """

    def __init__(self, source: EventSource, app: Taker) -> None:
        self._source = source
        self._app = app
        self._waiting: deque[Event] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._is_over = False
        self._behind_since_s: float | None = None
        self.slices = 0  # since the start; tests hold it against the events that came

    @property
    def waiting(self) -> int:
        """How many events have come, and were not taken in."""
        return len(self._waiting)

    @property
    def is_catching_up(self) -> bool:
        """Whether more waits than could be shown for a while: the beginning of a run that went on long before us."""
        since_s = self._behind_since_s
        return since_s is not None and time.monotonic() - since_s > SAYS_S

    async def run(self) -> None:
        """Carry events until the source ends, or fails; the app hears of that too."""
        self._room.set()
        reader = asyncio.create_task(self._read())
        try:
            await self._feed()
            await reader
        except asyncio.CancelledError:  # the console is left
            raise
        except BaseException:
            self._app.source_ended()
            raise
        else:
            self._app.source_ended()
        finally:
            reader.cancel()

    async def _read(self) -> None:
        try:
            async for batch in self._source.events():
                self._waiting += batch
                self._came.set()
                await self._app.typed.settled()
                if len(self._waiting) > WAITING_EVENTS:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._is_over = True
            self._came.set()

    async def _feed(self) -> None:
        next_s = 0.0
        while True:
            await self._came.wait()
            if not self._waiting and self._is_over:
                return
            begun_s = time.monotonic()
            await self._take_in()
            if not self._waiting and not self._is_over:
                self._came.clear()
            self._app.show_what_came()
            next_s = begun_s + self._app.pace.next_frame()  # what is folded for a frame is part of its time
            if not self._waiting:
                await asyncio.sleep(max(0.0, next_s - time.monotonic()))

    async def _take_in(self) -> None:
        """Fold what waits, but for no longer than somebody should wait to see some of it."""
        waiting, typed = self._waiting, self._app.typed
        until_s = time.monotonic() + CATCHING_UP_S
        while waiting and time.monotonic() < until_s:
            self.slices += 1
            self._app.take_in(slice_of(waiting))
            if len(waiting) < WAITING_EVENTS:
                self._room.set()
            await typed.settled()
            while self._app.copy_on():  # nothing is folded meanwhile
                await typed.settled()
        if not waiting:
            self._behind_since_s = None
        elif self._behind_since_s is None:
            self._behind_since_s = time.monotonic()


def slice_of(waiting: deque[Event]) -> list[Event]:
    """Take what is dealt with in one turn: some events, of which one may bring very many lines of a log."""
    lines = 0
    taken: list[Event] = []
    while waiting and len(taken) < SLICE_EVENTS and lines < SLICE_LINES:
        event = waiting.popleft()
        taken.append(event)
        if isinstance(event, JobOutput):
            lines += len(event.lines)
    return taken
