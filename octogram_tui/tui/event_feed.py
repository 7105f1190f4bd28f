"""Between a run and the app: events come as they come, and are handed on in batches, some thirty times a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol, runtime_checkable

from textual.app import App

from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.runtime.desk import Question
from octogram_tui.tui.messages import EventsCame, SourceEnded

BATCH_S = 1 / 30
BATCH_EVENTS = 4_000
WAITING_EVENTS = 50_000
"""So many events may wait for the app; then the source is not read until it has caught up."""


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


class EventFeed:
    """Reads the source in one task, and feeds the app from another, never faster than the app takes it in."""

    def __init__(self, source: EventSource, app: App[Any]) -> None:
        self._source = source
        self._app = app
        self._waiting: list[Event] = []
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._is_over = False

    async def run(self) -> None:
        """Carry events until the source ends, or fails; the app hears of that too."""
        self._room.set()
        reader = asyncio.create_task(self._read())
        try:
            await self._feed()
            await reader
        finally:
            reader.cancel()
            self._app.post_message(SourceEnded())

    async def _read(self) -> None:
        try:
            async for batch in self._source.events():
                self._waiting += batch
                self._came.set()
                if len(self._waiting) > WAITING_EVENTS:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._is_over = True
            self._came.set()

    async def _feed(self) -> None:
        while True:
            await self._came.wait()
            if not self._waiting and self._is_over:
                return
            batch, self._waiting = self._waiting[:BATCH_EVENTS], self._waiting[BATCH_EVENTS:]
            is_all = not self._waiting
            if is_all and not self._is_over:
                self._came.clear()
            if len(self._waiting) < WAITING_EVENTS:
                self._room.set()
            message = EventsCame(batch)
            self._app.post_message(message)
            await message.taken.wait()
            await asyncio.sleep(BATCH_S if is_all else 0)
