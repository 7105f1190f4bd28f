"""What one client debugs, from `launch` or `attach` on until it leaves: opened, begun, begun anew, ended, let go of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from octogram_tui.dap.beginning import joined, launched, replayed
from octogram_tui.dap.capabilities import OF_REPLAY
from octogram_tui.dap.debuggee import Debuggee, Opened, Opener
from octogram_tui.dap.debugging import Debugging, Manner
from octogram_tui.dap.incoming import Incoming
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.news import News
from octogram_tui.dap.outgoing import Outgoing
from octogram_tui.dap.positions import Positions
from octogram_tui.engine.stimuli import HoldModeRequest
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe

ENDS_S = 60.0
"""So long a run has to end, or to hear how it is left."""
NOTHING_THERE = "the journal holds no event: there is nothing to replay"


class Course:
    """Does the requests that begin and end what is debugged.

    initialized  what the client said of itself, None before it has
    after        what is to be done once the answer to the request of now has gone out
    has_left     the client has said how it parts, or was seen to be gone
    """

    def __init__(self, requests: Incoming, out: Outgoing, news: News, opener: Opener) -> None:
        self._requests = requests
        self._out = out
        self._news = news
        self._opener = opener
        self._loop = asyncio.get_running_loop()
        self._launched: Arguments | None = None
        self._is_stopping = False
        self._later: set[asyncio.TimerHandle] = set()
        self.initialized: Arguments | None = None
        self.after: list[Callable[[], Awaitable[None] | None]] = []
        self.has_left = False
        self.handlers: dict[str, Callable[[Arguments], Awaitable[dict[str, Any] | None]]] = {
            "launch": self._launch,
            "attach": self._attach,
            "configurationDone": self._configured,
            "terminate": self._terminate,
            "restart": self._restart,
            "disconnect": self._disconnect,
        }

    # Beginning

    async def _launch(self, asked: Arguments) -> None:
        self._refuse_second()
        self._launched = asked
        if "replay" in asked:
            await self._open(*await replayed(self._opener, asked), owns=False)
        else:
            await self._begin_run(asked)

    async def _begin_run(self, asked: Arguments) -> None:
        assert self.initialized is not None
        opened, manner = await launched(self._opener, asked, Positions(self.initialized), self._out.emit)
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
        assert self.initialized is not None
        debuggee = Debuggee(opened, owns=owns)
        out, requests = self._out, self._requests
        debugging = Debugging(
            debuggee, self.initialized, manner, out.emit, self._look_later, lambda: requests.is_hurried
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
            self.after.append(lambda: self._opened(debuggee))
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
        self.after.append(self._news.debugging.begin)

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
        if debugging.debuggee.is_replay:
            self.after.append(debugging.end)
            return
        await debugging.stop(by_force=self._is_stopping)
        self._is_stopping = True

    async def _disconnect(self, asked: Arguments) -> None:
        debugging = self._news.debugging
        suspends = asked.flag("suspendDebuggee")
        ends = asked.flag("terminateDebuggee", default=debugging is not None and debugging.debuggee.owns)
        self.has_left = True
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

    async def part(self) -> None:
        """The client is gone, said so or not: see to what it leaves, and let go of it."""
        debugging = self._news.debugging
        if debugging is not None and not self.has_left:
            self.has_left = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDS_S):
                    await self._let_go(debugging, ends=debugging.debuggee.owns)
        await self._news.stop_listening()
        if debugging is not None:
            await debugging.debuggee.source.close()
        for each in self._later:
            each.cancel()

    async def _restart(self, asked: Arguments) -> None:
        """End the run, and begin it anew, with what the client wants to stop at as it is."""
        debugging = self._news.debugging
        assert debugging is not None
        if debugging.is_ended:  # as was told: nobody would hear of another
            raise RequestFailed("it is over: launch it in another session")
        if debugging.debuggee.is_replay:
            self.after.append(debugging.begin)
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
                self.after.append(debugging.end)
                raise
            again = self._news.debugging
            assert again is not None
            await again.take_over(debugging)
            self.after.append(again.begin)
            self._is_stopping = False
        finally:
            self._out.is_restarting = False

    async def _end_before(self, debugging: Debugging) -> None:
        debuggee = debugging.debuggee
        if not debuggee.is_over:
            await debugging.stop()
            try:
                async with asyncio.timeout(ENDS_S):
                    await debuggee.until(lambda: debuggee.board.phase is Phase.FINISHED)
            except TimeoutError:
                raise RequestFailed("the run does not end: terminate it first") from None
        await self._news.stop_listening()
        await debuggee.source.close()
