"""What comes from the client: requests in their order, which of them wait, and what breaks off which."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from octogram_tui.dap.framing import BodyError, FramingError, read_message
from octogram_tui.dap.messages import MOST_NUMBER, Request, RequestFailed, request_of
from octogram_tui.dap.outgoing import Outgoing

MOST_WAITING = 1000
"""So many requests may wait; with who sends more, there is no talking."""

MOVES = frozenset(
    "launch attach configurationDone disconnect terminate restart continue next stepIn stepOut pause restartFrame goto "
    "stepBack reverseContinue".split()
)
"""Requests whose answer comes before all that they lead to."""
STANDING = frozenset(
    "threads stackTrace scopes variables setVariable setExpression evaluate completions exceptionInfo source "
    "loadedSources breakpointLocations setBreakpoints setFunctionBreakpoints setDataBreakpoints "
    "setExceptionBreakpoints dataBreakpointInfo gotoTargets configurationDone terminate restart".split()
)
"""With those that move, all that there is once something is debugged."""
CANCELLABLE = frozenset(
    "evaluate variables scopes stackTrace completions source exceptionInfo threads loadedSources "
    "breakpointLocations gotoTargets dataBreakpointInfo".split()
)
"""What leaves nothing half done when it is broken off."""
URGENT = ("disconnect", "terminate")
"""What does not wait behind something that takes long: it breaks that off."""
BEGINNINGS = frozenset({"launch", "attach", "restart"})
"""What is broken off only by who leaves: it ends what it has half begun."""


Doing = asyncio.Task[dict[str, Any] | None]


class Incoming:
    """The requests of one client. now: the one that is being done, and what does it."""

    def __init__(self, reader: asyncio.StreamReader, out: Outgoing) -> None:
        self._reader = reader
        self._out = out
        self._waiting: deque[Request] = deque()
        self._came = asyncio.Event()
        self.now: tuple[Request, Doing] | None = None
        self.is_at_end = False  # the client is gone, but for what it has asked already

    @property
    def is_hurried(self) -> bool:
        """Whether something waits that ends, or breaks off, what takes long."""
        return any(request.command in (*URGENT, "pause") for request in self._waiting)

    @property
    def is_moving(self) -> bool:
        """Whether something is being done whose answer comes before all that it leads to."""
        return self.now is not None and self.now[0].command in MOVES

    @property
    def is_to_part(self) -> bool:
        """Whether it is said, in what is being done or waits, how we part."""
        asked = [*self._waiting, *([self.now[0]] if self.now is not None else [])]
        return any(request.command == "disconnect" for request in asked)

    async def hurried(self) -> None:
        """Wait until something does."""
        while not self.is_hurried:
            self._came.clear()
            await self._came.wait()

    async def next(self) -> Request:
        """Give the next one that is to be done."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()

    async def read(self) -> None:
        """Take in what comes, until the client is gone, or cannot be understood."""
        while True:
            try:
                message = await read_message(self._reader)
            except BodyError as error:
                self._out.emit_important(error.message)
                continue
            except FramingError as error:
                self._out.emit_important(error.message)
                return
            if message is None:
                self.is_at_end = True
                if self.is_to_part:
                    await asyncio.Event().wait()  # until that is done
                return
            self._take(message)
            if len(self._waiting) > MOST_WAITING:
                self._out.emit_important("so many requests wait that no more are taken")
                return

    def _take(self, message: dict[str, Any]) -> None:
        request = request_of(message)
        if request is None:
            if message.get("type") not in ("response", "event"):  # we ask nothing, so that nothing is answered
                self._out.emit_important("a message is no request: it needs `seq`, `type` and `command`")
            return
        if request.command == "cancel":
            self._cancel(request)
            return
        broken_off = CANCELLABLE | BEGINNINGS if request.command == "disconnect" else CANCELLABLE
        if request.command in URGENT and self.now is not None and self.now[0].command in broken_off:
            self.now[1].cancel()
        self._waiting.append(request)
        self._came.set()

    def _cancel(self, request: Request) -> None:
        """Break off a request that is under way, or never begin one that waits; else there is nothing to break off."""
        try:
            wanted = request.arguments.number("requestId", MOST_NUMBER, least=-MOST_NUMBER)
        except RequestFailed as failed:
            self._out.refuse(request, failed)
            return
        for waiting in self._waiting:
            if waiting.seq == wanted:
                self._waiting.remove(waiting)
                self._out.refuse(waiting, asyncio.CancelledError())
                break
        else:
            if self.now is not None and self.now[0].seq == wanted and self.now[0].command in CANCELLABLE:
                self.now[1].cancel()
        self._out.answer(request, None)
