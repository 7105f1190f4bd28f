"""The engine itself: `Engine.feed(stimulus)` gives what is now fact and what is to be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.engine.core import Core
from octogram_tui.engine.debugger import Debugger
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.effects import ArmTimer, DisarmTimer, Effect, EndRun
from octogram_tui.engine.events import (
    ConfirmationAsked,
    ConfirmationGiven,
    Event,
    RequestRefused,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StageFinished,
    StagesDone,
    StageStarted,
    StopRequested,
    WarningGiven,
)
from octogram_tui.engine.fleet import Fleet
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.reload import adopt, describe_plan
from octogram_tui.engine.schedule import Instance, StageRun
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.states import PHASE_MOVES, Phase
from octogram_tui.engine.stimuli import (
    AgentCameBack,
    AgentCameUp,
    AgentEnded,
    AgentStartFailed,
    AgentWasLost,
    AgentWentSilent,
    AttemptEnded,
    Begin,
    ConfirmationAnswered,
    GoRequested,
    OutputCame,
    PauseRequested,
    ProgressCame,
    RerunRequested,
    ScenarioEdited,
    ServiceReported,
    SkipRequested,
    StepRequested,
    Stimulus,
    StopAsked,
    TimerFired,
    VariableSet,
)
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import EngineBug, ExitCode, TemplateError
from octogram_tui.model.scenario import Scenario, StageSpec
from octogram_tui.scenario.selectors import select_agents
from octogram_tui.template.environment import evaluate, render
from octogram_tui.template.scope import make_scope

CANCEL_S = 30.0  # how long an agent may take to end what it was told to; its own ladder takes 15 s at most


class Outcome(NamedTuple):
    """What feeding one stimulus led to."""

    events: list[Event]
    effects: list[Effect]


class Engine:
    """A run as a state machine. Feeding is total: what makes no sense is refused with an event."""

    def __init__(self, scenario: Scenario, options: RunOptions) -> None:
        self.core = Core(scenario, options)
        self.gate = Debugger(options)
        self.services = ServiceTable()
        self.dispatcher = Dispatcher(self.core, self.gate, self.services, self)
        self.fleet = Fleet(self.core, self.services, self.dispatcher)
        self.phase: Phase = "new"
        self.causes: set[int] = set()
        self._cursor = -1  # position, in the scenario's stages, of the one that runs or ran last
        self._current: StageRun | None = None
        self._is_next_due = False  # a stage has ended, and the next one is to be looked at
        self._asked: str = ""  # the stage whose confirmation is awaited
        self._finished: set[str] = set()  # keys of stages that ran, to the end or not
        self._reason = ""
        self._recent: deque[Stimulus] = deque(maxlen=20)
        self._handlers: dict[type, Callable[[Any], None]] = {
            Begin: self._begin,
            AgentCameUp: self._agent_came_up,
            AgentStartFailed: self._agent_start_failed,
            AgentWentSilent: lambda s: self.fleet.went_silent(s.agent, s.message),
            AgentCameBack: lambda s: self.fleet.came_back(s.agent),
            AgentWasLost: self._agent_was_lost,
            AgentEnded: self._agent_ended,
            AttemptEnded: self._attempt_ended,
            OutputCame: self.dispatcher.output_came,
            ProgressCame: self.dispatcher.progress_came,
            ServiceReported: self.fleet.service_reported,
            TimerFired: self._timer_fired,
            PauseRequested: self._pause,
            GoRequested: self._go,
            StepRequested: self._step,
            ConfirmationAnswered: self._confirmed,
            RerunRequested: self._rerun,
            SkipRequested: self._skip,
            VariableSet: self._set_variable,
            ScenarioEdited: lambda s: adopt(self, s),
            StopAsked: self._stop,
        }

    def feed(self, stimulus: Stimulus, at_s: float) -> Outcome:
        """Take one stimulus at `at_s` seconds since the run's start.

        Raises EngineBug when the engine contradicts itself, with the last stimuli.
        """
        core = self.core
        core.at_s = at_s
        core.cause = _cause(stimulus)
        core.events, core.effects = [], []
        self._recent.append(stimulus)
        try:
            if self.phase != "finished":
                self._handlers[type(stimulus)](stimulus)
                self._settle()
        except EngineBug as bug:
            raise EngineBug(bug.message, list(self._recent)) from bug
        return Outcome(core.events, core.effects)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing goes on until an operator acts."""
        if self.phase == "idle" or self._asked:
            return True
        return self.phase in ("starting", "running") and self.gate.is_shut and not self.dispatcher.in_flight

    def _move(self, phase: Phase) -> None:
        if phase not in PHASE_MOVES[self.phase]:
            raise EngineBug(f"no move from phase {self.phase} to {phase}", [])
        self.phase = phase

    # -- start ----------------------------------------------------------------------------------------------------

    def _begin(self, stimulus: Begin) -> None:
        core = self.core
        scenario, options = core.scenario, core.options
        self._move("starting")
        core.emit(RunStarted(
            run=options.run, scenario=scenario.path, digest=scenario.digest, started_wall=stimulus.started_wall,
            version=options.version, host=stimulus.host, plan=describe_plan(scenario, self.gate),
            agents=[{"agent": a.name, "address": a.address, "transport": a.transport} for a in scenario.agents],
            variables=dict(core.variables), options=options.public()))
        if options.timeout_s is not None:
            core.order(ArmTimer("run", options.timeout_s))
        if self.gate.is_shut:
            core.emit(RunPaused(reason="start"))
        self.fleet.start_all()
        self._go_on_when_settled()

    def _go_on_when_settled(self) -> None:
        """Begin the stages once every agent is up; end the run once each has answered and one is not.

        Waiting for all of them shows the user every machine that is wrong, not only the first.
        """
        if self.phase != "starting":
            return
        if self.fleet.is_ready:
            self._move("running")
            self._is_next_due = True
        elif self.fleet.is_settled:
            self._stop_agents(f"agent {self.fleet.first_failed} could not be started")

    def _agent_came_up(self, stimulus: AgentCameUp) -> None:
        self.fleet.came_up(stimulus)
        self._go_on_when_settled()

    def _agent_start_failed(self, stimulus: AgentStartFailed) -> None:
        self.fleet.start_failed(stimulus)
        if self.phase == "starting":
            self.causes.add(stimulus.exit_code)
        else:
            self.core.emit(WarningGiven(message=f"agent {stimulus.agent} did not start", agent=stimulus.agent))
        self._go_on_when_settled()

    def _agent_was_lost(self, stimulus: AgentWasLost) -> None:
        was_stopping = self.phase == "stopping"
        self.fleet.lost(stimulus.agent, stimulus.message)
        self.causes.add(stimulus.exit_code)
        if was_stopping:
            self._finish_when_stopped()
        elif self.phase == "starting":
            self._go_on_when_settled()
        elif self.core.options.on_failure == "abort":
            self._abort(f"agent {stimulus.agent} was lost")
        else:
            self._pause_for("failure", f"agent {stimulus.agent} was lost: {stimulus.message}")

    def _agent_ended(self, stimulus: AgentEnded) -> None:
        if not stimulus.is_clean:
            self.causes.add(ExitCode.NOT_CLEANED)
        self.fleet.ended(stimulus)
        self._finish_when_stopped()

    # -- stages ---------------------------------------------------------------------------------------------------

    def _next_stage(self) -> None:
        """Begin the next stage that is to run; without one the stages are done."""
        while self.phase in ("running", "ending"):
            stages = self.core.scenario.stages
            if self._cursor + 1 >= len(stages):
                self._stages_done()
                return
            stage = stages[self._cursor + 1]
            if not self._offer_stage(stage):
                return

    def _offer_stage(self, stage: StageSpec) -> bool:
        """Try to begin a stage. True when it was passed over, and the next one may be looked at."""
        if self.phase == "ending" and not stage.always:
            self._cursor += 1
            self.core.emit(StageFinished(stage=stage.key, state="skipped", reason="the run is ending"))
            return True
        reason = self.gate.selects(self.core.scenario, stage)
        if not reason and stage.when is not None and self._current is None:
            reason = self._when(stage)
        if reason:
            self._cursor += 1
            self.core.emit(StageFinished(stage=stage.key, state="skipped", reason=reason))
            return True
        if self.phase == "running":
            answer = self.gate.confirmation(stage)
            if answer == "hold":
                if self._asked != stage.key:
                    self._asked = stage.key
                    self.core.emit(ConfirmationAsked(stage=stage.key))
                return False
            if answer == "skip":
                self._cursor += 1
                if stage.key not in self.gate.answers:
                    self.core.emit(ConfirmationGiven(stage=stage.key, answer=False, by="--confirm no"))
                self.core.emit(StageFinished(stage=stage.key, state="skipped", reason="not confirmed"))
                return True
            if answer == "stop":
                self.causes.add(ExitCode.HELD)
                self._end_early(f"stage {stage.name} asks for a confirmation, and there is nobody to give it")
                return True
        self._cursor += 1
        self._open_stage(stage)
        return False

    def _when(self, stage: StageSpec) -> str:
        """Say why a stage's `when` leaves it out; empty when it does not."""
        assert stage.when is not None
        try:
            return "" if evaluate(stage.when.source, make_scope(self.core.variables)) else f"when: {stage.when.source}"
        except TemplateError as error:
            self._template_wrong(stage, error)
            return f"when: {error.message}"

    def _template_wrong(self, stage: StageSpec, error: TemplateError) -> None:
        self.causes.add(ExitCode.SCENARIO)
        self.core.emit(WarningGiven(message=f"stage {stage.name}: {error.message}", stage=stage.key))
        self._end_early(f"a template of stage {stage.name} is wrong")

    def _open_stage(self, stage: StageSpec, *, is_rerun: bool = False) -> None:
        stage_run = self._make_stage_run(stage, is_rerun=is_rerun)
        if stage_run is None:
            self.core.emit(StageFinished(stage=stage.key, state="failed", reason="a template is wrong"))
            return
        self._current = stage_run
        self._announce(stage_run)
        self.dispatcher.open(stage_run)

    def _announce(self, stage_run: StageRun) -> None:
        stage = stage_run.spec
        names = [lane.agent for lane in stage_run.lanes]
        self.core.emit(StageStarted(stage=stage.key, agents=names, rerun=stage_run.is_rerun))
        if not names:
            patterns = ", ".join(t.source for t in stage.with_agents)
            self.core.emit(WarningGiven(message=f"stage {stage.name} matches no agent ({patterns})", stage=stage.key))

    def _make_stage_run(
        self, stage: StageSpec, *, is_rerun: bool = False, agent: str = "", job: str = "", key: str = ""
    ) -> StageRun | None:
        """Choose the agents of a stage and give each its lane. None when its patterns cannot be expanded."""
        try:
            patterns = [render(t.source, make_scope(self.core.variables)) for t in stage.with_agents]
            selected = select_agents(patterns, self.fleet.names)
        except TemplateError as error:
            self._template_wrong(stage, error)
            return None
        jobs = tuple(j for j in stage.jobs if not job or j.key == job)
        stage_run = StageRun(stage, is_rerun=is_rerun, only_key=key)
        for name, captures in selected.items():
            if not agent or agent == name:
                stage_run.add_lane(name, captures, jobs)
        return stage_run

    def stage_done(self, stage_run: StageRun) -> None:
        """Every lane has ended (called by the dispatcher)."""
        stage = stage_run.spec
        if stage_run is not self._current:
            if not stage_run.only_key:
                self._tell_stage_end(stage_run)
            return
        self._current = None
        self._finished.add(stage.key)
        self._tell_stage_end(stage_run)
        self._is_next_due = True

    def _tell_stage_end(self, stage_run: StageRun) -> None:
        state = "failed" if stage_run.failed else "cancelled" if stage_run.is_closing else "ok"
        self.core.emit(StageFinished(
            stage=stage_run.spec.key, state=state, rerun=stage_run.is_rerun,
            duration_s=round(self.core.at_s - stage_run.started_s, 6)))

    def _stages_done(self) -> None:
        if self.phase == "ending":
            self._stop_agents(self._reason)
        elif self.core.options.keep_alive:
            self._move("idle")
            self.core.emit(StagesDone(exit_code=exit_code(self.causes)))
        else:
            self._stop_agents("")

    # -- failures -------------------------------------------------------------------------------------------------

    def verdict(self, instance: Instance, error: dict[str, Any]) -> str:
        """Say what a failure means: the job's own word, else the front end's preference."""
        if self.phase not in ("running", "idle"):
            return "abort"
        return instance.job_run.spec.on_failure or self.core.options.on_failure

    def failure_seen(self, instance: Instance, verdict: str, error: dict[str, Any]) -> None:
        """Act on a failure that has been told."""
        if verdict == "pause":
            self._pause_for("failure", f"{instance.key}: {error.get('message', 'failed')}")
            return
        kind = error.get("kind")
        self.causes.add(
            ExitCode.AGENT_LOST if kind == "agent_lost"
            else ExitCode.SCENARIO if kind == "template" else ExitCode.JOB_FAILED)
        if self.phase == "running":
            self._abort(f"{instance.key} failed")

    def _abort(self, reason: str) -> None:
        """A failure ends the run: siblings are cancelled, `always` stages run, agents are stopped."""
        if self.phase == "idle":
            self._stop_agents(reason)
        elif self.phase == "running":
            self._end_early(reason)

    def _end_early(self, reason: str) -> None:
        self._reason = self._reason or reason
        if self.phase == "running":
            self._move("ending")
            self.gate.open()
            self._asked = ""
            for stage_run in list(self.dispatcher.stage_runs):
                self.dispatcher.close(stage_run, reason)
            if self.dispatcher.live:
                self.core.order(ArmTimer("cancel", CANCEL_S))
            self._is_next_due = self._is_next_due or self._current is None

    # -- the gate -------------------------------------------------------------------------------------------------

    def _pause_for(self, reason: str, message: str = "") -> None:
        if not self.gate.is_shut or self.gate.reason != reason:
            self.gate.shut(reason)
            self.core.emit(RunPaused(reason=reason, message=message, in_flight=self.dispatcher.in_flight))

    def _pause(self, _: PauseRequested) -> None:
        if self.phase in ("starting", "running"):
            self._pause_for("operator")
        else:
            self._refuse("pause", f"the run is {self.phase}")

    def _go(self, _: GoRequested) -> None:
        if self._asked:
            self._confirmed(ConfirmationAnswered(self._asked, True))
        if not self.gate.is_shut:
            return
        if self.dispatcher.unresolved and not self.dispatcher.held and not self.dispatcher.in_flight:
            first = next(iter(self.dispatcher.unresolved))
            self._refuse("go", f"{first} failed: rerun or skip it first")
            return
        self.gate.open()
        self.core.emit(RunResumed(mode="go"))
        self.dispatcher.wake()

    def _step(self, _: StepRequested) -> None:
        if self.phase not in ("starting", "running"):
            self._refuse("step", f"the run is {self.phase}")
            return
        if self._asked:
            self._confirmed(ConfirmationAnswered(self._asked, True))
        if not self.gate.is_shut:
            self.gate.shut("step")
            self.core.emit(RunPaused(reason="step", in_flight=self.dispatcher.in_flight))
        elif self.dispatcher.unresolved and not self.dispatcher.held:
            self._refuse("step", f"{next(iter(self.dispatcher.unresolved))} failed: rerun or skip it first")
            return
        self.gate.reason = "step"
        self.gate.steps += 1
        self.core.emit(RunResumed(mode="step"))
        self.dispatcher.wake()

    def _confirmed(self, stimulus: ConfirmationAnswered) -> None:
        if not self._asked or stimulus.stage not in ("", self._asked):
            self._refuse("confirm", f"stage {stimulus.stage} does not wait for a confirmation")
            return
        stage, self._asked = self._asked, ""
        self.gate.answers[stage] = stimulus.answer
        self.core.emit(ConfirmationGiven(stage=stage, answer=stimulus.answer, by=stimulus.by))
        self._is_next_due = True

    # -- changes by the operator ----------------------------------------------------------------------------------

    def _rerun(self, stimulus: RerunRequested) -> None:
        """Execute again what was asked for. Of one instance there is never more than one attempt under way."""
        problem = "" if self.phase in ("running", "idle") else f"the run is {self.phase}"
        if not problem and any(_matches(stimulus, i) for i in self.dispatcher.under_way()):
            problem = "it runs right now"
        if problem:
            self._refuse("rerun", problem)
            return
        is_whole_stage = not (stimulus.job or stimulus.agent or stimulus.key)
        current = self._current
        if current is not None and current.spec.key != stimulus.stage:
            current = None
        failed = {key: i.job_run.lane.agent for key, i in self.dispatcher.unresolved.items() if _matches(stimulus, i)}
        if not (is_whole_stage and current is not None):
            for key in failed:  # these hold their lanes: they run again in place
                self.dispatcher.rerun_failed(key)
        problem = self._rerun_rest(stimulus, current, failed, is_whole_stage=is_whole_stage)
        if problem and not failed:
            self._refuse("rerun", problem)

    def _rerun_rest(
        self, stimulus: RerunRequested, current: StageRun | None, failed: dict[str, str], *, is_whole_stage: bool
    ) -> str:
        """Execute again what does not hold its lane by a failure. Says why when there is nothing to execute.

        failed: keys of the failures that run again in place, each with its agent, which is left out here.
        """
        stage = next((s for s in self.core.scenario.stages if s.key == stimulus.stage), None)
        if stage is None:
            return f"the scenario has no stage {stimulus.stage!r}"
        if any(r.spec.key == stage.key and r is not self._current for r in self.dispatcher.stage_runs):
            return f"a rerun of stage {stage.name} has not ended yet"
        if stimulus.key in failed:
            return ""
        if current is not None and is_whole_stage:
            self._restart_stage(stage, current)
            return ""
        if stage.key not in self._finished and current is None:
            return f"stage {stage.name} has not run yet"
        stage_run = self._make_stage_run(
            stage, is_rerun=True, agent=stimulus.agent, job=stimulus.job, key=stimulus.key)
        if stage_run is None:
            return ""
        if current is not None:
            stage_run.keep_lanes(_agents_past(current, stimulus.job))
        stage_run.keep_lanes([lane.agent for lane in stage_run.lanes if lane.agent not in failed.values()])
        if not stage_run.lanes:
            return "it has not run there yet"
        if is_whole_stage:
            self._announce(stage_run)
        self.dispatcher.open(stage_run)
        return ""

    def _restart_stage(self, stage: StageSpec, current: StageRun) -> None:
        """Run the current stage from its beginning, in place of what is left of it."""
        self._current = None
        self.dispatcher.close(current, "rerun")
        self.dispatcher.settle()
        self._is_next_due = False
        self._open_stage(stage, is_rerun=True)

    def follow_stages(self, old: Scenario, new: Scenario) -> None:
        """Keep the place in the edited list of stages, and let the running stage follow its new text."""
        keys = [stage.key for stage in new.stages]
        if self._cursor >= 0:
            began = [stage.key for stage in old.stages[: self._cursor + 1]]
            positions = [keys.index(key) for key in began if key in keys]
            self._cursor = max(positions, default=-1)
        for stage_run in self.dispatcher.stage_runs:
            stage = next((s for s in new.stages if s.key == stage_run.spec.key), None)
            if stage is not None:
                stage_run.spec = stage
                if not stage_run.is_rerun:
                    self.dispatcher.adopt(stage_run, stage.jobs)
        if self._asked and self._asked not in keys:
            self._asked = ""
            self._is_next_due = True
        if self.phase == "idle" and self._cursor + 1 < len(keys):
            self._move("running")
            self._pause_for("reload", "the edited scenario has further stages")
            self._is_next_due = True

    def _skip(self, stimulus: SkipRequested) -> None:
        if not self.dispatcher.skip(stimulus.key):
            self._refuse("skip", f"{stimulus.key} neither failed nor is held")

    def _set_variable(self, stimulus: VariableSet) -> None:
        if stimulus.remove:
            if stimulus.name not in self.core.variables:
                self._refuse("set variable", f"there is no variable {stimulus.name!r}")
            self.core.remove_variable(stimulus.name, "operator")
        else:
            self.core.set_variable(stimulus.name, stimulus.value, "operator")
        # A held instance follows: what is shown next to it is what it will see.
        for job_run in self.dispatcher.held:
            job_run.snapshot = self.core.variables
        self.dispatcher.check_watches()

    def _refuse(self, request: str, message: str) -> None:
        self.core.emit(RequestRefused(request=request, message=message))

    # -- reports and timers ---------------------------------------------------------------------------------------

    def _attempt_ended(self, stimulus: AttemptEnded) -> None:
        if not self.fleet.attempt_ended(stimulus):
            self.dispatcher.attempt_ended(stimulus)
            return
        if self.fleet.first_failed and self.phase == "starting":
            self.causes.add(ExitCode.NOT_STARTED)
        self._go_on_when_settled()

    def _timer_fired(self, stimulus: TimerFired) -> None:
        kind, _, name = stimulus.timer.partition(":")
        if kind == "retry":
            self.dispatcher.retry_due(name)
        elif kind == "wait":
            self.dispatcher.watch_timed_out(name)
        elif kind == "run":
            self._stop(StopAsked("time limit", ExitCode.TIME_LIMIT))
        elif kind == "cancel":
            self.dispatcher.give_up_cancelled(CANCEL_S)
        elif kind == "collect":
            self._stop(StopAsked("time for `always` stages is over", 0, force=True))

    # -- the end --------------------------------------------------------------------------------------------------

    def _stop(self, stimulus: StopAsked) -> None:
        """First: end what runs, run the `always` stages, stop the agents. Again, or by force: only the last."""
        if self.phase in ("stopping", "finished"):
            if stimulus.force:
                self.core.emit(StopRequested(by=stimulus.by, force=True))
                self.fleet.stop_all(force=True)
            return
        if stimulus.exit_code:
            is_over = self.phase == "idle" and stimulus.by == "operator"
            if not is_over:
                self.causes.add(stimulus.exit_code)
        self.core.emit(StopRequested(by=stimulus.by, force=stimulus.force))
        reason = self._reason or f"stopped by {stimulus.by}"
        if self.phase == "running" and not stimulus.force:
            self._end_early(reason)
            self.core.order(ArmTimer("collect", self.core.options.collect_s))
        elif self.phase == "ending" and not stimulus.force:
            self.core.order(ArmTimer("collect", self.core.options.collect_s))
        else:
            self._stop_agents(reason, force=stimulus.force)

    def _stop_agents(self, reason: str, *, force: bool = False) -> None:
        self._reason = self._reason or reason
        for name in ("run", "collect", "cancel"):
            self.core.order(DisarmTimer(name))
        self._move("stopping")
        self._asked = ""
        for stage_run in list(self.dispatcher.stage_runs):
            self.dispatcher.close(stage_run, reason)
        self.fleet.stop_all(force=force)
        self._finish_when_stopped()

    def _finish_when_stopped(self) -> None:
        if self.phase != "stopping" or not self.fleet.is_stopped:
            return
        for agent in self.fleet.names:
            self.dispatcher.fail_agent(agent, "the run was stopped")
        self.dispatcher.settle()
        self._move("finished")
        code = exit_code(self.causes)
        self.core.emit(RunFinished(
            exit_code=code, reason=self._reason, duration_s=round(self.core.at_s, 3),
            counts=dict(self.dispatcher.counts), causes=sorted(int(c) for c in self.causes)))
        self.core.order(EndRun(code))

    def _settle(self) -> None:
        """Let everything move that can, stage after stage; then say so when all of it waits for a failure."""
        self.dispatcher.settle()
        while self._is_next_due:
            self._is_next_due = False
            self._next_stage()
            self.dispatcher.settle()
        if self.dispatcher.unresolved and not self.gate.is_shut and self.dispatcher.is_quiet:
            first = next(iter(self.dispatcher.unresolved))
            self._pause_for("failure", f"{first} failed")

    def agent_problem(self, agent: str) -> str:
        """Say why an agent cannot take a job; empty when it can."""
        return self.fleet.problem(agent)


def _matches(stimulus: RerunRequested, instance: Instance) -> bool:
    """Whether a request is about an instance."""
    lane = instance.job_run.lane
    return (
        lane.stage_run.spec.key == stimulus.stage
        and stimulus.job in ("", instance.job_run.spec.key)
        and stimulus.agent in ("", lane.agent)
        and stimulus.key in ("", instance.key)
    )


def _agents_past(current: StageRun, job: str) -> list[str]:
    """Give the agents that are through with a job of the running stage, or with all of it when none is named."""
    return [
        lane.agent for lane in current.lanes
        if lane.is_done or (job and job in [j.key for j in lane.jobs[: lane.index]] and job not in lane.active)
    ]


def _cause(stimulus: Stimulus) -> str:
    """Name a stimulus for `explain`: its type, and the attempt, agent or timer it is about."""
    about = (
        getattr(stimulus, "attempt_id", "") or getattr(stimulus, "agent", "") or getattr(stimulus, "timer", "")
        or getattr(stimulus, "key", ""))
    return f"{type(stimulus).__name__} {about}" if about else type(stimulus).__name__
