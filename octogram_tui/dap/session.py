"""One client: its requests in their order, their answers, and the events between them, from the first word to the last.

One request is done at a time. What the run states meanwhile is folded at once, and told when the answer has gone out:
no client hears that something has stopped before it hears that it went on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.dap.capabilities import ALWAYS, OF_REPLAY
from octogram_tui.dap.debuggee import Debuggee, LaunchWanted, Opened, Opener
from octogram_tui.dap.debugging import Debugging, Manner
from octogram_tui.dap.framing import BodyError, FramingError, framed, read_message
from octogram_tui.dap.messages import Arguments, Request, RequestFailed, is_takeable, refusal, request_of, success
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import HoldModeRequest
from octogram_tui.errors import OctogramError, ScenarioError
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe

MOST_WAITING = 1000
"""So many requests may wait; with who sends more, there is no talking."""
RESTARTS_S = 60.0
LAST_WORDS_S = 2.0
MOST_UNTOLD = 5_000
"""So many events are kept for a client that does not read; then the run is not listened to until it does."""
ALL = 1 << 62
NOTHING_THERE = "the journal holds no event: there is nothing to replay"

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


class Session:
    """Speaks with one client until that goes away, and ends what it began."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener) -> None:
        self._reader = reader
        self._writer = writer
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self._seq = 0
        self._initialized: Arguments | None = None
        self._debugging: Debugging | None = None
        self._launched: Arguments | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: deque[Request] = deque()
        self._asked = asyncio.Event()
        self._now: tuple[Request, asyncio.Task[dict[str, Any] | None]] | None = None
        self._untold: list[Event] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()  # for more to be told
        self._ended: Debuggee | None = None  # what tells nothing more
        self._telling = asyncio.Lock()
        self._after: list[Callable[[], Awaitable[None] | None]] = []
        self._is_stopping = False
        self._is_restarting = False
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
        tasks = [asyncio.create_task(each) for each in (self._read(), self._work(), self._tell_news())]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        try:
            await self._over
        finally:
            for task in tasks:
                task.remove_done_callback(self._task_ended)
                task.cancel()
            self._room.set()
            under_way = self._now
            if under_way is not None:
                if under_way[0].command != "disconnect":  # that says how we part, and is done as said
                    under_way[1].cancel()
                await asyncio.wait([under_way[1]], timeout=RESTARTS_S)
            await asyncio.wait(tasks)
            await self._part()
            for each in list(self._later):
                each.cancel()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):  # whoever does not read is not waited for
                    await self._writer.drain()

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

    # What goes out

    def _send(self, message: dict[str, Any]) -> None:
        self._seq += 1
        if not self._writer.is_closing():
            self._writer.write(framed({"seq": self._seq, **message}))

    def _emit(self, event: str, body: dict[str, Any]) -> None:
        if self._is_restarting and event in ("exited", "terminated"):
            return
        self._send({"type": "event", "event": event, **({"body": body} if body else {})})

    def _emit_important(self, said: str) -> None:
        self._emit("output", {"category": "important", "output": f"octogram-tui: {safe(said)}\n"})

    # What comes in

    async def _read(self) -> None:
        while True:
            try:
                message = await read_message(self._reader)
            except BodyError as error:
                self._emit_important(error.message)
                continue
            except FramingError as error:
                self._emit_important(error.message)
                return
            if message is None:
                asked = [*self._waiting, *([self._now[0]] if self._now is not None else [])]
                if any(request.command == "disconnect" for request in asked):
                    await asyncio.Event().wait()  # it is said there how we part
                return
            request = request_of(message)
            if request is None:
                if message.get("type") not in ("response", "event"):  # we ask nothing, so that nothing is answered
                    self._emit_important("a message is no request: it needs `seq`, `type` and `command`")
                continue
            if request.command == "cancel":
                self._cancel(request)
                continue
            broken_off = CANCELLABLE | BEGINNINGS if request.command == "disconnect" else CANCELLABLE
            if request.command in URGENT and self._now is not None and self._now[0].command in broken_off:
                self._now[1].cancel()
            self._waiting.append(request)
            self._asked.set()
            if len(self._waiting) > MOST_WAITING:
                self._emit_important("so many requests wait that no more are taken")
                return

    def _cancel(self, request: Request) -> None:
        """Break off a request that is under way, or never begin one that waits; else there is nothing to break off."""
        try:
            wanted = request.arguments.number("requestId", ALL % 2**31, least=-(2**31))
        except RequestFailed as failed:
            self._send(refusal(request, failed))
            return
        for waiting in self._waiting:
            if waiting.seq == wanted:
                self._waiting.remove(waiting)
                self._send(refusal(waiting, RequestFailed("cancelled")))
                break
        else:
            if self._now is not None and self._now[0].seq == wanted and self._now[0].command in CANCELLABLE:
                self._now[1].cancel()
        self._send(success(request, None))

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._asked.clear()
                await self._asked.wait()
            request = self._waiting.popleft()
            task = self._loop.create_task(self._handle(request))
            self._now = (request, task)
            self._room.set()  # what came of it is told by the run
            try:
                await asyncio.wait([task])
            finally:
                self._now = None
            self._answer(request, task)
            for after in self._flush_after():
                done = after()
                if done is not None:
                    await done
            await self._tell()
            await self._writer.drain()
            if self._has_left:
                return

    def _is_hurried(self) -> bool:
        """Whether something waits that ends, or breaks off, what takes long."""
        return any(request.command in (*URGENT, "pause") for request in self._waiting)

    def _flush_after(self) -> list[Callable[[], Awaitable[None] | None]]:
        after, self._after = self._after, []
        return after

    def _answer(self, request: Request, task: asyncio.Task[dict[str, Any] | None]) -> None:
        if task.cancelled():
            self._send(refusal(request, RequestFailed("cancelled")))
            return
        error = task.exception()
        if error is None:
            self._send(success(request, task.result()))
        elif isinstance(error, RequestFailed):
            self._send(refusal(request, error))
        elif isinstance(error, OctogramError):
            said = f"{error.message}\n{error.hint}".strip().splitlines()
            told = "; ".join(line.strip() for line in said)
            self._send(refusal(request, RequestFailed(safe(told), is_shown=True)))
        else:
            self._send(refusal(request, RequestFailed(safe(f"a defect of octogram-tui: {error!r}"), is_shown=True)))
            self._loop.call_exception_handler({"message": f"request {request.command!r}", "exception": error})

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
            raise RequestFailed("paths are paths here, and no addresses")
        for name in ("linesStartAt1", "columnsStartAt1", "supportsProgressReporting", "supportsInvalidatedEvent"):
            asked.flag(name)
        self._initialized = asked
        return ALWAYS

    async def _launch(self, asked: Arguments) -> None:
        self._refuse_second()
        self._launched = asked
        if "replay" in asked:
            opened = await self._opener.replay(asked.system_text("replay"))
            manner = Manner(stops_on_entry=asked.flag("stopOnEntry", default=True), seen=ALL)
            await self._open(opened, manner, owns=False)
            return
        await self._begin_run(asked)

    async def _begin_run(self, asked: Arguments) -> None:
        is_debugged = not asked.flag("noDebug")
        wanted = LaunchWanted(
            program=asked.system_text("program"),
            options=tuple(asked.system_texts("args")),
            cwd=asked.system_text("cwd", ""),
            environment=_environment(asked.object("env")),
            keeps_alive=asked.flag("keepAlive"),
            holds_failures=is_debugged,
        )
        manner = Manner(
            stops_on_entry=asked.flag("stopOnEntry") and is_debugged,
            steps="all" if _chosen(asked, "steps", ("agent", "all")) == "all" else "agent",
            stops=is_debugged,
        )
        mode = _chosen(asked, "holdMode", ("all", "alone"))
        try:
            opened = await self._opener.launch(wanted)
        except ScenarioError as error:
            for problem in error.problems:
                self._emit("output", _problem(problem))
            raise
        await self._open(opened, manner, owns=True)
        assert self._debugging is not None
        if mode == "alone":
            await self._debugging.debuggee.ask(HoldModeRequest("alone"))

    async def _attach(self, asked: Arguments) -> None:
        self._refuse_second()
        only_watches = asked.flag("readOnly")
        opened = await self._opener.attach(asked.system_text("run", "last"), only_watches=only_watches)
        seen = opened.seen
        manner = Manner(steps="all" if _chosen(asked, "steps", ("agent", "all")) == "all" else "agent", seen=seen)
        await self._open(opened, manner, owns=False)
        assert self._debugging is not None
        debuggee = self._debugging.debuggee
        await debuggee.until(lambda: debuggee.board.seq >= seen)
        if asked.flag("takeControl") and not only_watches and not debuggee.has_control:
            await debuggee.take_control()
        self._debugging.was_paused = debuggee.board.is_paused
        if not debuggee.has_control:
            said = "another console holds control of this run" if not only_watches else "this client only watches"
            self._debugging.say(f"{said}: `take_control` in the debug console takes it", "important")

    def _refuse_second(self) -> None:
        if self._debugging is not None:
            raise RequestFailed("something is debugged already: one session is for one run")

    async def _open(self, opened: Opened, manner: Manner, *, owns: bool) -> None:
        assert self._initialized is not None
        debuggee = Debuggee(opened, owns=owns)
        debugging = Debugging(debuggee, self._initialized, manner, self._emit, self._look_later, self._is_hurried)
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
        if before is not None:  # it is the same session that goes on
            return
        self._after.append(lambda: self._opened(debuggee))

    def _opened(self, debuggee: Debuggee) -> None:
        opened = debuggee.opened
        if debuggee.is_replay:
            self._emit("capabilities", {"capabilities": OF_REPLAY})
        process: dict[str, Any] = {"name": opened.scenario, "isLocalProcess": True}
        process |= {"startMethod": "launch" if debuggee.owns or debuggee.is_replay else "attach"}
        self._emit("process", process | ({"systemProcessId": opened.pid} if opened.pid else {}))
        self._emit("initialized", {})

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
                while len(self._untold) > MOST_UNTOLD and self._now is None and not self._over.done():
                    self._room.clear()
                    await self._room.wait()
        except OctogramError as error:
            self._emit_important(error.message)
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
            if self._now is None or self._now[0].command not in MOVES:
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
            if self._ended is debugging.debuggee and not self._has_left and not self._is_restarting:
                debugging.end()
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

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
        self._has_left = True
        debugging = self._debugging
        if debugging is None:
            return
        ends = asked.flag("terminateDebuggee", default=debugging.debuggee.owns)
        if asked.flag("suspendDebuggee"):
            ends = False
        await self._let_go(debugging, ends=ends, suspends=asked.flag("suspendDebuggee"))

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
        self._is_restarting = True
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
            self._is_restarting = False

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


def _environment(given: Arguments) -> dict[str, str | None]:
    for name, value in given.given.items():
        if value is not None and not isinstance(value, str):
            raise RequestFailed(f"`env` gives {safe(name, limit=60)} what is no text")
        if not name or "=" in name or not is_takeable(f"{name}{value}"):
            raise RequestFailed(
                f"`env` has {quoted(name, 60)}, of which no variable can be made: a name without `=`, and no NUL"
            )
    return given.given


def _chosen(asked: Arguments, name: str, words: tuple[str, ...]) -> str:
    word = asked.text(name, words[0])
    if word not in words:
        raise RequestFailed(f"`{name}` is one of {', '.join(words)}, not {safe(word, limit=40)}")
    return word


def _problem(problem: Any) -> dict[str, Any]:
    """Write what is wrong in a scenario, with its place."""
    said = f"{problem.file}:{problem.line}:{problem.column}: {problem.message}" if problem.line else problem.message
    hint = f"\n  hint: {safe(problem.hint)}" if problem.hint else ""
    body: dict[str, Any] = {"category": "stderr", "output": f"{safe(said)}{hint}\n"}
    if problem.file and problem.line:
        body |= {"source": {"path": problem.file}, "line": problem.line, "column": max(1, problem.column)}
    return body
