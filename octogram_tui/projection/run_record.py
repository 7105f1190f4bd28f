"""A run as it is held against another: what each row did and gave last, by its name, and how long everything took."""

from __future__ import annotations

import re

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Absent


class Done:
    """What came of a row: its latest attempt."""

    __slots__ = ("arguments", "attempts", "duration_s", "failure", "reason", "result", "sets", "state")

    def __init__(self) -> None:
        self.attempts = 0
        self.state = "running"  # as the run's end found it, where no event says more
        self.arguments: dict[str, Value] = {}
        self.result: Value = None
        self.failure: Failure | None = None
        self.reason = ""
        self.duration_s: float | None = None
        self.sets: dict[str, Value | Absent] = {}


class RunRecord:
    """The fold of one journal."""

    def __init__(self) -> None:
        self.run = ""
        self.scenario = ""
        self.digest = ""  # of the text that it ended with
        self.reloads = 0
        self.variables: dict[str, Value] = {}  # as it began
        self.rows: dict[InstanceId, Done] = {}
        self.stages: dict[str, tuple[str, float]] = {}  # state, and how long it worked
        self.places: dict[tuple[str, str], int] = {}  # of stages and jobs, in the order of the plan
        self.exit_code: int | None = None
        self.duration_s = 0.0
        self.paused_s = 0.0
        self.is_finished = False
        self._own: list[tuple[str, str]] = []  # what is the run's own, and what stands for it

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self.duration_s = max(self.duration_s, event.at_s)
        match event:
            case ev.JobStarted():
                row = self._row(event.instance)
                row.attempts += 1
                row.state, row.arguments, row.result, row.failure = "running", event.arguments, None, None
                row.reason, row.duration_s, row.sets = "", None, {}
            case ev.JobFinished():
                self._finished(event)
            case ev.VariableChanged():
                self._changed(event.by, event.name, ABSENT if event.removed else event.value)
            case ev.EntryRegistered():  # the others are what other rows gave
                self._changed(event.by, event.name, {event.entry: event.value})
            case ev.StageFinished() if not event.rerun:
                self.stages[event.stage] = event.state, max(0.0, event.duration_s - event.paused_s)
            case ev.RunStarted():
                self._begin(event)
            case ev.ScenarioReloaded():
                self.reloads += event.digest != self.digest
                self.digest = event.digest
            case ev.AgentReady():
                self._own.append((event.home, f"HOME({event.agent})"))
            case ev.RunFinished():
                self.exit_code, self.is_finished = event.exit_code, True
                self.duration_s, self.paused_s = event.duration_s or self.duration_s, event.paused_s

    def plain(self, text: str) -> str:
        """Give a text without what only this run has: its name, and the homes of its agents."""
        for own, word in self._sorted():
            text = text.replace(own, word)
        return text

    def _sorted(self) -> list[tuple[str, str]]:
        return sorted((pair for pair in {*self._own, (self.run, "RUN")} if len(pair[0]) > 3), key=lambda p: -len(p[0]))

    def _row(self, key: InstanceId) -> Done:
        found = self.rows.get(key)
        if found is None:
            found = self.rows[key] = Done()
        return found

    def _begin(self, event: ev.RunStarted) -> None:
        self.run, self.scenario, self.digest = event.run, event.scenario, event.digest
        self.variables = dict(event.variables)
        for stage in event.plan:
            for name in ("", *(str(job.get("job", "")) for job in stage.get("jobs") or ())):
                self.places.setdefault((str(stage.get("stage", "")), name), len(self.places))

    def _finished(self, event: ev.JobFinished) -> None:
        row = self._row(event.instance)
        row.state = "tolerated" if event.is_tolerated else event.state
        row.reason = event.reason
        if event.state != "skipped":
            row.attempts = max(row.attempts, 1)
            row.result, row.failure, row.duration_s = event.result, event.failure, event.duration_s

    def _changed(self, by: str, name: str, value: Value | Absent) -> None:
        try:
            key = InstanceId.parse(by)
        except ValueError:
            return
        if key in self.rows:
            self.rows[key].sets[name] = value


_NUMBER = re.compile(r"(\d+)")


def natural(text: str) -> list[tuple[int, str]]:
    """Order names as people count: node_2 before node_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBER.split(text)]
