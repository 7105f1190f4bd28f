"""What the run states: folded at once, and told a piece at a time, between which requests are answered.

Nothing more is folded while something is untold, unless somebody waits for it: so all is told in the end, however much
a job writes, and nothing grows while the client does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.debugging import Debugging
from octogram_tui.dap.incoming import Incoming
from octogram_tui.dap.outgoing import Outgoing
from octogram_tui.engine.events import Event, JobOutput
from octogram_tui.errors import OctogramError
from octogram_tui.tui.event_feed import SLICE_LINES, slice_of


class News:
    """Tells one client of what is debugged. debugging: what that is, None while there is nothing."""

    def __init__(self, requests: Incoming, out: Outgoing) -> None:
        self._requests = requests
        self._out = out
        self.debugging: Debugging | None = None
        self._untold: deque[Event] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()  # for more to be folded
        self._is_heard = True
        self._ended: Debuggee | None = None  # what states nothing more
        self._telling = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self.pieces = 0  # that were told; tests hold it against the events that came

    def listen_to(self, debugging: Debugging) -> None:
        """Fold what a run states from now on."""
        debugging.debuggee.on_control(self._came.set)
        self._listening = asyncio.get_running_loop().create_task(self._listen(debugging))

    async def stop_listening(self) -> None:
        """Fold nothing more, and forget what was not told."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        self._untold.clear()

    def fold_on(self) -> None:
        """Somebody waits for what comes."""
        self._room.set()

    def hush(self) -> None:
        """The client has left: nothing more is told, and what comes is folded for who sees to the rest."""
        self._is_heard = False
        self._untold.clear()
        self._room.set()

    @property
    def _is_full(self) -> bool:
        """Whether what was folded is to be told first: nobody asks the run for anything."""
        return bool(self._untold) and self._requests.now is None and not self._telling.locked()

    async def _listen(self, debugging: Debugging) -> None:
        debuggee = debugging.debuggee
        try:
            async for batch in debuggee.events():
                if debuggee.is_replay:
                    debugging.note(batch)
                elif self._is_heard:
                    self._untold += (part for event in batch for part in _parts_of(event))
                self._came.set()
                while self._is_full:
                    self._room.clear()
                    await self._room.wait()
        except OctogramError as error:
            self._out.emit_important(error.message)
        if not debuggee.is_replay:
            self._ended = debuggee
        self._came.set()

    async def tell_on(self) -> None:
        """Tell what comes while no answer is awaited that has to come before it, for as long as there is a client.

        Another task than the one that folds: what is told may lead to a question, whose answer is folded there.
        """
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._requests.is_moving:
                await self.tell()
                with contextlib.suppress(ConnectionError):  # what it has asked before it went is still done
                    await self._out.drain()
            await asyncio.sleep(0)  # so that what was asked meanwhile is done

    async def tell(self) -> None:
        """Tell a piece of what was not told yet; mostly that is all of it, and else the rest follows."""
        debugging = self.debugging
        if debugging is None or not self._is_heard:
            return
        async with self._telling:
            self._room.set()
            self.pieces += 1
            await debugging.take(slice_of(self._untold), is_last=not self._untold)
            if self._untold:
                self._came.set()
            elif self._is_through(debugging.debuggee):
                debugging.end()
        self._room.set()

    def _is_through(self, debuggee: Debuggee) -> bool:
        """Whether there is nothing more to tell of a run, and somebody who wants to hear that."""
        return self._ended is debuggee and self._is_heard and not self._out.is_restarting


def _parts_of(event: Event) -> Iterator[Event]:
    """Give what is told of an event in one piece each: one may bring as many lines as fit into what was read."""
    if not isinstance(event, JobOutput) or len(event.lines) <= SLICE_LINES:
        yield event
        return
    for first in range(0, len(event.lines), SLICE_LINES):
        yield replace(event, lines=event.lines[first : first + SLICE_LINES], dropped=0 if first else event.dropped)
