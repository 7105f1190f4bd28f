"""Events to everybody in this process who wants them, after the journal has them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence

from octogram_tui.engine.events import Event
from octogram_tui.errors import OctogramError

Subscriber = Callable[[Sequence[Event]], None]


class Bus:
    """Calls its subscribers in the event loop, in order, batch by batch. One that raises is dropped, and said so."""

    def __init__(self) -> None:
        self._subscribers: tuple[Subscriber, ...] = ()  # another one after each change: it may come amid a batch

    def subscribe(self, subscriber: Subscriber) -> None:
        """Add a subscriber; it sees what comes from now on."""
        self._subscribers += (subscriber,)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a subscriber."""
        self._subscribers = tuple(each for each in self._subscribers if each != subscriber)

    def publish(self, events: Sequence[Event]) -> None:
        """Hand a batch to everybody."""
        for subscriber in self._subscribers:
            try:
                subscriber(events)
            except Exception as error:  # a report that breaks must not end the run
                self.unsubscribe(subscriber)
                reason = error.message if isinstance(error, OctogramError) else repr(error)
                with contextlib.suppress(OSError):  # the terminal may be what failed
                    print(f"octogram-tui: a report failed and is left out from here on: {reason}", file=sys.stderr)
