"""Executing again what is stale, and nothing else: stage after stage as the scenario has them, beside its course."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from octogram_tui.engine.core import Core
from octogram_tui.engine.course import Course
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.events import RequestRefused
from octogram_tui.engine.instances import Instances
from octogram_tui.engine.rerun_all import NEEDS_NO_AGENT, Choice, chosen_of
from octogram_tui.engine.reruns import agents_past, draws
from octogram_tui.engine.schedule import Lane, StageRun
from octogram_tui.engine.stimuli import RerunAllRequest
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import StageSpec


class StaleReruns:
    """What is to run again, by stage: the next stage begins when the one before has ended."""

    def __init__(self, core: Core, course: Course, dispatcher: Dispatcher, instances: Instances) -> None:
        self._core = core
        self._course = course
        self._dispatcher = dispatcher
        self._instances = instances
        self._waiting: deque[StageRun] = deque()
        self._open: StageRun | None = None
        self._goes_on = False  # the operator wants the gate open once all of it has ended

    def choose(self, asked: RerunAllRequest, agent_problem: Callable[[str], str]) -> Choice:
        """Find what a request means, and why the rest of it cannot be. Changes nothing."""
        choice = Choice([], {})
        parts: dict[str, Mapping[str, Lane] | str] = {}
        for id_ in chosen_of(asked, self._instances.stale):
            problem = self._why_not(id_, parts, agent_problem)
            if problem:
                choice.left_out[id_] = problem
            else:
                choice.taken.append(id_)
        return choice

    def _why_not(
        self, id_: InstanceId, parts: dict[str, Mapping[str, Lane] | str], agent_problem: Callable[[str], str]
    ) -> str:
        if self._instances.find(id_) is not None:
            return "it runs right now, or waits for somebody"
        if id_ not in self._instances.stale:
            return "it is not stale" if self._instances.attempts_of(id_) else "it has not run"
        stage = self._stage(id_.stage)
        job = next((job for job in stage.jobs if job.key == id_.job), None) if stage is not None else None
        if stage is None or job is None:
            return "the scenario has it no more"
        if id_.stage not in parts:
            parts[id_.stage] = self._lanes_of(stage)
        lanes = parts[id_.stage]
        if isinstance(lanes, str):
            return lanes
        if id_.agent not in lanes:
            return "its stage chooses other agents now"
        current = self._course.current
        if current is not None and current.spec.key == id_.stage and id_.agent not in agents_past(current, id_.job):
            return "its agent is not through with the job yet"
        try:
            if not draws(self._core, lanes[id_.agent], job, id_):
                return "it is not among the items now"
        except TemplateError as error:
            return error.message
        return "" if job.where in NEEDS_NO_AGENT else agent_problem(id_.agent)

    def _lanes_of(self, stage: StageSpec) -> Mapping[str, Lane] | str:
        """Give the agents that a stage has now, or say why nothing of it can run again."""
        others = [*self._dispatcher.stage_runs, *self._waiting]
        if any(run.spec.key == stage.key and run is not self._course.current for run in others):
            return "a rerun of its stage has not ended yet"
        try:
            return {lane.agent: lane for lane in self._course.make(stage, is_rerun=True).lanes}
        except TemplateError as error:
            return error.message

    def _stage(self, key: str) -> StageSpec | None:
        return next((stage for stage in self._core.scenario.stages if stage.key == key), None)

    def begin(self, taken: list[InstanceId], *, go: bool) -> None:
        """Let what was chosen run again; go: and then the run go on."""
        self._goes_on = self._goes_on or go
        for stage in self._core.scenario.stages:
            only = frozenset(id_ for id_ in taken if id_.stage == stage.key)
            if only:
                self._waiting.append(self._course.make(stage, is_rerun=True, only=only))
        self._go_on()

    def ended(self, stage_run: StageRun) -> bool:
        """A pass through a stage has ended: the next one may follow, unless somebody ended it.

        True when that was the last, and the run is to go on.
        """
        if stage_run is not self._open:
            return False
        self._open = None
        if stage_run.is_closing:
            self._waiting.clear()
            self._goes_on = False
        self._go_on()
        goes_on = self._goes_on and self._open is None
        if goes_on:
            self._goes_on = False
        return goes_on

    def _go_on(self) -> None:
        while self._waiting and self._open is None:
            stage = self._stage(self._waiting[0].spec.key)
            only = self._waiting.popleft().only
            assert only is not None, "it was made for some instances"
            still = frozenset(id_ for id_ in only if id_ in self._instances.stale and self._instances.find(id_) is None)
            if stage is None or not still:
                continue
            try:  # anew, with the agents that the stage chooses now
                stage_run = self._course.make(stage, is_rerun=True, only=still)
            except TemplateError as error:
                self._core.emit(RequestRefused(request="rerun all", message=f"stage {stage.name}: {error.message}"))
                continue
            if stage_run.lanes:
                self._open = stage_run
                self._dispatcher.open(stage_run)
