"""What a run says while it is debugged: output with its place, what happened in a line, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.positions import Positions
from octogram_tui.dap.sources import Sources
from octogram_tui.engine import events as ev
from octogram_tui.errors import Problem
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.row_states import AgentState
from octogram_tui.projection.telling import told
from octogram_tui.projection.text import printed, safe
from octogram_tui.tui.model import line_of

EVERY_S = 0.25
"""How far a run is, is told so often at most."""
AGENTS = "agents"
COMING = (AgentState.WAITING, AgentState.STARTING)


class Telling:
    """Tells of events. since_seq: the number of the one up to which all is history, and is not told again."""

    def __init__(
        self,
        debuggee: Debuggee,
        sources: Sources,
        emit: Callable[[str, dict[str, Any]], None],
        *,
        shows_progress: bool,
        since_seq: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._debuggee = debuggee
        self._sources = sources
        self._emit = emit
        self._shows_progress = shows_progress
        self._since_seq = since_seq
        self._clock = clock
        self._bars: dict[str, tuple[str, float, int]] = {}  # what is under way: its id, when it was told, and how far
        self._bar_count = 0

    def apply(self, event: ev.Event) -> None:
        """Tell of one event, if it is news."""
        if event.seq <= self._since_seq:
            return
        match event:
            case ev.JobOutput():
                self._written(event)
            case ev.JobFinished() if event.failure is not None:
                hint = f"\n  hint: {safe(event.failure.hint)}" if event.failure.hint else ""
                again = ", and is tried again" if event.will_retry else ""
                self.say(f"{safe(told(event))}{again}{hint}", "stderr", event.instance)
            case ev.BreakpointMet() if event.is_log:
                self.say(safe(event.message), "console", event.instance)
            case ev.ScenarioRejected():
                for problem in map(problem_of, event.problems):
                    self._emit("output", problem_output(problem, self._sources.positions, "the edit is refused: "))
            case ev.AgentFailed() | ev.AgentLost() | ev.AgentSuspect() | ev.WarningGiven():
                self.say(safe(told(event)), "stderr")
            case ev.ScenarioReloaded():
                said = "; ".join(event.changes) or "as it was"
                self.say(safe(f"the scenario was read again: {said}"), "console")
            case ev.StageStarted():
                self.say(safe(told(event)), "console", line=self._line_of_stage(event.stage))
                self._begin(event.stage, f"stage {event.stage}")
            case ev.StageFinished():
                self.say(safe(told(event)), "console", line=self._line_of_stage(event.stage))
                self._end(event.stage)
            case ev.AgentStarting():
                self._begin(AGENTS, "agents come up")
            case ev.ConfirmationAsked() | ev.StagesDone() | ev.StopRequested() | ev.RunTakenUp():
                self.say(safe(told(event)), "console")
            case ev.RunFinished():
                self.say(safe(told(event)), "important" if event.exit_code else "console")
                for key in list(self._bars):
                    self._end(key)

    def _line_of_stage(self, name: str) -> int:
        return line_of(self._debuggee.board.stage(name))

    def _written(self, event: ev.JobOutput) -> None:
        """Tell what a job wrote, with whose it is before each line."""
        who = event.agent if event.instance is not None else f"{event.process} on {event.agent}"
        lines = [f"{safe(who, limit=60)}: {safe(printed(line))}" for line in event.lines]
        if event.dropped:
            lines.insert(0, f"{safe(who, limit=60)}: {event.dropped} lines are left out")
        self.say("\n".join(lines), "stderr" if event.stream == "stderr" else "stdout", event.instance)

    def say(self, text: str, category: str, instance: InstanceId | None = None, line: int = 0) -> None:
        """Tell something. text: safe lines, without the end of the last one."""
        body: dict[str, Any] = {"category": category, "output": f"{text}\n"}
        if instance is not None:
            line = line_of(self._debuggee.board.stage(instance.stage))
            job = self._debuggee.board.jobs.get((instance.stage, instance.job))
            line = line_of(job) or line
        if line:
            body |= {"source": self._sources.written(), "line": self._sources.positions.line_out(line)}
        self._emit("output", body)

    # How far it is

    def look(self) -> None:
        """Tell how far what is under way has come."""
        for key, (id_, told_s, before) in list(self._bars.items()):
            done, total = self._count(key)
            percentage = min(100, 100 * done // total) if total else 0
            now_s = self._clock()
            if percentage != before and now_s - told_s >= EVERY_S:
                self._bars[key] = (id_, now_s, percentage)
                said = {"progressId": id_, "message": f"{done} of {total}", "percentage": percentage}
                self._emit("progressUpdate", said)
            if key == AGENTS and done >= total:
                self._end(key)

    def _count(self, key: str) -> tuple[int, int]:
        board = self._debuggee.board
        if key == AGENTS:
            waits = sum(agent.state in COMING for agent in board.agents.values())
            return len(board.agents) - waits, len(board.agents)
        stage = board.stage(key)
        return (stage.done, stage.total) if stage is not None else (0, 0)

    def _begin(self, key: str, title: str) -> None:
        if not self._shows_progress or key in self._bars:
            return
        self._bar_count += 1
        id_ = str(self._bar_count)
        self._bars[key] = (id_, self._clock(), 0)
        self._emit("progressStart", {"progressId": id_, "title": safe(title, limit=100), "percentage": 0})

    def _end(self, key: str) -> None:
        bar = self._bars.pop(key, None)
        if bar is not None:
            self._emit("progressEnd", {"progressId": bar[0]})


def problem_of(entry: Mapping[str, Any]) -> Problem:
    """Read a problem of an event."""
    place = int(entry.get("line") or 0), int(entry.get("column") or 0)
    hint, source = str(entry.get("hint") or ""), str(entry.get("source") or "")
    return Problem(str(entry.get("file") or ""), *place, str(entry["message"]), hint, source)


def problem_output(problem: Problem, positions: Positions, lead: str = "") -> dict[str, Any]:
    """Write what is wrong in a scenario, with its place."""
    where = f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else ""
    hint = f"\n  hint: {safe(problem.hint)}" if problem.hint else ""
    body: dict[str, Any] = {"category": "stderr", "output": f"{safe(f'{lead}{where}{problem.message}')}{hint}\n"}
    if problem.file and problem.line:
        body |= {"source": {"path": problem.file}, "line": positions.line_out(problem.line)}
        body["column"] = positions.column_out(max(1, problem.column), problem.source)
    return body
