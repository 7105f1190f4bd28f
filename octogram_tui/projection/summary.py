"""What is said of a run at its end: totals, durations, the slowest, and every failure with what is known about it."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import NO_REASON, Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.causes import Cause, Names, cause_of, of_agent
from octogram_tui.projection.clusters import Clusters

SLOWEST = 5


class FailureNote(NamedTuple):
    """One attempt that failed for good, or an agent (there is no `instance` then)."""

    instance: InstanceId | None
    agent: str
    attempt: int
    failure: Failure
    is_tolerated: bool = False
    at_s: float = 0.0

    @property
    def where(self) -> str:
        """Name what failed."""
        return f"agent {self.agent}" if self.instance is None else str(self.instance)

    @property
    def short(self) -> str:
        """Name it among others of its job."""
        item = self.instance.item if self.instance is not None else None
        return self.agent if item is None else f"{self.agent}[{item}]"


class Slow(NamedTuple):
    """An instance, and how long its attempt took."""

    duration_s: float
    instance: InstanceId
    attempt: int


class Summary:
    """The fold. Its size does not grow with the run, but for failures and for the names of jobs."""

    def __init__(self) -> None:
        self.run = ""
        self.scenario = ""
        self.started_wall = ""
        self.exit_code: int | None = None
        self.reason = ""
        self.duration_s = 0.0  # from the beginning to the end, `paused_s` of which the run stood still
        self.paused_s = 0.0
        self.counts: dict[str, int] = {}  # state -> instances, by the state of their last attempt
        self.attempts = 0
        self.retries = 0
        self.agents = 0
        self.stages: list[tuple[str, str, float]] = []  # name, state, how long it worked; in the order of their ends
        self.warnings: list[str] = []
        self.unclean: list[str] = []  # agents that did not confirm that nothing is left
        self.clusters: Clusters[FailureNote] = Clusters()  # the same failures, by job and cause
        self._failures: dict[InstanceId | str, FailureNote] = {}  # of an agent: by its name
        self._names = Names()
        self._homes: dict[str, str] = {}
        self._slowest: list[Slow] = []
        self._states: dict[InstanceId, str] = {}  # only those that did not end well, to take them back on a rerun

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if event.at_s > self.duration_s:
            self.duration_s = event.at_s
        match event:
            case ev.JobFinished():
                self._finish(event)
            case ev.JobStarted():
                self.attempts += 1
                self.retries += event.why == "retry"
                if event.why == "rerun":
                    self._take_back(event.instance)
            case ev.StageFinished():
                self.stages.append((event.stage, event.state, event.duration_s - event.paused_s))
            case ev.RunStarted():
                self.run, self.scenario = event.run, event.scenario
                self.started_wall, self.agents = event.started_wall, len(event.agents)
                for agent in event.agents:
                    self._names.add(str(agent.get("agent") or ""), str(agent.get("address") or ""))
            case ev.AgentReady():
                self._homes[event.agent] = event.home or self._homes.get(event.agent, "")
                self._names.add(event.host, event.address)
            case ev.AgentFailed():
                self._fail(event, event.message, event.hint, event.code)
            case ev.AgentLost():
                self._fail(event, event.message or "the agent was lost", "", "agent.lost")
            case ev.AgentStopped() if not event.is_clean:
                self.unclean.append(event.agent)
            case ev.AllocationChanged() if event.state in ("node", "ending", "lost") or not event.is_confirmed:
                self.warnings.append(event.message)
            case ev.WarningGiven():
                self.warnings.append(event.message)
            case ev.RunFinished():
                self.exit_code, self.reason = event.exit_code, event.reason
                self.duration_s, self.paused_s = event.duration_s or self.duration_s, event.paused_s
                self.counts = dict(event.counts) or self.counts

    @property
    def failures(self) -> list[FailureNote]:
        """What stands failed, in the order in which it failed."""
        return list(self._failures.values())

    @property
    def slowest(self) -> list[Slow]:
        """The attempts that took longest, the longest first."""
        return list(self._slowest)

    def _fail(self, event: ev.AgentFailed | ev.AgentLost, message: str, hint: str, kind: str) -> None:
        failure = Failure(kind, message, hint)
        note = FailureNote(None, event.agent, 0, failure, at_s=event.at_s)
        self._keep(event.agent, note, Cause(of_agent(message, event.agent)))

    def _keep(self, key: InstanceId | str, note: FailureNote, cause: Cause) -> None:
        self._failures.pop(key, None)
        self._failures[key] = note
        item = (note.instance.item if note.instance is not None else None) or ""
        said = self._names.alike(cause.text, self._homes.get(note.agent, ""), item)
        code = str(note.failure.detail.get("exit_code"))
        place = "agents" if note.instance is None else note.instance[:2]
        self.clusters.put(place, key, note, cause, (note.failure.kind, code, note.is_tolerated, said))

    def _take_back(self, key: InstanceId) -> None:
        state = self._states.pop(key, "ok")
        self._failures.pop(key, None)
        self.clusters.take_out(key)
        if self.counts.get(state):
            self.counts[state] -= 1

    def _finish(self, event: ev.JobFinished) -> None:
        if len(self._slowest) < SLOWEST or event.duration_s > self._slowest[-1].duration_s:
            slow = Slow(event.duration_s, event.instance, event.attempt)
            if slow not in self._slowest:  # an attempt that is not tried again after all is told twice
                self._slowest = sorted([*self._slowest, slow], key=lambda each: -each.duration_s)[:SLOWEST]
        if event.will_retry:
            return
        state = "tolerated" if event.is_tolerated else event.state  # as the run itself counts at its end
        self.counts[state] = self.counts.get(state, 0) + 1
        if state != "ok":
            self._states[event.instance] = state
        if event.state == "failed":
            failure = event.failure or NO_REASON
            note = FailureNote(event.instance, event.agent, event.attempt, failure, event.is_tolerated, event.at_s)
            self._keep(event.instance, note, cause_of(failure))
