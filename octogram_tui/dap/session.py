"""One client: its requests in their order, their answers, and the events between them, from the first word to the last.

One request is done at a time. What the run states meanwhile is folded at once, and told when the answer has gone out:
no client hears that something has stopped before it hears that it went on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from octogram_tui.dap.beginning import joined, launched, replayed
from octogram_tui.dap.capabilities import ALWAYS, OF_REPLAY
from octogram_tui.dap.debuggee import Debuggee, Opened, Opener
from octogram_tui.dap.debugging import Debugging, Manner
from octogram_tui.dap.incoming import MOVES, STANDING, Doing, Incoming
from octogram_tui.dap.messages import Arguments, Request, RequestFailed
from octogram_tui.dap.news import News
from octogram_tui.dap.outgoing import Outgoing
from octogram_tui.dap.positions import Positions
from octogram_tui.engine.stimuli import HoldModeRequest
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe

RESTARTS_S = 60.0
NOTHING_THERE = "the journal holds no event: there is nothing to replay"


class Session:
    """Speaks with one client until that goes away, and ends what it began."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener) -> None:
        self._out = Outgoing(writer)
        self._requests = Incoming(reader, self._out)
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self._initialized: Arguments | None = None
        self._news = News(self._requests, self._out)
        self._launched: Arguments | None = None
        self._after: list[Callable[[], Awaitable[None] | None]] = []
        self._is_stopping = False
        self._has_left = False
        self._later: set[asyncio.TimerHandle] = set()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._handlers: dict[str, Callable[[Arguments], Awaitable[dict[str, Any] | None]]] = {
            "initialize": self._initialize,
            "launch": self._launch,
            "attach": self._attach,
            "configurationDone": self._configured,
            "terminate": self._terminate,
            "restart": self._restart,
            "disconnect": self._disconnect,
        }

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
                await asyncio.wait([under_way[1]], timeout=RESTARTS_S)
            await asyncio.wait(tasks)
            await self._part()
            for each in list(self._later):
                each.cancel()
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
            for after in self._flush_after():
                done = after()
                if done is not None:
                    await done
            if self._has_left:
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

    def _flush_after(self) -> list[Callable[[], Awaitable[None] | None]]:
        after, self._after = self._after, []
        return after

    def _answer(self, request: Request, task: Doing) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._out.answer(request, task.result())
        else:
            self._out.refuse(request, error)

    async def _handle(self, request: Request) -> dict[str, Any] | None:
        command = request.command
        if self._initialized is None and command != "initialize":
            raise RequestFailed("the first request is `initialize`")
        own = self._handlers.get(command)
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
            self._after.append(debugging.answered)
        return await handler(request.arguments)

    # Beginning

    async def _initialize(self, asked: Arguments) -> dict[str, Any]:
        if self._initialized is not None:
            raise RequestFailed("`initialize` comes once")
        if asked.text("pathFormat", "path") != "path":
            raise RequestFailed("`pathFormat` is `path` here: files are named by their paths, and by no URIs")
        for name in ("linesStartAt1", "columnsStartAt1", "supportsProgressReporting", "supportsInvalidatedEvent"):
            asked.flag(name)
        self._initialized = asked
        return ALWAYS

    async def _launch(self, asked: Arguments) -> None:
        self._refuse_second()
        self._launched = asked
        if "replay" in asked:
            await self._open(*await replayed(self._opener, asked), owns=False)
        else:
            await self._begin_run(asked)

    async def _begin_run(self, asked: Arguments) -> None:
        assert self._initialized is not None
        opened, manner = await launched(self._opener, asked, Positions(self._initialized), self._out.emit)
        debugging = await self._open(opened, manner, owns=True)
        if manner.holds_alone:
            await debugging.debuggee.ask(HoldModeRequest("alone"))

    async def _attach(self, asked: Arguments) -> None:
        self._refuse_second()
        opened, manner = await joined(self._opener, asked)
        debugging = await self._open(opened, manner, owns=False)
        await debugging.join()

    def _refuse_second(self) -> None:
        if self._news.debugging is not None:
            raise RequestFailed("something is debugged already: one session is for one run")

    async def _open(self, opened: Opened, manner: Manner, *, owns: bool) -> Debugging:
        assert self._initialized is not None
        debuggee = Debuggee(opened, owns=owns)
        out, requests = self._out, self._requests
        debugging = Debugging(
            debuggee, self._initialized, manner, out.emit, self._look_later, lambda: requests.is_hurried
        )
        self._news.listen_to(debugging)
        try:
            await debuggee.until(lambda: debuggee.board.seq > 0)
            if debuggee.is_replay:
                await debuggee.is_read.wait()
                if not debuggee.board.seq:
                    raise RequestFailed(safe("; ".join(debuggee.source.refusals) or NOTHING_THERE), is_shown=True)
        except asyncio.CancelledError:
            self._news.debugging = debugging  # which is left as a whole
            raise
        before, self._news.debugging = self._news.debugging, debugging
        if opened.says:
            debugging.say(opened.says)
        if before is None:  # else it is the same session that goes on
            self._after.append(lambda: self._opened(debuggee))
        return debugging

    def _opened(self, debuggee: Debuggee) -> None:
        opened = debuggee.opened
        if debuggee.is_replay:
            self._out.emit("capabilities", {"capabilities": OF_REPLAY})
        process: dict[str, Any] = {"name": opened.scenario, "isLocalProcess": True}
        process |= {"startMethod": "launch" if debuggee.owns or debuggee.is_replay else "attach"}
        self._out.emit("process", process | ({"systemProcessId": opened.pid} if opened.pid else {}))
        self._out.emit("initialized", {})

    async def _configured(self, _: Arguments) -> None:
        assert self._news.debugging is not None
        self._after.append(self._news.debugging.begin)

    def _look_later(self, after_s: float, look: Callable[[], None]) -> None:
        def run() -> None:
            self._later.discard(handle)
            look()

        handle = self._loop.call_later(after_s, run)
        self._later.add(handle)

    # Ending

    async def _terminate(self, _: Arguments) -> None:
        assert self._news.debugging is not None
        debugging = self._news.debugging
        if debugging.debuggee.is_over:
            self._after.append(debugging.end)
            return
        await debugging.stop(by_force=self._is_stopping)
        self._is_stopping = True

    async def _disconnect(self, asked: Arguments) -> None:
        debugging = self._news.debugging
        suspends = asked.flag("suspendDebuggee")
        ends = asked.flag("terminateDebuggee", default=debugging is not None and debugging.debuggee.owns)
        self._has_left = True
        self._news.hush()
        if debugging is not None:
            await self._let_go(debugging, ends=ends and not suspends, suspends=suspends)

    async def _let_go(self, debugging: Debugging, *, ends: bool, suspends: bool = False) -> None:
        """Leave a run to its end, or to itself."""
        if not ends:
            await debugging.leave(suspends=suspends)
        elif not self._is_stopping:
            with contextlib.suppress(RequestFailed):  # it may be at its end already
                await debugging.stop()

    async def _part(self) -> None:
        """The client is gone, said so or not: see to what it leaves, and let go of it."""
        debugging = self._news.debugging
        if debugging is not None and not self._has_left:
            self._has_left = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESTARTS_S):
                    await self._let_go(debugging, ends=debugging.debuggee.owns)
        await self._news.stop_listening()
        if debugging is not None:
            await debugging.debuggee.source.close()

    async def _restart(self, asked: Arguments) -> None:
        """End the run, and begin it anew, with what the client wants to stop at as it is."""
        debugging = self._news.debugging
        assert debugging is not None
        if debugging.debuggee.is_replay:
            self._after.append(debugging.begin)
            return
        if not debugging.debuggee.owns or self._launched is None:
            raise RequestFailed("only a run that was launched from here is begun again")
        if "arguments" in asked:
            self._launched = asked.object("arguments")
        self._out.is_restarting = True
        try:
            await self._end_before(debugging)
            try:
                await self._begin_run(self._launched)
            except BaseException:  # there is nothing to debug any more
                self._after.append(debugging.end)
                raise
            again = self._news.debugging
            assert again is not None
            await again.take_over(debugging)
            self._after.append(again.begin)
            self._is_stopping = False
        finally:
            self._out.is_restarting = False

    async def _end_before(self, debugging: Debugging) -> None:
        debuggee = debugging.debuggee
        if not debuggee.is_over:
            await debugging.stop()
            try:
                async with asyncio.timeout(RESTARTS_S):
                    await debuggee.until(lambda: debuggee.board.phase is Phase.FINISHED)
            except TimeoutError:
                raise RequestFailed("the run does not end: terminate it first") from None
        await self._news.stop_listening()
        await debuggee.source.close()
