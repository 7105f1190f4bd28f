"""Executing again what has run, beside the course: stage after stage as the scenario has them, and nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from octogram_tui.engine.core import Core
from octogram_tui.engine.course import Course
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.events import RequestRefused
from octogram_tui.engine.instances import Instances
from octogram_tui.engine.rerun_all import NEEDS_NO_AGENT, Choice, chosen_of
from octogram_tui.engine.reruns import draws, is_past, readings_then
from octogram_tui.engine.schedule import Lane, StageRun
from octogram_tui.engine.stimuli import Inputs, RerunAllRequest
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import StageSpec
from octogram_tui.model.values import Value

Lanes = dict[str, Mapping[str, Lane] | str]
"""By stage, the agents that it has now, or why nothing of it can run again."""


class Part(NamedTuple):
    """What is to run again of one stage. is_wanted: asked when its turn comes, whether an instance still is to."""

    stage: str
    only: frozenset[InstanceId]
    is_wanted: Callable[[InstanceId], bool]
    inputs: Inputs


class Beside:
    """What is to run again, by stage: the next stage begins when the one before has ended."""

    def __init__(self, core: Core, course: Course, dispatcher: Dispatcher, instances: Instances) -> None:
        self._core = core
        self._course = course
        self._dispatcher = dispatcher
        self._instances = instances
        self._waiting: deque[Part] = deque()
        self._open: StageRun | None = None
        self._goes_on = False  # the operator wants the gate open once all of it has ended

    @property
    def is_busy(self) -> bool:
        """Whether anything of it is under way, or to come."""
        return bool(self._waiting) or self._open is not None

    def choose_stale(self, asked: RerunAllRequest, agent_problem: Callable[[str], str]) -> Choice:
        """Find what of that which is stale a request means, and why the rest cannot be. Changes nothing."""
        choice = Choice([], {})
        lanes: Lanes = {}
        for id_ in chosen_of(asked, self._instances.stale):
            problem = self.why_not(id_, lanes, agent_problem, asked.inputs)
            if id_ not in self._instances.stale and self._instances.find(id_) is None:
                problem = "it is not stale" if self._instances.attempts_of(id_) else "it has not run"
            if problem:
                choice.left_out[id_] = problem
            else:
                choice.taken.append(id_)
        return choice

    def why_not(
        self, id_: InstanceId, lanes_of: Lanes, agent_problem: Callable[[str], str], inputs: Inputs = "now"
    ) -> str:
        """Say why an instance that has ended cannot run again beside the course; empty when it can.

        lanes_of: what was found out for others before; it grows.
        """
        if self._instances.find(id_) is not None:
            return "it runs right now, or waits for somebody"
        stage = self._stage(id_.stage)
        job = next((job for job in stage.jobs if job.key == id_.job), None) if stage is not None else None
        if stage is None or job is None:
            return "the scenario has it no more"
        if not self._course.has_been(stage.key):
            return "its stage is still to run"
        if stage.key not in lanes_of:
            lanes_of[stage.key] = self._lanes_of(stage)
        lanes = lanes_of[stage.key]
        if isinstance(lanes, str):
            return lanes
        if id_.agent not in lanes:
            return "its stage chooses other agents now"
        current = self._course.current
        if current is not None and current.spec.key == id_.stage and not is_past(current, id_.agent, id_.job):
            return "its agent is not through with the job yet"
        try:
            variables: Mapping[str, Value] = self._core.variables
            if inputs == "then" and id_ in self._instances.readings:
                variables = self._instances.readings[id_].over(variables)
            if not draws(variables, lanes[id_.agent], job, id_):
                return "it is not among the items now"
        except TemplateError as error:
            return error.message
        return "" if job.where in NEEDS_NO_AGENT else agent_problem(id_.agent)

    def _lanes_of(self, stage: StageSpec) -> Mapping[str, Lane] | str:
        others = [run.spec.key for run in self._dispatcher.stage_runs if run is not self._course.current]
        if stage.key in [*others, *(part.stage for part in self._waiting)]:
            return "a rerun of its stage has not ended yet"
        try:
            return {lane.agent: lane for lane in self._course.make(stage, is_rerun=True).lanes}
        except TemplateError as error:
            return error.message

    def _stage(self, key: str) -> StageSpec | None:
        return next((stage for stage in self._core.scenario.stages if stage.key == key), None)

    def begin(
        self,
        taken: list[InstanceId],
        *,
        go: bool = False,
        inputs: Inputs = "now",
        is_wanted: Callable[[InstanceId], bool] = lambda _: True,
    ) -> None:
        """Let what was chosen run again; go: and then the run go on."""
        self._goes_on = self._goes_on or go
        for stage in self._core.scenario.stages:
            only = frozenset(id_ for id_ in taken if id_.stage == stage.key)
            if only:
                self._waiting.append(Part(stage.key, only, is_wanted, inputs))
        self._go_on()

    def ended(self, stage_run: StageRun) -> bool:
        """A pass through a stage has ended: the next one may follow, unless somebody ended it.

        True when that was the last, and the run is to go on.
        """
        was_busy = self.is_busy
        if stage_run is self._open:
            self._open = None
            if stage_run.is_closing:
                self.give_up()
        if was_busy:  # also the end of another may be what the next one waits for
            self._go_on()
        if self.is_busy or not (was_busy and self._goes_on):
            return False
        self._goes_on = False
        return True

    def give_up(self) -> None:
        """The run is ending: nothing more of it begins."""
        self._waiting.clear()
        self._goes_on = False

    def _others_of(self, stage: str) -> bool:
        """Whether another part of a stage runs again, which the operator asked for meanwhile."""
        return any(r.spec.key == stage and r is not self._course.current for r in self._dispatcher.stage_runs)

    def _is_through(self, id_: InstanceId) -> bool:
        """Whether the course is through with a row; one that is under way, or comes yet, is none to begin here."""
        current = self._course.current
        if self._instances.find(id_) is not None:
            return False
        return current is None or current.spec.key != id_.stage or is_past(current, id_.agent, id_.job)

    def _go_on(self) -> None:
        while self._waiting and self._open is None and not self._others_of(self._waiting[0].stage):
            key, only, is_wanted, inputs = self._waiting.popleft()
            stage = self._stage(key)
            there = [i for id_ in only if (i := self._instances.find(id_, "undecided", "stopped")) is not None]
            self._dispatcher.run_again([i for i in there if i.state == "undecided"], inputs)
            self._dispatcher.rerun_now([i for i in there if i.state == "stopped"], inputs)
            if self._course.is_ending:  # one that ran again failed at once
                return
            still = frozenset(id_ for id_ in only if is_wanted(id_) and self._is_through(id_))
            if stage is None or not still:
                continue
            try:  # with the agents that the stage chooses now
                then = readings_then(self._instances, key) if inputs == "then" else None
                stage_run = self._course.make(stage, is_rerun=True, only=still, then=then)
            except TemplateError as error:
                self._core.emit(RequestRefused(request="rerun", message=f"stage {stage.name}: {error.message}"))
                continue
            if stage_run.lanes:
                self._open = stage_run
                self._dispatcher.open(stage_run)
