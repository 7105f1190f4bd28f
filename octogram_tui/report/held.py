"""`--on-break hold:DURATION`: calls somebody to a run that is held, with the command that opens a console there."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from typing import TextIO

from octogram_tui.engine.events import AgentHeld, Event, RunPaused, RunStarted
from octogram_tui.projection.text import safe
from octogram_tui.report import phrases

CALLS = ("breakpoint", "failure")


class HeldCall:
    """Writes a line whenever a breakpoint or a failure holds the run."""

    def __init__(self, stream: TextIO, hold_s: float) -> None:
        self._stream = stream
        self._hold_s = hold_s
        self._command = ""

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch of events in."""
        for event in events:
            if isinstance(event, RunStarted):
                self._command = f"octogram-tui attach {shlex.quote(event.run)}"
            elif isinstance(event, RunPaused | AgentHeld) and event.reason in CALLS:
                self._call(event)

    def recall(self, events: Sequence[Event]) -> None:
        """Take in what came before this process: nobody is called to that again."""
        self.apply([event for event in events if isinstance(event, RunStarted)])

    def _call(self, event: RunPaused | AgentHeld) -> None:
        where = f"agent {event.agent}, " if isinstance(event, AgentHeld) else ""
        with contextlib.suppress(OSError, ValueError):  # nobody reads it
            self._stream.write(
                f"octogram-tui: held: {phrases.disarmed(safe(where + event.message))}\n"
                f"  attach within {phrases.duration(self._hold_s)}, else the run ends: {self._command}\n"
            )
            self._stream.flush()

    def close(self) -> None:
        """Nothing is left to say."""
