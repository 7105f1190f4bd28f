"""The sign of life of a run that has nothing else to say: what runs, on how many agents, for how long."""

from __future__ import annotations

import time
from collections.abc import Callable

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.report.phrases import duration

SHOWN_JOBS = 3
SHOWN_AGENTS = 4


class Pulse:
    """Folds what is under way. `now_s` goes on between events, by a clock that never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at_s = 0.0
        self._seen_s = clock()
        self._starting: dict[str, float] = {}
        self._running: dict[InstanceId, float] = {}
        self._retrying: dict[InstanceId, float] = {}
        self._progress: dict[InstanceId, str] = {}
        self._stopping: dict[str, float] = {}
        self._waits_for = ""
        self._up: set[str] = set()

    @property
    def now_s(self) -> float:
        """Give the seconds since the run's start."""
        return self._at_s + max(0.0, self._clock() - self._seen_s)

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self._at_s, self._seen_s = event.at_s, self._clock()
        match event:
            case ev.JobStarted():
                if self._retrying:
                    self._retrying.pop(event.instance, None)
                self._running[event.instance] = event.at_s
            case ev.JobProgress():
                self._progress[event.instance] = event.text
            case ev.JobFinished():
                self._running.pop(event.instance, None)
                if self._retrying:
                    self._retrying.pop(event.instance, None)
                if self._progress:
                    self._progress.pop(event.instance, None)
                if event.will_retry:
                    self._retrying[event.instance] = event.at_s
            case ev.AgentStarting():
                self._starting[event.agent] = event.at_s
            case ev.AgentReady() | ev.AgentFailed() | ev.AgentLost() | ev.AgentStopped():
                self._starting.pop(event.agent, None)
                self._stopping.pop(event.agent, None)
                (self._up.add if isinstance(event, ev.AgentReady) else self._up.discard)(event.agent)
            case ev.AgentHeld():
                self._waits_for = f"agent {event.agent} is held, and waits for an operator"
            case ev.AgentReleased():
                self._waits_for = ""
            case ev.RunPaused():
                self._waits_for = "paused, and waits for an operator"
            case ev.ConfirmationAsked():
                self._waits_for = f"stage {event.stage} waits for a confirmation"
            case ev.StagesDone():
                self._waits_for = "every stage has ended, and the run waits to be stopped"
            case ev.RunResumed() | ev.ConfirmationGiven():
                self._waits_for = ""
            case ev.StopRequested():
                self._waits_for = ""
                self._stopping = dict.fromkeys(sorted(self._up), event.at_s)

    def text(self) -> str:
        """Say what is under way."""
        if self._running:
            return f"running {self._jobs(self._running)}"
        if self._retrying:
            return f"waiting to try again: {self._jobs(self._retrying)}"
        if self._starting:
            return f"starting {self._agents(self._starting)}"
        if self._waits_for:
            return self._waits_for
        if self._stopping or self._up:
            return f"waiting for {self._agents(self._stopping or dict.fromkeys(sorted(self._up), self._at_s))}"
        return "nothing runs"

    def _jobs(self, table: dict[InstanceId, float]) -> str:
        """Name jobs, those that take longest first, each with its agents and the time of the oldest."""
        groups: dict[str, list[InstanceId]] = {}
        for instance in sorted(table, key=lambda i: table[i]):
            groups.setdefault(f"{instance.stage}/{instance.job}", []).append(instance)
        shown = []
        for name, instances in list(groups.items())[:SHOWN_JOBS]:
            agents = dict.fromkeys(i.agent for i in instances)
            where = next(iter(agents)) if len(agents) == 1 else f"{len(agents)} agents"
            items = f", {len(instances)} items" if len(instances) > len(agents) else ""
            said = self._progress.get(instances[0], "") if len(instances) == 1 else ""
            since = duration(self.now_s - table[instances[0]])
            shown.append(f"{name} on {where}{items} for {since}{f' ({said})' if said else ''}")
        if len(groups) > SHOWN_JOBS:
            shown.append(f"and {len(groups) - SHOWN_JOBS} more")
        return ", ".join(shown)

    def _agents(self, since: dict[str, float]) -> str:
        names = ", ".join(list(since)[:SHOWN_AGENTS]) + (", ..." if len(since) > SHOWN_AGENTS else "")
        count = f"{len(since)} agent{'' if len(since) == 1 else 's'}"
        return f"{count} ({names}) for {duration(self.now_s - min(since.values()))}"
