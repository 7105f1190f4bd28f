"""What a headless front end is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from octogram_tui.engine.events import Event


class Reporter(Protocol):
    """Takes the events of a run as they come. Its own troubles with a broken pipe never disturb the run."""

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch of events in. Raises JournalError when a file of the user cannot be written."""
        ...

    def close(self) -> None:
        """Write what is written at the end, also after a failure or a crash. Raises JournalError likewise."""
        ...


@runtime_checkable
class Talker(Protocol):
    """A reporter whose readers are to see that a run lives."""

    async def keep_saying_alive(self) -> None:
        """Say so from time to time, until cancelled."""
        ...


@runtime_checkable
class Recaller(Protocol):
    """A reporter that told of earlier events when they came, in a process that is gone."""

    def recall(self, events: Sequence[Event]) -> None:
        """Take a batch of events in, and do not tell of them again."""
        ...
