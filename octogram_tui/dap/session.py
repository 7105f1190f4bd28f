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
from octogram_tui.dap.outgoing import Outgoing
from octogram_tui.dap.positions import Positions
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import HoldModeRequest
from octogram_tui.errors import OctogramError
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe

RESTARTS_S = 60.0
MOST_UNTOLD = 5_000
"""So many events are kept for a client that does not read; then the run is not listened to until it does."""
NOTHING_THERE = "the journal holds no event: there is nothing to replay"


class Session:
    """Speaks with one client until that goes away, and ends what it began."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener) -> None:
        self._out = Outgoing(writer)
        self._requests = Incoming(reader, self._out)
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self._initialized: Arguments | None = None
        self._debugging: Debugging | None = None
        self._launched: Arguments | None = None
        self._listening: asyncio.Task[None] | None = None
        self._untold: list[Event] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()  # for more to be told
        self._ended: Debuggee | None = None  # what tells nothing more
        self._telling = asyncio.Lock()
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
        tasks = [asyncio.create_task(each) for each in (self._requests.read(), self._work(), self._tell_news())]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        try:
            await self._over
        finally:
            for task in tasks:
                task.remove_done_callback(self._task_ended)
                task.cancel()
            self._room.set()
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
            self._room.set()  # what came of it is told by the run
            try:
                await asyncio.wait([task])
            finally:
                self._requests.now = None
            self._answer(request, task)
            for after in self._flush_after():
                done = after()
                if done is not None:
                    await done
            await self._tell()
            await self._out.drain()
            if self._has_left or (self._requests.is_at_end and not self._requests.is_to_part):
                return

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
        debugging = self._debugging
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
        if self._debugging is not None:
            raise RequestFailed("something is debugged already: one session is for one run")

    async def _open(self, opened: Opened, manner: Manner, *, owns: bool) -> Debugging:
        assert self._initialized is not None
        debuggee = Debuggee(opened, owns=owns)
        out, requests = self._out, self._requests
        debugging = Debugging(
            debuggee, self._initialized, manner, out.emit, self._look_later, lambda: requests.is_hurried
        )
        debuggee.on_control(self._news.set)
        self._listening = self._loop.create_task(self._listen(debuggee))
        try:
            await debuggee.until(lambda: debuggee.board.seq > 0)
            if debuggee.is_replay:
                await debuggee.is_read.wait()
                if not debuggee.board.seq:
                    raise RequestFailed(safe("; ".join(debuggee.source.refusals) or NOTHING_THERE), is_shown=True)
        except asyncio.CancelledError:
            self._debugging = debugging  # which is left as a whole
            raise
        before, self._debugging = self._debugging, debugging
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
        assert self._debugging is not None
        self._after.append(self._debugging.begin)

    # While it goes on

    async def _listen(self, debuggee: Debuggee) -> None:
        """Fold what the run states, and tell it when no answer is awaited."""
        try:
            async for batch in debuggee.events():
                self._untold += batch
                self._news.set()
                while len(self._untold) > MOST_UNTOLD and self._requests.now is None and not self._over.done():
                    self._room.clear()
                    await self._room.wait()
        except OctogramError as error:
            self._out.emit_important(error.message)
        if not debuggee.is_replay:
            self._ended = debuggee
        self._news.set()

    async def _tell_news(self) -> None:
        """Tell what comes while no answer is awaited that has to come before it.

        Another task than the one that folds: what is told may lead to a question, whose answer is folded there.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if not self._requests.is_moving:
                await self._tell()

    async def _tell(self) -> None:
        """Tell all that was not told yet."""
        if self._debugging is None:
            return
        async with self._telling:
            batch, self._untold = self._untold, []
            self._room.set()
            debugging = self._debugging
            await debugging.take(batch)
            if self._ended is debugging.debuggee and not self._has_left and not self._out.is_restarting:
                debugging.end()
        with contextlib.suppress(ConnectionError):
            await self._out.drain()

    def _look_later(self, after_s: float, look: Callable[[], None]) -> None:
        def run() -> None:
            self._later.discard(handle)
            look()

        handle = self._loop.call_later(after_s, run)
        self._later.add(handle)

    # Ending

    async def _terminate(self, _: Arguments) -> None:
        assert self._debugging is not None
        debugging = self._debugging
        if debugging.debuggee.is_over:
            self._after.append(debugging.end)
            return
        await debugging.stop(by_force=self._is_stopping)
        self._is_stopping = True

    async def _disconnect(self, asked: Arguments) -> None:
        debugging = self._debugging
        suspends = asked.flag("suspendDebuggee")
        ends = asked.flag("terminateDebuggee", default=debugging is not None and debugging.debuggee.owns)
        self._has_left = True
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
        debugging = self._debugging
        if debugging is not None and not self._has_left:
            self._has_left = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESTARTS_S):
                    await self._let_go(debugging, ends=debugging.debuggee.owns)
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        if debugging is not None:
            await debugging.debuggee.source.close()

    async def _restart(self, asked: Arguments) -> None:
        """End the run, and begin it anew, with what the client wants to stop at as it is."""
        debugging = self._debugging
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
            again = self._debugging
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
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await debuggee.source.close()
        self._untold = []
