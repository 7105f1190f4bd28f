"""When an agent stands still and when it goes on, as the protocol tells of threads: folded from the run's events.

A gate that is shut stops everybody, though what is in flight ends first, as its frames say. What a step or a rerun has
let through is waited for, and then tells that it has stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from octogram_tui.dap.breakpoints import Breakpoints
from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.threads import Threads
from octogram_tui.engine import events as ev
from octogram_tui.model.overrides import fits
from octogram_tui.projection.row_states import Phase, State
from octogram_tui.projection.text import safe

SETTLES_S = 0.15
"""A step behind which nothing is held is over when nothing has moved for so long: its agent may be through."""
MOVES = (State.RUNNING, State.RETRYING)

WHY = {
    "operator": "pause",
    "start": "entry",
    "step": "step",
    "failure": "exception",
    "breakpoint": "breakpoint",
    "confirmation": "pause",
    "back": "goto",
}
"""The protocol's word for why the gate is shut; any other is a pause."""


class Step:
    """Something that was let through a gate that is shut. agents: whose, empty for all of them."""

    def __init__(self, agents: str, reason: str) -> None:
        self.agents = agents
        self.reason = reason
        self.has_begun = False
        self.is_over = False
        self.agent = ""  # the one where something happened last

    def is_of(self, agent: str) -> bool:
        """Whether an agent is meant."""
        return not self.agents or fits(self.agents, agent)


