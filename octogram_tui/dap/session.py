"""One client: its requests in their order, their answers, and the events between them, from the first word to the last.

One request is done at a time. What the run states meanwhile is folded at once, and told when the answer has gone out:
no client hears that something has stopped before it hears that it went on.
"""

from __future__ import annotations

import asyncio
from typing import Any

from octogram_tui.dap.capabilities import ALWAYS
from octogram_tui.dap.course import ENDS_S, Course
from octogram_tui.dap.debuggee import Opener
from octogram_tui.dap.incoming import MOVES, STANDING, Doing, Incoming
from octogram_tui.dap.messages import Arguments, Request, RequestFailed
from octogram_tui.dap.news import News
from octogram_tui.dap.outgoing import Outgoing
from octogram_tui.projection.text import safe


class Session:
    """Speaks with one client until that goes away, and ends what it began."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener) -> None:
        self._out = Outgoing(writer)
        self._requests = Incoming(reader, self._out)
        self._news = News(self._requests, self._out)
        self._course = Course(self._requests, self._out, self._news, opener)
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Stay until the client has left, or `leave` is called; what it launched is then being ended."""
        tasks = [asyncio.create_task(each) for each in (self._requests.read(), self._work(), self._news.tell_on())]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        try:
            await self._over
        finally:
            for task in tasks:
                task.remove_done_callback(self._task_ended)
                task.cancel()
            self._news.hush()
            under_way = self._requests.now
            if under_way is not None:
                if under_way[0].command != "disconnect":  # that says how we part, and is done as said
                    under_way[1].cancel()
                await asyncio.wait([under_way[1]], timeout=ENDS_S)
            await asyncio.wait(tasks)
            await self._course.part()
            await self._out.last_words()

    def leave(self) -> None:
        """End it as if the client had gone away."""
        if not self._over.done():
            self._over.set_result(None)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if self._over.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self._over.set_exception(error)
        else:
            self._over.set_result(None)

    # What is asked

    async def _work(self) -> None:
        while True:
            request = await self._requests.next()
            task = self._loop.create_task(self._handle(request))
            self._requests.now = (request, task)
            self._news.fold_on()  # what came of it is told by the run
            try:
                await asyncio.wait([task])
            finally:
                self._requests.now = None
            self._answer(request, task)
            after, self._course.after = self._course.after, []
            for each in after:
                done = each()
                if done is not None:
                    await done
            if self._course.has_left:
                return
            await self._news.tell()
            await self._drain()
            if self._requests.is_at_end and not self._requests.is_to_part:
                return

    async def _drain(self) -> None:
        """Wait while the client has much to read, but not once it leaves. Raises ConnectionError."""
        drained = self._loop.create_task(self._out.drain())
        hurried = self._loop.create_task(self._requests.hurried())
        try:
            await asyncio.wait([drained, hurried], return_when=asyncio.FIRST_COMPLETED)
        finally:
            drained.cancel()
            hurried.cancel()
            await asyncio.wait([drained, hurried])
        error = None if drained.cancelled() else drained.exception()
        if error is not None and not self._requests.is_to_part:  # who has said how to part may be gone
            raise error

    def _answer(self, request: Request, task: Doing) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._out.answer(request, task.result())
        else:
            self._out.refuse(request, error)

    async def _handle(self, request: Request) -> dict[str, Any] | None:
        command = request.command
        if command == "initialize":
            return self._initialize(request.arguments)
        if self._course.initialized is None:
            raise RequestFailed("the first request is `initialize`")
        own = self._course.handlers.get(command)
        debugging = self._news.debugging
        if own is not None and (debugging is not None or command not in STANDING):
            return await own(request.arguments)
        if debugging is None:
            if command in MOVES or command in STANDING:
                raise RequestFailed("nothing is debugged yet: launch or attach comes first")
            raise RequestFailed(f"{safe(command, limit=80)} is nothing that can be asked here")
        handler = debugging.handlers.get(command)
        if handler is None:
            raise RequestFailed(f"{safe(command, limit=80)} is nothing that can be asked here")
        if debugging.debuggee.is_replay and command in MOVES:
            self._course.after.append(debugging.answered)
        return await handler(request.arguments)

    def _initialize(self, asked: Arguments) -> dict[str, Any]:
        if self._course.initialized is not None:
            raise RequestFailed("`initialize` comes once")
        if asked.text("pathFormat", "path") != "path":
            raise RequestFailed("`pathFormat` is `path` here: files are named by their paths, and by no URIs")
        for name in ("linesStartAt1", "columnsStartAt1", "supportsProgressReporting", "supportsInvalidatedEvent"):
            asked.flag(name)
        self._course.initialized = asked
        return ALWAYS
