"""How long the rest will take, from how long it took before: by stage, without the time in which a run was held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId

StageName = tuple[str, ...]
"""A stage and its jobs: one that does other work than before is another stage."""


class PastRun(NamedTuple):
    """What is kept of a run: how many agents it had, how long they took to come up, and each stage that went well."""

    agents: int
    before_s: float
    stages: dict[StageName, float]

    def record(self) -> dict[str, object]:
        """Give it as JSON has it."""
        stages = [{"stage": name[0], "jobs": list(name[1:]), "work_s": spent} for name, spent in self.stages.items()]
        return {"v": 1, "agents": self.agents, "before_s": self.before_s, "stages": stages}

    @classmethod
    def read(cls, record: object) -> PastRun | None:
        """Read what `record` gave; None when it is something else."""
        if not isinstance(record, dict) or record.get("v") != 1:
            return None
        try:
            stages = {(str(each["stage"]), *map(str, each["jobs"])): float(each["work_s"]) for each in record["stages"]}
            return cls(int(record["agents"]), float(record["before_s"]), stages)
        except (KeyError, TypeError, ValueError):
            return None


class _StageClock:
    """The work of one stage: how long it has been at it."""

    def __init__(self, name: StageName, *, is_left_out: bool) -> None:
        self.name = name
        self.is_left_out = is_left_out
        self.worked_s = 0.0
        self.since_s: float | None = None  # while it is at work
        self.is_over = False
        self.went_well = False

    def worked_by(self, now_s: float) -> float:
        """Give the time of its work up to now."""
        return self.worked_s + (max(0.0, now_s - self.since_s) if self.since_s is not None else 0.0)

    def stop(self, now_s: float) -> None:
        """Let no more time pass for it."""
        self.worked_s, self.since_s = self.worked_by(now_s), None


class Stopwatch:
    """The fold. Time passes for a stage while it runs, but not while the run is held and nothing is in flight."""

    def __init__(self) -> None:
        self.agents = 0
        self._before = _StageClock((), is_left_out=False)  # up to the first stage
        self._before.since_s = 0.0
        self._stages: dict[str, _StageClock] = {}  # by name, in the order of the plan
        self._running: _StageClock | None = self._before
        self._in_flight: set[InstanceId] = set()
        self._is_shut = False
        self._is_over = False

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        match event:
            case ev.JobStarted():
                self._in_flight.add(event.instance)
            case ev.JobFinished():
                self._in_flight.discard(event.instance)
            case ev.RunPaused():
                self._is_shut = True
            case ev.RunResumed():
                self._is_shut = event.mode == "step"
            case ev.RunStarted():
                self.agents = len(event.agents)
                self._plan(event.plan)
            case ev.ScenarioReloaded() if event.plan:
                self._plan(event.plan)
            case ev.StageStarted() if not event.rerun:
                if self._running is not None:
                    self._running.stop(event.at_s)
                self._before.is_over = True
                self._running = self._stages.setdefault(event.stage, _StageClock((event.stage,), is_left_out=False))
            case ev.StageFinished() if not event.rerun:
                self._end(event)
            case ev.StagesDone() | ev.StopRequested() | ev.RunFinished():
                self._is_over = True
            case _:
                return
        if self._is_shut or self._running is None or self._running.since_s is None:
            self._tick(event.at_s)

    def past(self) -> PastRun | None:
        """Give what to keep of this run; None when no stage went well."""
        stages = {stage.name: round(stage.worked_s, 3) for stage in self._stages.values() if stage.went_well}
        return PastRun(self.agents, round(self._before.worked_s, 3), stages) if stages else None

    def _plan(self, plan: Sequence[StageEntry]) -> None:
        before, self._stages = self._stages, {}
        for entry in plan:
            stage = str(entry.get("stage", ""))
            name = (stage, *(str(job.get("job", "")) for job in entry.get("jobs") or ()))
            clock = before.get(stage)
            if clock is None or not (clock.is_over or clock is self._running):
                clock = _StageClock(name, is_left_out=bool(entry.get("left_out")))
            self._stages[stage] = clock

    def _end(self, event: ev.StageFinished) -> None:
        clock = self._stages.setdefault(event.stage, _StageClock((event.stage,), is_left_out=False))
        clock.stop(event.at_s)
        clock.is_over, clock.went_well = True, event.state in ("ok", "skipped") and not clock.is_left_out
        if clock is self._running:
            self._running = None

    def _tick(self, at_s: float) -> None:
        """Let time pass for the stage that runs, or stand still."""
        clock = self._running
        if clock is None:
            return
        stands_still = self._is_shut and not self._in_flight
        if stands_still and clock.since_s is not None:
            clock.stop(at_s)
        elif not stands_still and clock.since_s is None:
            clock.since_s = at_s


class Expectation(Stopwatch):
    """Expects of this run what former ones did. Without such it expects nothing, and says so."""

    def __init__(self, past: Sequence[PastRun] = ()) -> None:
        super().__init__()
        self._past = tuple(past)

    def stage_s(self, stage: str) -> float | None:
        """Give how long a stage should take in all, by its name; None when it never ran as it is now."""
        clock = self._stages.get(stage)
        return self._usual_s(clock.name) if clock is not None else None

    def rest_s(self, now_s: float) -> float | None:
        """Give how much work is left until the stages are done; None when that is not known, or nothing is left."""
        if not self._past or self._is_over or not self._stages:
            return None
        rest_s = 0.0
        if not self._before.is_over:
            rest_s += max(0.0, _middle(run.before_s for run in self._like()) - self._before.worked_by(now_s))
        for clock in self._stages.values():
            if clock.is_over or clock.is_left_out:
                continue
            usual_s = self._usual_s(clock.name)
            if usual_s is None:
                return None
            rest_s += max(0.0, usual_s - clock.worked_by(now_s))
        return rest_s

    def _usual_s(self, name: StageName) -> float | None:
        spent = [run.stages[name] for run in self._like() if name in run.stages]
        spent = spent or [run.stages[name] for run in self._past if name in run.stages]
        return _middle(spent) if spent else None

    def _like(self) -> Sequence[PastRun]:
        """Give the runs with as many agents, or all where none had."""
        return [run for run in self._past if run.agents == self.agents] or self._past


def _middle(values: Iterable[float]) -> float:
    """Give the middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
