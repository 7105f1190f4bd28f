"""One run, or one journal, under the debugger: its parts, the requests that are about it, and what is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from octogram_tui.dap.breakpoints import Breakpoints
from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.evaluating import Evaluating
from octogram_tui.dap.frames import Frames
from octogram_tui.dap.handles import Handles
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.moving import Moving, Steps, failed_row
from octogram_tui.dap.places import lines_between
from octogram_tui.dap.positions import Positions
from octogram_tui.dap.rewinding import Rewinding
from octogram_tui.dap.scopes import Scopes
from octogram_tui.dap.sources import Sources
from octogram_tui.dap.stopping import Stopping
from octogram_tui.dap.telling import Telling
from octogram_tui.dap.threads import Threads
from octogram_tui.engine import events as ev
from octogram_tui.engine.stimuli import GoRequest, StopRequest
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe

Emit = Callable[[str, dict[str, Any]], None]
Handler = Callable[[Arguments], Awaitable[dict[str, Any] | None]]
TAIL_LINES = 20


class Manner(NamedTuple):
    """How it is debugged. seen: the number of the event up to which all is history; holds_alone: one agent each."""

    stops_on_entry: bool = False
    steps: Steps = "agent"
    stops: bool = True
    seen: int = 0
    holds_alone: bool = False
    only_watches: bool = False
    takes_control: bool = False


class Debugging:
    """What there is once a run was opened."""

    def __init__(
        self,
        debuggee: Debuggee,
        initialized: Arguments,
        manner: Manner,
        emit: Emit,
        look_later: Callable[[float, Callable[[], None]], None],
        is_hurried: Callable[[], bool],
    ) -> None:
        self.debuggee = debuggee
        self._manner = manner
        self._emit = emit
        self._invalidates = initialized.flag("supportsInvalidatedEvent")
        self._sources = Sources(debuggee, Positions(initialized))
        self._threads = Threads()
        self._frames = Frames(debuggee, self._sources)
        self._handles = Handles()
        self._scopes = Scopes(debuggee, self._frames, self._handles)
        self.breakpoints = Breakpoints(debuggee, self._sources, is_on=manner.stops)
        self.breakpoints.changed = lambda body: emit("breakpoint", body)
        self._telling = Telling(
            debuggee,
            self._sources,
            emit,
            shows_progress=initialized.flag("supportsProgressReporting"),
            since_seq=manner.seen,
        )
        self._stopping = Stopping(debuggee, self._threads, self.breakpoints, emit, look_later)
        self._rewinding = Rewinding(
            debuggee, self._threads, self.breakpoints, self._handles, emit, self.end, is_hurried
        )
        self._evaluating = Evaluating(
            debuggee, self._frames, self._scopes, self._handles, self._sources, self._moment_changed
        )
        self._is_configured = False
        self._is_at_gate = False
        self._had_control = False
        self._is_finished = False  # and this was told
        self.is_ended = False
        self.was_paused = not debuggee.owns  # so that one that is left before this is known stays as it is
        moving = Moving(
            debuggee, self._threads, self._frames, self._handles, self._sources, self._stopping, manner.steps
        )
        self.handlers: dict[str, Handler] = {
            "threads": self._list_threads,
            "stackTrace": self._stack,
            "scopes": self._list_scopes,
            "variables": self._scopes.variables,
            "setVariable": self._set_variable,
            "setExpression": self._set_expression,
            "evaluate": self._evaluating.evaluate,
            "completions": self._evaluating.completions,
            "exceptionInfo": self._exception_info,
            "source": self._source,
            "loadedSources": self._loaded_sources,
            "breakpointLocations": self._locations,
            "setBreakpoints": self._breaks(self.breakpoints.set_lines),
            "setFunctionBreakpoints": self._breaks(self.breakpoints.set_functions),
            "setDataBreakpoints": self._breaks(self.breakpoints.set_data),
            "setExceptionBreakpoints": self._breaks(self.breakpoints.set_exceptions),
            "dataBreakpointInfo": self._data_info,
            **(self._rewinding.handlers if debuggee.is_replay else moving.handlers),
        }

    # From the beginning to the end

    async def join(self) -> None:
        """Come to a run that has gone on long before: learn where it is, and who controls it."""
        debuggee, manner = self.debuggee, self._manner
        await debuggee.until(lambda: debuggee.board.seq >= manner.seen)
        if manner.takes_control and not debuggee.has_control:
            await debuggee.take_control()
        self.was_paused = debuggee.board.is_paused
        if not debuggee.has_control:
            said = "this client only watches" if manner.only_watches else "another console holds control of this run"
            self.say(f"{said}: `take_control` in the debug console takes it", "important")

    async def begin(self) -> None:
        """The client has said all, and has its answer: tell where the run is, and from now on what it does."""
        self._is_configured = True
        if self.debuggee.is_replay:
            await self._rewinding.begin(at_end=not self._manner.stops_on_entry)
            return
        self._is_at_gate = self.debuggee.owns
        if not self._is_at_gate:
            self._stopping.watch()

    async def _begin_run(self) -> None:
        """A run of ours stands at its first job, or was stopped before: let it go on, unless it is to stop there.

        It is let go no sooner: before that, going on might answer a stage that asks, for somebody who has not seen it.
        A breakpoint on the stage may have come when that had begun already, and holds it all the same.
        """
        if not (self._is_at_gate and self._stopping.stands):
            return
        self._is_at_gate = False
        if self._stopping.is_at_beginning and not self._manner.stops_on_entry:
            stage = self.debuggee.board.current_stage
            met = await self.breakpoints.on_stage(stage.name) if stage is not None else None
            if met is not None:
                self._stopping.met_at_beginning(met)
            else:
                with suppress(RequestFailed):  # it is at its end already
                    await self.debuggee.ask(GoRequest())
        self._stopping.watch()

    async def take_over(self, before: Debugging) -> None:
        """Stop at all that the client wanted to stop at in the run before."""
        self.breakpoints.take_over(before.breakpoints)
        await self.breakpoints.bring_about()
        self.breakpoints.tell_changes()

    def note(self, batch: list[ev.Event]) -> None:
        """Take in what a journal holds: of that no event is told, but the moment that is looked at."""
        for event in batch:
            self._rewinding.apply(event)

    async def take(self, piece: list[ev.Event], *, is_last: bool) -> None:
        """Tell the client of what the run has stated. is_last: there is no more by now, so that all fits together."""
        for event in piece:
            self._is_finished = self._is_finished or isinstance(event, ev.RunFinished)
            self._telling.apply(event)
            self._stopping.apply(event)
            await self.breakpoints.apply(event)
        if not is_last:
            return
        for change in self._threads.changes(self.debuggee.board, stay=self.debuggee.is_replay):
            self._emit("thread", change)
        await self.look()
        if self._is_finished:
            self.end()

    async def look(self) -> None:
        """Tell what is otherwise by now, whoever has done that."""
        await self._begin_run()
        self._telling.look()
        refusals, self.debuggee.source.refusals[:] = list(self.debuggee.source.refusals), []
        for refusal in refusals:
            self._telling.say(safe(f"refused: {refusal}"), "stderr")
        has_control = self.debuggee.has_control
        if has_control and not self._had_control and self._is_configured and not self.debuggee.is_over:
            await self.breakpoints.bring_about()
            self.breakpoints.tell_changes()
        self._had_control = has_control
        self._stopping.look()

    async def answered(self) -> None:
        """The client has its answer to what moves in a replay."""
        await self._rewinding.answered()

    def end(self) -> None:
        """Tell that it is over, once."""
        if self.is_ended:
            return
        self.is_ended = True
        code = self.debuggee.board.exit_code
        if code is not None:
            self._emit("exited", {"exitCode": code})
        elif not self.debuggee.is_replay:
            self._telling.say("the run's process went away, or its connection was lost", "important")
        self._emit("terminated", {})

    async def stop(self, *, by_force: bool = False) -> None:
        """Have the run end."""
        if self.debuggee.is_over or self.debuggee.board.phase is Phase.FINISHED:
            return
        await self.debuggee.ask(StopRequest(by="operator", force=by_force))

    async def leave(self, *, suspends: bool = False) -> None:
        """Leave the run as it was before: without our breakpoints, and going on unless somebody is to find it so."""
        if self.debuggee.is_over or not self.debuggee.has_control:
            return
        try:
            await self.breakpoints.take_all_away()
            is_alone = getattr(self.debuggee.source, "consoles", 1) == 1
            if not suspends and not self.was_paused and is_alone and self.debuggee.board.is_paused:
                await self.debuggee.ask(GoRequest())
        except RequestFailed:
            pass  # it holds for a reason that somebody has to see to, or is over

    def say(self, text: str, category: str = "console") -> None:
        """Tell the user something."""
        self._telling.say(text, category)

    def _moment_changed(self) -> None:
        if self._invalidates:
            self._emit("invalidated", {"areas": ["all"]})

    # Requests

    async def _list_threads(self, _: Arguments) -> dict[str, Any]:
        return {"threads": self._threads.listed(self.debuggee.board)}

    async def _stack(self, asked: Arguments) -> dict[str, Any]:
        agent = self._threads.agent(asked.number("threadId"))
        return self._frames.written(agent, asked.number("startFrame", 0), asked.number("levels", 0))

    async def _list_scopes(self, asked: Arguments) -> dict[str, Any]:
        return {"scopes": self._scopes.of(self._frames.find(asked.number("frameId")))}

    async def _set_variable(self, asked: Arguments) -> dict[str, Any]:
        return await self._scopes.set_variable(asked)

    async def _set_expression(self, asked: Arguments) -> dict[str, Any]:
        return await self._evaluating.set_expression(asked)

    async def _source(self, asked: Arguments) -> dict[str, Any]:
        return self._sources.text(asked)

    async def _loaded_sources(self, _: Arguments) -> dict[str, Any]:
        return {"sources": [self._sources.written()]}

    async def _locations(self, asked: Arguments) -> dict[str, Any]:
        source = asked.object("source")
        if not (source.number("sourceReference", 0) or self.debuggee.is_scenario(source.path("path", ""))):
            return {"breakpoints": []}
        first = self._sources.positions.line_in(asked.number("line"))
        last = self._sources.positions.line_in(asked.number("endLine", asked.number("line")))
        lines = lines_between(self.debuggee.model.source, first, last)
        return {"breakpoints": [{"line": self._sources.positions.line_out(line)} for line in lines]}

    def _breaks(self, take: Callable[[Arguments], Awaitable[list[dict[str, Any]]]]) -> Handler:
        async def handle(asked: Arguments) -> dict[str, Any]:
            return {"breakpoints": await take(asked)}

        return handle

    async def _data_info(self, asked: Arguments) -> dict[str, Any]:
        name = self._scopes.watched(asked)
        if not name:
            return {"dataId": None, "description": "only a change of a variable of the run can be waited for"}
        told = {"dataId": name, "description": f"vars.{safe(name, limit=100)} changes"}
        return {**told, "accessTypes": ["write"], "canPersist": True}

    async def _exception_info(self, asked: Arguments) -> dict[str, Any]:
        agent = self._threads.agent(asked.number("threadId"))
        row = failed_row(self._frames, self.debuggee, agent)
        if row is None or row.last is None or row.last.failure is None:
            raise RequestFailed("nothing has failed on this agent")
        failure = row.last.failure
        lines = deque(self.debuggee.model.written(row, row.last), TAIL_LINES)
        written = [f"| {safe(line)}" for line in lines]
        hint = f"\nhint: {safe(failure.hint)}" if failure.hint else ""
        code = failure.detail.get("exit_code")
        details = {
            "message": safe(failure.message) + hint,
            "typeName": safe(failure.kind),
            "fullTypeName": safe(row.full_name),
            "evaluateName": "res",
            "stackTrace": "\n".join([f"{safe(row.full_name)}#{row.last.number}", *written]),
        }
        return {
            "exceptionId": safe(failure.kind),
            "description": safe(failure.message) + (f" (exit code {code})" if code is not None else "") + hint,
            "breakMode": "always",
            "details": details,
        }
