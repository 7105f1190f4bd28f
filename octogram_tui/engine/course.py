"""Where a run is in its list of stages: which one comes next, which runs, which ran; and how a stage is begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from octogram_tui.engine.breakpoints import Breakpoints, Met
from octogram_tui.engine.core import Core
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.effects import ArmTimer, DisarmTimer
from octogram_tui.engine.events import (
    ConfirmationAsked,
    ConfirmationGiven,
    StageFinished,
    StageStarted,
    WarningGiven,
)
from octogram_tui.engine.fleet import Fleet
from octogram_tui.engine.gate import Gate
from octogram_tui.engine.readings import Readings
from octogram_tui.engine.schedule import StageRun, Then
from octogram_tui.engine.states import RunPhase
from octogram_tui.engine.timers import StageOver
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import Scenario, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.model.variables import Grown, Variables
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.condition import decide
from octogram_tui.template.scope import make_scope

LANES_A_STEP = 8
"""So many agents are chosen for a stage in the time of a step."""


class Start(NamedTuple):
    """The variables when a stage had its turn, and who of the run's course had set them until then."""

    variables: Variables
    by_course: Mapping[str, tuple[int, Value | Grown | object]]


class CourseListener(Protocol):
    """What the course asks of, and tells to, the machine."""

    phase: RunPhase

    def stages_done(self) -> None:
        """There is no further stage."""
        ...

    def stop_at(self, met: Met) -> None:
        """A breakpoint was met: hold what it holds."""
        ...

    def stage_wrong(self, stage: StageSpec, error: TemplateError) -> bool:
        """A stage cannot be begun: a template of its own is wrong. True when it is to be tried again later."""
        ...

    def nobody_confirms(self, stage: StageSpec) -> None:
        """A stage asks for a confirmation that nobody can give."""
        ...

    def leave_out(self, stage_run: StageRun) -> str:
        """Leave agents out of a stage that the run goes on without. Says why nobody is left, or ''."""
        ...


