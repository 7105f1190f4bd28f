"""Going about in the journal of a run, forward and back: by what an agent did, or to where a breakpoint stands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from octogram_tui.dap.breakpoints import Breakpoints, Wanted
from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.handles import Handles
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.threads import Threads
from octogram_tui.engine import events as ev
from octogram_tui.model.breakpoint import Breakpoint, When, is_reached
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern, fits
from octogram_tui.projection.text import safe
from octogram_tui.prompt.moments import moment_lines

PIECE_S = 0.05
"""So long it looks for a stop before it listens to the client again."""

Handler = Callable[[Arguments], Awaitable[dict[str, Any] | None]]


class Mark(NamedTuple):
    """A moment at which something may stop. begins: an attempt; name: of a variable, or the kind of a failure."""

    seq: int
    agent: str
    when: When | None
    instance: InstanceId | None = None
    name: str = ""
    begins: bool = False


class Rewinding:
    """The requests that move in a replay. Everybody stands still all the time, for it is all over.

    is_hurried  whether the client waits for something that is not to wait: then what looks for a stop stops itself
    """

    def __init__(
        self,
        debuggee: Debuggee,
        threads: Threads,
        breakpoints: Breakpoints,
        handles: Handles,
        emit: Callable[[str, dict[str, Any]], None],
        end: Callable[[], None],
        is_hurried: Callable[[], bool],
    ) -> None:
        self._debuggee = debuggee
        self._threads = threads
        self._breakpoints = breakpoints
        self._handles = handles
        self._emit = emit
        self._end = end
        self._is_hurried = is_hurried
        self._marks: list[Mark] = []
        self._holds: dict[tuple[str, str, int], bool] = {}  # whether a condition held, by who and when
        self._times: dict[Breakpoint, dict[Mark, int]] = {}  # of those with hits: which of its moments is how often
        self._agent = ""
        self._after: Callable[[], Awaitable[None] | None] | None = None
        self.handlers: dict[str, Handler] = {
            "continue": self.go_on,
            "reverseContinue": self.go_back,
            "next": lambda asked: self._by(asked, 1, lambda mark, agent: mark.agent == agent and mark.begins),
            "stepBack": lambda asked: self._by(asked, -1, lambda mark, agent: mark.agent == agent and mark.begins),
            "stepIn": lambda asked: self._by(asked, 1, lambda mark, agent: mark.agent == agent),
            "stepOut": lambda asked: self._by(asked, 1, lambda mark, _: mark.when == "stage"),
            "pause": self.pause,
        }

    # What there is

    def apply(self, event: ev.Event) -> None:
        """Note the moments of one event."""
        seq = event.seq
        match event:
            case ev.StageStarted():
                self._marks.append(Mark(seq, "", "stage", InstanceId(event.stage, "", "")))
            case ev.JobStarted():
                self._marks.append(Mark(seq, event.agent, "before", event.instance, begins=True))
            case ev.JobFinished():
                kind = event.failure.kind if event.failure is not None else ""
                when: When = "after"
                if event.state == "skipped":
                    when = "skipped"
                elif event.failure is not None and not event.is_tolerated:
                    when = "retried" if event.will_retry else "failed"
                self._marks.append(Mark(seq, event.agent, when, event.instance, kind))
            case ev.AgentLost():
                self._marks.append(Mark(seq, event.agent, "lost"))
            case ev.VariableChanged() | ev.EntryRegistered():
                self._marks.append(Mark(seq, "", "variable", None, event.name))
            case _:
                pass

    # Where one is

    async def begin(self, *, at_end: bool) -> None:
        """Show the first moment, or go on to the first that stops."""
        self._debuggee.model.time.go_to(self._marks[0].seq if self._marks else 1)
        if at_end:
            await self._to_stop(1)
        else:
            self._tell("entry")

    async def go_on(self, asked: Arguments) -> dict[str, Any]:
        """Go forward to what stops; behind the last there is the end, and behind that nothing."""
        self._agent = self._threads.agent(asked.number("threadId"))
        if not self._debuggee.model.is_back:
            self._after = self._end
        else:
            self._after = lambda: self._to_stop(1)
        return {"allThreadsContinued": True}

    async def go_back(self, asked: Arguments) -> None:
        """Go back to what stopped before."""
        self._agent = self._threads.agent(asked.number("threadId"))
        self._after = lambda: self._to_stop(-1)

    async def pause(self, _: Arguments) -> None:
        """Everybody stands still already."""
        self._after = lambda: self._tell("pause")

    async def answered(self) -> None:
        """Do what the request asked for, now that the client has its answer."""
        after, self._after = self._after, None
        done = after() if after is not None else None
        if done is not None:
            await done

    async def _by(self, asked: Arguments, by: int, is_meant: Callable[[Mark, str], bool]) -> None:
        agent = self._agent = self._threads.agent(asked.number("threadId"))
        seq = self._debuggee.model.shown.seq
        found = next((mark for mark in self._on(seq, by) if is_meant(mark, agent)), None)
        if found is None and (by > 0) is not self._debuggee.model.is_back and by > 0:
            raise RequestFailed("this is the end of the run", is_shown=True)
        if found is None and by < 0 and (not self._marks or seq <= self._marks[0].seq):
            raise RequestFailed("this is the beginning of the run", is_shown=True)
        self._after = lambda: self._to(found, by, "step")

    def _on(self, seq: int, by: int) -> Iterable[Mark]:
        if by > 0:
            return (mark for mark in self._marks if mark.seq > seq)
        return (mark for mark in reversed(self._marks) if mark.seq < seq)

    async def _to_stop(self, by: int) -> None:
        rested_s = time.monotonic()
        for mark in self._on(self._debuggee.model.shown.seq, by):
            if time.monotonic() - rested_s > PIECE_S:
                await asyncio.sleep(0)
                rested_s = time.monotonic()
                if self._is_hurried():
                    self._to(mark, by, "pause")
                    return
            met = [wanted for wanted in self._breakpoints.stopping() if self._meets(wanted, mark)]
            if met:
                self._to(mark, by, met[0].cause, [each.id for each in met if each.cause != "exception"])
                return
        self._to(None, by, "pause")

    def _to(self, mark: Mark | None, by: int, reason: str, ids: list[int] | None = None) -> None:
        line = self._debuggee.model.time
        if mark is not None:
            line.go_to(mark.seq)
        elif by > 0:
            line.go_to_head()
        else:
            line.go_to(self._marks[0].seq if self._marks else 1)
        self._tell(reason, mark.agent if mark is not None else "", ids)

    def _tell(self, reason: str, agent: str = "", ids: list[int] | None = None) -> None:
        board = self._debuggee.model.board
        self._handles.forget(board.agents)
        agent = agent or self._agent or next(iter(board.agents), "")
        if not agent:
            return
        said = safe("; ".join(line.strip() for line in moment_lines(self._debuggee.model)))
        body = {"reason": reason, "threadId": self._threads.number(agent), "allThreadsStopped": True}
        body |= {"description": said, "text": said}
        self._emit("stopped", body | ({"hitBreakpointIds": ids} if ids else {}))

    # Whether something stops there

    def _meets(self, wanted: Wanted, mark: Mark) -> bool:
        given = wanted.breakpoint
        if given is None or not self._is_at(wanted, mark) or not self._holds_at(wanted, mark):
            return False
        return not given.hits or is_reached(given.hits, self._times_of(wanted, given).get(mark, 0))

    def _times_of(self, wanted: Wanted, given: Breakpoint) -> dict[Mark, int]:
        """Count once, from the beginning on, how often each of its moments has been one."""
        found = self._times.get(given)
        if found is None:
            held = (mark for mark in self._marks if self._is_at(wanted, mark) and self._holds_at(wanted, mark))
            found = self._times[given] = {mark: number for number, mark in enumerate(held, 1)}
        return found

    def _is_at(self, wanted: Wanted, mark: Mark) -> bool:
        given = wanted.breakpoint
        if given is None or given.when != mark.when or given.log:
            return False
        if not fits(given.name, mark.name):
            return False
        if mark.when == "variable":
            return True
        pattern = _parsed(given.pattern)
        if mark.when == "lost":
            return pattern.matches_agent(mark.agent)
        if mark.instance is None:
            return False
        return pattern.matches_stage(mark.instance.stage) if mark.when == "stage" else pattern.matches(mark.instance)

    def _holds_at(self, wanted: Wanted, mark: Mark) -> bool:
        given = wanted.breakpoint
        if given is None or not given.condition:
            return True
        key = (given.condition, given.when, mark.seq)
        if key not in self._holds:
            self._holds[key] = self._decide(given.condition, mark)
        return self._holds[key]

    def _decide(self, condition: str, mark: Mark) -> bool:
        """Look at that moment; a condition that cannot be evaluated stops, as it does in a run."""
        from octogram_tui.tui.here import value_here

        model = self._debuggee.model
        model.time.go_to(mark.seq)  # and stay: the next moment to look at is near
        row = model.board.instances.get(mark.instance) if mark.instance is not None else None
        answer = value_here(model, condition, row or model.board.agents.get(mark.agent))
        return bool(answer["problem"] or answer["value"])


@lru_cache(maxsize=100)
def _parsed(pattern: str) -> Pattern:
    return Pattern.parse(pattern)
