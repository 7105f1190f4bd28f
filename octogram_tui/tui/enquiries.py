"""Questions to the run's host whose answers are no events: one after the other, whoever asks."""

from __future__ import annotations

import asyncio
from typing import Any

from octogram_tui.runtime.desk import Question
from octogram_tui.tui.event_feed import AnsweringSource, EventSource

NOBODY = "only a run that goes on can tell"


class Enquiries:
    """Asks one thing at a time, as the host answers one at a time."""

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._turn = asyncio.Lock()

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody who answers."""
        return isinstance(self._source, AnsweringSource) and self._source.is_connected

    async def ask(self, question: Question) -> dict[str, Any]:
        """Give what the host answers; {problem} where it does not."""
        source = self._source
        if not isinstance(source, AnsweringSource) or not source.is_connected:
            return {"problem": NOBODY}
        async with self._turn:
            return await source.answer(question)
