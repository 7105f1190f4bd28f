"""What is said of a run at its end: totals, durations, the slowest, and every failure with what is known about it."""

from __future__ import annotations

from heapq import heappushpop
from typing import Any, NamedTuple

from octogram_tui.engine import events as ev

SLOWEST = 5


class Failure(NamedTuple):
    """One attempt that failed for good, or an agent (`key` and `stage` are then empty)."""

    key: str
    stage: str
    job: str
    agent: str
    attempt: int
    message: str
    hint: str = ""
    kind: str = ""
    detail: Any = None
    is_tolerated: bool = False
    at_s: float = 0.0


class Slow(NamedTuple):
    """An instance, and how long its attempt took."""

    duration_s: float
    key: str
    attempt: int


class JobTotal:
    """How often a job ran and how long that took, over all agents and items."""

    __slots__ = ("count", "longest_s", "total_s")

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0
        self.longest_s = 0.0


class Summary:
    """The fold. Its size does not grow with the run, but for failures and for the names of jobs."""

    def __init__(self) -> None:
        self.run = ""
        self.scenario = ""
        self.started_wall = ""
        self.exit_code: int | None = None
        self.reason = ""
        self.duration_s = 0.0
        self.counts: dict[str, int] = {}  # state -> instances, by the state of their last attempt
        self.attempts = 0
        self.retries = 0
        self.agents = 0
        self.stages: list[tuple[str, str, float]] = []  # name, state, duration_s, in the order of their ends
        self.jobs: dict[tuple[str, str], JobTotal] = {}
        self.warnings: list[str] = []
        self.unclean: list[str] = []  # agents that did not confirm that nothing is left
        self._failures: dict[str, Failure] = {}
        self._slowest: list[Slow] = []
        self._states: dict[str, str] = {}  # only those that did not end well, to take them back on a rerun

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self.duration_s = max(self.duration_s, event.at_s)
        match event:
            case ev.JobFinished():
                self._finish(event)
            case ev.JobStarted():
                self.attempts += 1
                self.retries += event.why == "retry"
                if event.why == "rerun":
                    self._take_back(event.key)
            case ev.StageFinished():
                self.stages.append((event.stage, event.state, event.duration_s))
            case ev.RunStarted():
                self.run, self.scenario = event.run, event.scenario
                self.started_wall, self.agents = event.started_wall, len(event.agents)
            case ev.AgentFailed():
                self._fail(event, event.message, event.hint, event.code)
            case ev.AgentLost():
                self._fail(event, event.message or "the agent was lost", "", "agent.lost")
            case ev.AgentStopped() if not event.is_clean:
                self.unclean.append(event.agent)
            case ev.WarningGiven():
                self.warnings.append(event.message)
            case ev.RunFinished():
                self.exit_code, self.reason = event.exit_code, event.reason
                self.duration_s = event.duration_s or self.duration_s
                self.counts = dict(event.counts) or self.counts

    @property
    def failures(self) -> list[Failure]:
        """What stands failed, in the order in which it failed."""
        return list(self._failures.values())

    @property
    def slowest(self) -> list[Slow]:
        """The attempts that took longest, the longest first."""
        return sorted(self._slowest, reverse=True)

    def _fail(self, event: ev.AgentFailed | ev.AgentLost, message: str, hint: str, kind: str) -> None:
        self._failures[f"@{event.agent}"] = Failure("", "", "", event.agent, 0, message, hint, kind, at_s=event.at_s)

    def _take_back(self, key: str) -> None:
        state = self._states.pop(key, "ok")
        self._failures.pop(key, None)
        if self.counts.get(state):
            self.counts[state] -= 1

    def _finish(self, event: ev.JobFinished) -> None:
        total = self.jobs.get((event.stage, event.job))
        if total is None:
            total = self.jobs[(event.stage, event.job)] = JobTotal()
        total.count += 1
        total.total_s += event.duration_s
        total.longest_s = max(total.longest_s, event.duration_s)
        slow = Slow(event.duration_s, event.key, event.attempt)
        if len(self._slowest) < SLOWEST:
            self._slowest = sorted([*self._slowest, slow])
        elif slow > self._slowest[0]:
            heappushpop(self._slowest, slow)
        if event.will_retry:
            return
        self.counts[event.state] = self.counts.get(event.state, 0) + 1
        if event.state != "ok":
            self._states[event.key] = event.state
        if event.state == "failed":
            error = event.error or {}
            self._failures[event.key] = Failure(
                event.key,
                event.stage,
                event.job,
                event.agent,
                event.attempt,
                str(error.get("message") or "no reason was given"),
                str(error.get("hint") or ""),
                str(error.get("kind") or ""),
                error.get("detail"),
                event.is_tolerated,
                event.at_s,
            )