class Course:
    """The one cursor over the stages of the scenario."""

    def __init__(
        self,
        core: Core,
        gate: Gate,
        dispatcher: Dispatcher,
        fleet: Fleet,
        readings: Readings,
        breakpoints: Breakpoints,
        run: CourseListener,
    ) -> None:
        self._core = core
        self._gate = gate
        self._dispatcher = dispatcher
        self._fleet = fleet
        self._readings = readings
        self._breakpoints = breakpoints
        self._run = run
        self._gone: set[str] = set()  # stages that had begun when an edit took them away
        self._cursor = -1  # position, in the scenario's stages, of the one that runs or ran last
        self.current: StageRun | None = None
        self.finished: set[str] = set()  # keys of stages that ran, to the end or not
        self.starts: dict[str, Start] = {}  # how the variables were when each stage had its turn
        self.asked = ""  # the stage whose confirmation is awaited
        self.is_next_due = False  # a stage has ended, and the next one is to be looked at
        self.held = ""  # the stage that a breakpoint holds before it begins

    @property
    def has_more(self) -> bool:
        """Whether the scenario has stages behind the last one that began."""
        return self._cursor + 1 < len(self._core.scenario.stages)

    @property
    def rest(self) -> tuple[StageSpec, ...]:
        """The stages behind the last one that began."""
        return tuple(self._core.scenario.stages[self._cursor + 1 :])

    @property
    def is_ending(self) -> bool:
        """Whether nothing begins any more but what has to run at the end."""
        return self._run.phase not in ("running", "idle")

    def has_been(self, stage: str) -> bool:
        """Whether a stage has begun, and is not still to come."""
        return stage in self.finished or (self.current is not None and self.current.spec.key == stage)

    def advance(self) -> None:
        """Begin the next stage that is to run; without one the stages are done."""
        self.is_next_due = False
        while self._run.phase in ("running", "ending"):
            if not self.has_more:
                self._run.stages_done()
                return
            if not self._offer(self._core.scenario.stages[self._cursor + 1]):
                return

    def _offer(self, stage: StageSpec) -> bool:
        """Try to begin a stage. True when it was passed over, and the next one may be looked at."""
        self.starts[stage.key] = Start(self._core.variables, dict(self._core.by_course))
        is_ending = self._run.phase == "ending"
        if is_ending and not stage.always:
            return self._pass_over(stage, "the run is ending")
        try:
            reason = self._core.options.selection.leaves_out(self._core.scenario, stage) or self._when(stage)
            if reason:
                return self._pass_over(stage, reason)
            if not is_ending and not self._is_confirmed(stage):
                return self.asked == "" and self._run.phase != "ending"
            if self._breakpoints.is_armed and (met := self._breakpoints.stage(stage.key)) is not None:
                self.held = stage.key
                self._run.stop_at(met)
                return self._run.phase == "ending"
            stage_run = self.make(stage)
            reason = self._run.leave_out(stage_run)
            if reason:
                return self._pass_over(stage, reason)
        except TemplateError as error:
            if not self._run.stage_wrong(stage, error):
                self._cursor += 1
                self._core.emit(StageFinished(stage=stage.key, state="failed", reason=error.message))
                return True
            return False
        self._cursor += 1
        self.begin(stage_run)
        return False

    def _pass_over(self, stage: StageSpec, reason: str) -> bool:
        self._cursor += 1
        self._core.emit(StageFinished(stage=stage.key, state="skipped", reason=reason))
        return True

    def _when(self, stage: StageSpec) -> str:
        """Say why a stage's `when` leaves it out; empty when it does not. Raises TemplateError."""
        if stage.when is None or decide(stage.when.source, make_scope(self._core.variables)):
            return ""
        return f"when: {stage.when.source}"

    def _is_confirmed(self, stage: StageSpec) -> bool:
        """Ask the gate. When the answer is not yes, the stage waits, is passed over, or ends the run."""
        answer = self._gate.confirmation(stage)
        if answer == "hold" and self.asked != stage.key:
            self.asked = stage.key
            self._core.emit(ConfirmationAsked(stage=stage.key))
        elif answer == "skip":
            if stage.key not in self._gate.answers:
                self._core.emit(ConfirmationGiven(stage=stage.key, answer=False, by="--confirm no"))
            self._pass_over(stage, "not confirmed")
        elif answer == "stop":
            self._run.nobody_confirms(stage)
        return answer == "go"

    def make(
        self,
        stage: StageSpec,
        *,
        is_rerun: bool = False,
        agent: str = "",
        job: str = "",
        only: frozenset[InstanceId] | None = None,
        then: Then | None = None,
    ) -> StageRun:
        """Choose the agents of a stage, or of a part of it, and give each its lane. Raises TemplateError."""
        labels = self._fleet.labels
        selected = choose_agents(stage, make_scope(self._core.variables), labels)
        meant = None if only is None else {(id_.agent, id_.job) for id_ in only}
        stage_run = StageRun(stage, self._fleet.addresses, is_rerun=is_rerun, only=only, then=then)
        for name, captures in selected.items():
            jobs = tuple(
                j for j in stage.jobs if (not job or j.key == job) and (meant is None or (name, j.key) in meant)
            )
            if (not agent or agent == name) and (jobs or meant is None):
                stage_run.add_lane(name, labels[name], captures, jobs)
        return stage_run

    def begin(self, stage_run: StageRun) -> None:
        """Let a stage run be the current one."""
        self.current = stage_run
        self.held = ""
        self._breakpoints.stage_begins()
        self._readings.stage_began(stage_run.spec)
        self._core.turn.left -= len(stage_run.lanes) // LANES_A_STEP
        self.announce(stage_run)
        if stage_run.spec.timeout_s is not None:
            self._core.order(ArmTimer(StageOver(stage_run.spec.key), stage_run.spec.timeout_s))
        self._dispatcher.open(stage_run)

    def announce(self, stage_run: StageRun) -> None:
        """Tell that a whole stage begins, and with whom; its end will then be told too."""
        stage = stage_run.spec
        names = [lane.agent for lane in stage_run.lanes]
        stage_run.is_told = True
        self._core.emit(StageStarted(stage=stage.key, agents=names, rerun=stage_run.is_rerun))
        if not names:
            patterns = ", ".join(
                [*(t.source for t in stage.with_agents), *(f"label {choice.name}" for choice in stage.with_labels)]
            )
            self._core.emit(WarningGiven(message=f"stage {stage.name} matches no agent ({patterns})", stage=stage.key))

    def ended(self, stage_run: StageRun) -> None:
        """Every lane of a stage run has ended."""
        if stage_run.is_told:
            state = "failed" if stage_run.failed else "cancelled" if stage_run.is_closing else "ok"
            self._core.emit(
                StageFinished(
                    stage=stage_run.spec.key,
                    state=state,
                    rerun=stage_run.is_rerun,
                    duration_s=round(self._core.at_s - stage_run.started_s, 6),
                    paused_s=round(self._core.paused_s - stage_run.paused_s, 6),
                )
            )
        if stage_run is self.current:
            self._forget_limit(stage_run)
            self.current = None
            self.finished.add(stage_run.spec.key)
            self.is_next_due = True

    def _forget_limit(self, stage_run: StageRun) -> None:
        if stage_run.spec.timeout_s is not None:
            self._core.order(DisarmTimer(StageOver(stage_run.spec.key)))

    def _limit_anew(self, stage_run: StageRun, stage: StageSpec) -> None:
        """An edit gives a stage that runs another time limit, which counts from its beginning."""
        self._forget_limit(stage_run)
        if stage.timeout_s is not None:
            lasted_s = self._core.at_s - stage_run.started_s
            self._core.order(ArmTimer(StageOver(stage.key), max(0.0, round(stage.timeout_s - lasted_s, 6))))

    def restart(self, stage: StageSpec, then: Then | None = None) -> None:
        """Run the current stage from its beginning, in place of what is left of it. Raises TemplateError."""
        stage_run = self.make(stage, is_rerun=True, then=then)
        left, self.current = self.current, None
        if left is not None:
            self._dispatcher.close(left, "rerun")
            self._dispatcher.settle(at_once=True)
        self.is_next_due = False
        self.begin(stage_run)

    def is_behind(self, key: str) -> bool:
        """Whether a stage has had its turn, or has it."""
        return key in [stage.key for stage in self._core.scenario.stages[: self._cursor + 1]]

    def move_back(self, position: int) -> None:
        """Let the stage at a position be the next one; what is left of the current one is over."""
        left, self.current = self.current, None
        if left is not None:
            self._forget_limit(left)
            self._dispatcher.close(left, "the run goes back")
            self._dispatcher.settle(at_once=True)
        for stage in self._core.scenario.stages[position:]:
            self.finished.discard(stage.key)
            self._gone.discard(stage.key)
            self._gate.answers.pop(stage.key, None)
        self.asked = ""
        self._cursor = position - 1
        self.is_next_due = True

    def follow(self, old: Scenario, new: Scenario) -> None:
        """Keep the place in the edited list of stages, and let what runs follow its new text."""
        keys = [stage.key for stage in new.stages]
        began = [stage.key for stage in old.stages[: self._cursor + 1]]
        self._gone.update(key for key in began if key not in keys)
        self._cursor = max((keys.index(key) for key in began if key in keys), default=-1)
        while self._cursor + 1 < len(keys) and keys[self._cursor + 1] in self._gone:  # given again: it has had its turn
            self._cursor += 1
        for stage_run in self._dispatcher.stage_runs:
            stage = next((s for s in new.stages if s.key == stage_run.spec.key), None)
            if stage is not None:
                stage_run.is_reordered = stage_run.is_reordered or _orders(stage) != _orders(stage_run.spec)
                if stage_run is self.current and stage.timeout_s != stage_run.spec.timeout_s:
                    self._limit_anew(stage_run, stage)
                stage_run.spec = stage
                if not stage_run.is_rerun:
                    self._dispatcher.adopt(stage_run, stage.jobs)
        if self.asked and self.asked not in keys:
            self.asked = ""
            self.is_next_due = True


def _orders(stage: StageSpec) -> tuple[str, dict[str, str]]:
    return stage.run_jobs, {job.key: job.run_items for job in stage.jobs}
