"""The few messages that concern the whole app."""

from __future__ import annotations

import asyncio

from textual.message import Message

from octogram_tui.engine.events import Event


class EventsCame(Message):
    """A batch of events. Whoever folds it sets `taken`, and gets the next one only then."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self.events = events
        self.taken = asyncio.Event()


class SourceEnded(Message):
    """No further event will come."""