class Stopping:
    """The fold, and what the client was told of it.

    emit       sends an event: its name, and its body
    look_later calls something after a while
    """

    def __init__(
        self,
        debuggee: Debuggee,
        threads: Threads,
        breakpoints: Breakpoints,
        emit: Callable[[str, dict[str, Any]], None],
        look_later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._debuggee = debuggee
        self._threads = threads
        self._breakpoints = breakpoints
        self._emit = emit
        self._look_later = look_later
        self._steps: list[Step] = []
        self._stopped: set[str] = set()  # those that the client believes to stand still
        self._seq = 0
        self._is_watched = False  # the client has configured all, and is told
        self._next_reason = ""  # of the next step that the run tells of: what the client asked for
        self._why = "entry"
        self._message = ""
        self._agent = ""  # where it was met
        self._met: ev.BreakpointMet | None = None
        self._failed: ev.JobFinished | None = None
        self._is_over = False

    # What the client did

    def watch(self) -> None:
        """Tell from now on."""
        self._is_watched = True

    @property
    def stands(self) -> bool:
        """Whether a run that began with its gate shut has come to it, was stopped by something else, or is over."""
        board = self._debuggee.board
        return self._why != "entry" or bool(len(board.queue) or board.confirmations) or board.phase >= Phase.DONE

    @property
    def is_at_beginning(self) -> bool:
        """Whether it has come to its gate, and nothing else holds it."""
        return self._why == "entry" and not self._debuggee.board.confirmations

    def met_at_beginning(self, met: ev.BreakpointMet) -> None:
        """What was met holds the run where it stands, though the run did not see it."""
        self._met, self._why = met, "breakpoint"

    def goes_on(self, agents: str = "") -> list[str]:
        """The client knows that agents go on: it asked for it. Gives their names."""
        gone = [name for name in self._debuggee.board.agents if not agents or fits(agents, name)]
        self._stopped.difference_update(gone)
        return gone

    def is_stopped(self, agent: str) -> bool:
        """Whether the client was told that an agent stands still."""
        return agent in self._stopped

    def let_through(self, agents: str, reason: str) -> None:
        """Something of agents goes through the gate."""
        self._steps.append(Step(agents, reason))
        self._why = "step"

    def moved(self, reason: str) -> None:
        """The client had the run go elsewhere: wherever it stands still now is told anew."""
        self._why, self._message, self._agent = reason, "", ""
        self._stopped.clear()

    def name_step(self, reason: str) -> None:
        """Say what the next step that the run tells of is called."""
        self._next_reason = reason

    # What the run does

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self._seq = event.seq
        match event:
            case ev.RunPaused():
                self._steps = [step for step in self._steps if step.reason == "restart"]
                self._note(WHY.get(event.reason, "pause"), event.message or event.reason)
            case ev.AgentHeld():
                self._steps = [step for step in self._steps if step.agents != event.agent]
                if event.reason != "step":
                    self._note(WHY.get(event.reason, "pause"), event.message or event.reason)
                    self._agent = "" if "*" in event.agent else event.agent
            case ev.RunResumed() if event.mode == "step":
                self.let_through(event.agent, self._next_reason or "step")
                self._next_reason = ""
            case ev.RunResumed():
                self._steps = []
                self._failed = None
            case ev.BreakpointMet() if not event.is_log:
                self._met = event
            case ev.JobStarted():
                for step in self._steps:
                    if step.is_of(event.agent):
                        step.has_begun, step.agent = True, event.agent
            case ev.JobFinished() if event.failure is not None and not event.will_retry:
                if self._failed is None or self._failed.instance not in self._debuggee.board.failures:
                    self._failed = event  # the first of those that stand is where one looks
                self._end(event.agent)
            case ev.JobHeld():
                self._end(event.agent)
            case ev.RunFinished() | ev.StopRequested():
                self._is_over = True
            case _:
                pass

    def _note(self, why: str, message: str) -> None:
        self._why, self._message = why, message
        self._agent = ""

    def _end(self, agent: str) -> None:
        """Something of an agent failed, or came to the gate: a step is over by that once nothing of it moves."""
        for step in self._steps:
            if step.is_of(agent):
                step.agent = agent
                step.is_over = not self._moves(step)

    def _moves(self, step: Step) -> bool:
        agents = self._debuggee.board.agents
        if step.agents and "*" not in step.agents:
            known = agents.get(step.agents)
            return known is not None and known.running > 0
        return any(known.running for name, known in agents.items() if step.is_of(name))

    def look(self) -> None:
        """Tell the client of what stands still or goes on now and did not before."""
        if not self._is_watched or self._is_over or self._debuggee.is_replay:
            return
        if self._seq < self._debuggee.board.seq:  # something was asked meanwhile: what came of it is told first
            return
        done = self._ended_steps()
        still = self._still()
        went = [name for name in self._stopped if name not in still]
        came = [name for name in still if name not in self._stopped]
        if went:
            self._tell_continued(went, all_went=not still)
        if came:
            self._tell_stopped(came, done, everybody=len(still) == len(self._debuggee.board.agents))
        self._stopped = still

    def _still(self) -> set[str]:
        """Name the agents at a shut gate of which nothing is let through."""
        board = self._debuggee.board
        if board.phase is Phase.DONE or board.confirmations:
            return {*board.agents} if not board.tally[State.RUNNING] and not self._steps else set()
        held = {name for name in board.agents if board.is_agent_held(name)}
        for step in self._steps:
            held = {name for name in held if not step.is_of(name)}
        return held

    def _ended_steps(self) -> list[Step]:
        """Take away the steps that are over; ask to look again where that is not told by anything held."""
        over = []
        for step in list(self._steps):
            if self._moves(step):
                step.is_over = False
            elif step.is_over:
                over.append(step)
            elif step.has_begun or self._debuggee.board.phase is Phase.DONE:
                self._settle(step)
        self._steps = [step for step in self._steps if step not in over]
        return over

    def _settle(self, step: Step) -> None:
        seq = self._debuggee.board.seq

        def settled() -> None:
            if step in self._steps and self._debuggee.board.seq == seq:
                step.is_over = True
            self.look()

        self._look_later(SETTLES_S, settled)

    # What is told

    def _tell_continued(self, names: Iterable[str], *, all_went: bool) -> None:
        names = list(names)
        if all_went:
            self._emit("continued", {"threadId": self._threads.number(names[0]), "allThreadsContinued": True})
            return
        for name in names:
            self._emit("continued", {"threadId": self._threads.number(name), "allThreadsContinued": False})

    def _tell_stopped(self, names: list[str], done: list[Step], *, everybody: bool) -> None:
        told = self._reason(done)
        agent = next((each for each in (told.pop("agent"), *self._places(names)) if each in names), names[0])
        told["threadId"] = self._threads.number(agent)
        told["allThreadsStopped"] = everybody
        self._emit("stopped", told)
        for name in [] if everybody else names:
            if name != agent:
                body = {**told, "threadId": self._threads.number(name), "preserveFocusHint": True}
                self._emit("stopped", body)

    def _places(self, names: list[str]) -> list[str]:
        """Name the agents where one would look, the likeliest first."""
        board = self._debuggee.board
        head = board.queue.head
        failed = board.first_failure
        stage = board.current_stage
        return [
            *([failed.agent] if failed is not None and self._why == "exception" else []),
            *([head.agent] if head is not None else []),
            *(stage.agents[:1] if stage is not None else []),
        ]

    def _reason(self, done: list[Step]) -> dict[str, Any]:
        """Say why it stopped, and where."""
        board = self._debuggee.board
        if board.phase is Phase.DONE:
            said = f"all stages have ended, and the agents are kept: exit code {board.done_exit_code}"
            return {"reason": "pause", "description": said, "text": said, "agent": ""}
        if done:
            step = done[-1]
            failed = self._failed
            if failed is not None and failed.instance in board.failures and step.is_of(failed.agent):
                return self._of_failure(failed)
            if self._why == "step":
                return {"reason": step.reason, "agent": step.agent}
        if self._why == "exception" and self._failed is not None:
            return self._of_failure(self._failed)
        if self._why == "breakpoint" and self._met is not None:
            return self._of_breakpoint(self._met)
        stage = next(iter(board.confirmations), "")
        if stage:
            said = f"stage {stage} asks whether it is to run: continue says yes, `no` in the debug console skips it"
            return {"reason": "pause", "description": "asks", "text": safe(said), "agent": ""}
        message = safe(self._message)
        return {"reason": self._why, **({"description": message} if message else {}), "agent": self._agent}

    def _of_failure(self, failed: ev.JobFinished) -> dict[str, Any]:
        message = failed.failure.message if failed.failure is not None else ""
        said = safe(f"{failed.instance}: {message}")
        return {"reason": "exception", "description": "failed", "text": said, "agent": failed.agent}

    def _of_breakpoint(self, met: ev.BreakpointMet) -> dict[str, Any]:
        meant = self._breakpoints.with_number(met.number)
        listed = self._debuggee.board.stops.breakpoints.by_number.get(met.number)
        reason = meant[0].cause if meant else "breakpoint"
        if not meant and listed is not None and listed.breakpoint.when == "variable":
            reason = "data breakpoint"
        told: dict[str, Any] = {"reason": reason, "agent": met.instance.agent if met.instance is not None else ""}
        why = "" if listed is not None and met.message == listed.breakpoint.when else f": {met.message}"
        where = str(met.instance) if met.instance is not None else met.row
        told["description"] = told["text"] = safe(f"breakpoint {met.number} at {where}{why}")
        ids = [each.id for each in meant if each.cause != "exception"]
        return {**told, **({"hitBreakpointIds": ids} if ids else {})}
