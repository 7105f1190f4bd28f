"""Going on in a run: continue, step, pause, back to a stage, and doing a frame again. Each is a verb of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.frames import Frames
from octogram_tui.dap.handles import Handles
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.places import place_of
from octogram_tui.dap.sources import Sources
from octogram_tui.dap.stopping import Stopping
from octogram_tui.dap.threads import Threads
from octogram_tui.engine.stimuli import (
    BackRequest,
    Depth,
    GoRequest,
    PauseRequest,
    RerunRequest,
    StepRequest,
    StopRequest,
)
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.places import pattern_of
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.rows import Group, InstanceRow, Kind
from octogram_tui.tui.model import rerun_of

Handler = Callable[[Arguments], Awaitable[dict[str, Any] | None]]
Steps = Literal["agent", "all"]


class Moving:
    """The requests that move a run. steps: whom a step is for, the agent whose thread it is, or all who stand there."""

    def __init__(
        self,
        debuggee: Debuggee,
        threads: Threads,
        frames: Frames,
        handles: Handles,
        sources: Sources,
        stopping: Stopping,
        steps: Steps,
    ) -> None:
        self._debuggee = debuggee
        self._threads = threads
        self._frames = frames
        self._handles = handles
        self._sources = sources
        self._stopping = stopping
        self._steps = steps
        self._targets: list[str] = []  # stages to go back to, by their numbers
        self.handlers: dict[str, Handler] = {
            "continue": self.go_on,
            "next": lambda asked: self._step(asked, "over"),
            "stepIn": lambda asked: self._step(asked, "into"),
            "stepOut": lambda asked: self._step(asked, "out"),
            "pause": self.pause,
            "restartFrame": self.restart_frame,
            "gotoTargets": self.goto_targets,
            "goto": self.goto,
        }

    async def go_on(self, asked: Arguments) -> dict[str, Any]:
        """Let the run go on, or one agent; at its end, let it end."""
        agent = self._threads.agent(asked.number("threadId"))
        board = self._debuggee.board
        is_single = asked.flag("singleThread") or (
            not board.is_paused and not board.confirmations and board.is_agent_held(agent)
        )
        if board.phase is Phase.DONE and not board.in_flight:
            await self._debuggee.ask(StopRequest(by="end", exit_code=board.done_exit_code))
        else:
            await self._debuggee.ask(GoRequest(agent if is_single else ""))
        self._goes_on(agent if is_single else "")
        return {"allThreadsContinued": not is_single}

    def _goes_on(self, agents: str) -> None:
        self._handles.forget(self._stopping.goes_on(agents))

    async def _step(self, asked: Arguments, depth: Depth) -> None:
        agent = self._threads.agent(asked.number("threadId"))
        unit = "" if asked.flag("singleThread") or self._steps == "agent" else self._unit(agent, depth)
        whose = "" if unit else agent
        top = self._frames.top(agent)
        if top is not None and top.state in (State.FAILED, State.LOST):  # the run says that no step passes it
            unit = pattern_of(top)
        await self._debuggee.ask(StepRequest("over" if unit else depth, unit, whose))
        self._goes_on(whose)

    def _unit(self, agent: str, depth: Depth) -> str:
        """Name what all agents step over together: the job that this one stands at, or its stage; empty for neither."""
        top = self._frames.top(agent)
        if top is None or depth == "into":
            return ""
        return str(Pattern.of(top.stage.name, top.job.name if depth == "over" else ""))

    async def pause(self, asked: Arguments) -> None:
        """Hold before the next job: everywhere, or where only agents are held, that one."""
        agent = self._threads.agent(asked.number("threadId")) if asked.number("threadId", 0) else ""
        is_alone = self._debuggee.board.stops.mode == "alone"
        await self._debuggee.ask(PauseRequest(agent if is_alone else ""))

    async def restart_frame(self, asked: Arguments) -> None:
        """Run a row again: an instance, a job on its agent, or what the agent did in a stage."""
        frame = self._frames.find(asked.number("frameId"))
        row = self._frames.row(frame)
        if row is None:
            raise RequestFailed("the scenario has no such row any more")
        if isinstance(row, Group) and row.kind is Kind.STAGE:
            request = RerunRequest(row.name, "", frame.agent)
        else:
            request = rerun_of(row)
        await self._debuggee.ask(request)
        self._goes_on(frame.agent)
        self._stopping.let_through(frame.agent, "restart")

    async def goto_targets(self, asked: Arguments) -> dict[str, Any]:
        """Offer the stage that a line belongs to, where the run has been there: it can go on from its beginning."""
        source = asked.object("source")
        if not (source.number("sourceReference", 0) or self._debuggee.is_scenario(source.path("path", ""))):
            return {"targets": []}
        place = place_of(self._debuggee.model.source, self._sources.positions.line_in(asked.number("line")))
        group = self._debuggee.model.source.row_at(place.line) if place is not None else None
        if group is None or group.stage.started_s is None:
            return {"targets": []}
        stage = group.stage
        if stage.name not in self._targets:
            self._targets.append(stage.name)
        target = {
            "id": self._targets.index(stage.name) + 1,
            "label": f"back to the beginning of stage {stage.name}",
            "line": self._sources.positions.line_out(stage.line),
        }
        return {"targets": [target]}

    async def goto(self, asked: Arguments) -> None:
        """Go back to a stage."""
        number = asked.number("targetId")
        if not 1 <= number <= len(self._targets):
            raise RequestFailed(f"there is no target {number}")
        await self._debuggee.ask(BackRequest(self._targets[number - 1]))
        self._goes_on("")
        self._stopping.moved("goto")


def failed_row(frames: Frames, debuggee: Debuggee, agent: str) -> InstanceRow | None:
    """Find what failed on an agent: what it is at, else the latest that stands failed."""
    top = frames.top(agent)
    if top is not None and top.last is not None and top.last.failure is not None:
        return top
    known = debuggee.model.board.agents.get(agent)
    rows = known.instances if known is not None else []
    return next((row for row in reversed(rows) if row.last is not None and row.last.failure is not None), None)
