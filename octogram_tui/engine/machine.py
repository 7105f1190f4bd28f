"""The engine itself: `Engine.feed(stimulus)` gives what is now fact and what is to be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.engine.core import ABSENT, Core
from octogram_tui.engine.course import Course
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.effects import ArmTimer, DisarmTimer, Effect, EndRun
from octogram_tui.engine.events import (
    ConfirmationGiven,
    Event,
    RequestRefused,
    RerunBegun,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StagesDone,
    StopRequested,
    VariableChanged,
    WarningGiven,
)
from octogram_tui.engine.fleet import Fleet
from octogram_tui.engine.gate import Gate
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.readings import Readings
from octogram_tui.engine.reload import adopt, describe_plan
from octogram_tui.engine.rerun_all import choose_failed, nothing_to_run
from octogram_tui.engine.rerun_stale import StaleReruns
from octogram_tui.engine.reruns import rerun
from octogram_tui.engine.schedule import StageRun
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.staleness import Staleness
from octogram_tui.engine.states import PHASE_MOVES, RunPhase
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLoadReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    AttemptReport,
    BeginRequest,
    ConfirmRequest,
    EditReport,
    GoRequest,
    OutputReport,
    PauseRequest,
    ProgressReport,
    RerunAllRequest,
    RerunRequest,
    ServiceReport,
    SetVariableRequest,
    SkipRequest,
    StartFailureReport,
    StepRequest,
    Stimulus,
    StopRequest,
    TimerReport,
)
from octogram_tui.engine.timers import RetryDue, RunTimer, WaitOver
from octogram_tui.engine.transitions import Transitions, Verdict
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import EngineBug, ExitCode, TemplateError
from octogram_tui.model.failure import AGENT_LOST, TEMPLATE, Failure
from octogram_tui.model.ids import AttemptId
from octogram_tui.model.scenario import Scenario, StageSpec

CANCEL_S = 30.0  # how long an agent may take to end what it was told to; its own ladder takes 15 s at most


class Outcome(NamedTuple):
    """What feeding one stimulus led to."""

    events: list[Event]
    effects: list[Effect]


class Engine:
    """A run as a state machine. Feeding is total: what makes no sense is refused with an event."""

    def __init__(self, scenario: Scenario, options: RunOptions) -> None:
        self.core = Core(scenario, options)
        self.gate = Gate(options)
        self.services = ServiceTable()
        self.instances = Instances()
        self.readings = Readings(self.core)
        self.dispatcher = Dispatcher(self.core, self.gate, self.instances, self.readings, self)
        self.transitions = Transitions(
            self.core, self.instances, self.services, self, self.readings, self.dispatcher.left
        )
        self.dispatcher.transitions = self.transitions
        self.fleet = Fleet(self.core, self.services, self.transitions)
        self.phase: RunPhase = "new"
        self.course = Course(self.core, self.gate, self.dispatcher, self.fleet, self.readings, self)
        self.stale_reruns = StaleReruns(self.core, self.course, self.dispatcher, self.instances)
        self.staleness = Staleness(self.core, self.instances, self.readings, self.fleet)
        self.causes: set[int] = set()
        self._stopped_first: StopRequest | None = None  # asked to stop before it was asked to begin
        self._reason = ""
        self._stands_still = False
        self._recent: deque[Stimulus] = deque(maxlen=20)
        self._handlers: dict[type, Callable[[Any], None]] = {
            BeginRequest: self._begin,
            AgentUpReport: self._agent_came_up,
            StartFailureReport: self._agent_start_failed,
            AgentWaitReport: lambda s: self.fleet.waits(s.agent, s.message),
            AgentSilentReport: lambda s: self.fleet.went_silent(s.agent, s.message),
            AgentLoadReport: self.fleet.load_told,
            AgentBackReport: lambda s: self.fleet.came_back(s.agent),
            AgentLossReport: self._agent_was_lost,
            AgentEndReport: self._agent_ended,
            AttemptReport: self._attempt_ended,
            OutputReport: self._output,
            ProgressReport: self._progress,
            ServiceReport: self.fleet.service_reported,
            TimerReport: self._timer_fired,
            PauseRequest: self._pause,
            GoRequest: self._go,
            StepRequest: self._step,
            ConfirmRequest: self._confirmed,
            RerunRequest: self._rerun,
            RerunAllRequest: self._rerun_all,
            SkipRequest: self._skip,
            SetVariableRequest: self._set_variable,
            EditReport: lambda s: adopt(self, s),
            StopRequest: self._stop,
        }

    def feed(self, stimulus: Stimulus, at_s: float) -> Outcome:
        """Take one stimulus at `at_s` seconds since the run's start.

        Raises EngineBug when the engine contradicts itself, with the last stimuli.
        """
        core = self.core
        if self._stands_still:
            core.paused_s += at_s - core.at_s
        core.at_s = at_s
        core.cause = _cause(stimulus)
        core.events, core.effects = [], []
        self._recent.append(stimulus)
        try:
            if self.phase != "finished":
                self._handlers[type(stimulus)](stimulus)
                self._settle()
                if self.gate.is_shut or self.course.asked or self.phase == "idle" or self._stands_still:
                    is_busy = self.phase == "starting" or self.instances.count("running", "watching", "retrying")
                    self._stands_still = self.is_waiting and not is_busy
        except EngineBug as bug:
            raise EngineBug(bug.message, list(self._recent)) from bug
        return Outcome(core.events, core.effects)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing goes on until an operator acts."""
        if self.phase == "idle" or self.course.asked:
            return True
        return self.phase in ("starting", "running") and self.gate.is_shut and not self.in_flight

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return self.instances.count("running", "watching")

    def _move(self, phase: RunPhase) -> None:
        if phase not in PHASE_MOVES[self.phase]:
            raise EngineBug(f"no move from phase {self.phase} to {phase}", [])
        self.phase = phase

    # -- start ----------------------------------------------------------------------------------------------------

    def _begin(self, stimulus: BeginRequest) -> None:
        core = self.core
        scenario, options = core.scenario, core.options
        self._move("starting")
        core.emit(
            RunStarted(
                run=options.run,
                scenario=scenario.path,
                digest=scenario.digest,
                started_wall=stimulus.started_wall,
                version=options.version,
                host=stimulus.host,
                plan=describe_plan(scenario, options.selection),
                agents=[{"agent": a.name, "address": a.address, "transport": a.transport} for a in scenario.agents],
                variables=dict(core.variables),
                options=options.public(),
            )
        )
        if options.timeout_s is not None:
            core.order(ArmTimer(RunTimer.LIMIT, options.timeout_s))
        if self._stopped_first is not None:
            self._stop(self._stopped_first)
            return
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
            self.course.is_next_due = True
        elif self.fleet.is_settled:
            self._stop_agents(f"agent {self.fleet.first_failed} could not be started")

    def _agent_came_up(self, stimulus: AgentUpReport) -> None:
        self.fleet.came_up(stimulus)
        self._go_on_when_settled()

    def _agent_start_failed(self, stimulus: StartFailureReport) -> None:
        self.fleet.start_failed(stimulus)
        if self.phase == "starting":
            self.causes.add(stimulus.exit_code)
        else:
            self.core.emit(WarningGiven(message=f"agent {stimulus.agent} did not start", agent=stimulus.agent))
        self._go_on_when_settled()

    def _agent_was_lost(self, stimulus: AgentLossReport) -> None:
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

    def _agent_ended(self, stimulus: AgentEndReport) -> None:
        if not stimulus.is_clean:
            self.causes.add(ExitCode.NOT_CLEANED)
        self.fleet.ended(stimulus)
        self._finish_when_stopped()

    # -- what the course of the stages tells ----------------------------------------------------------------------

    def stage_done(self, stage_run: StageRun) -> None:
        """Every lane has ended (told by the dispatcher)."""
        self.course.ended(stage_run)
        if self.stale_reruns.ended(stage_run) and self.gate.is_shut:
            self._open_gate()

    def stage_wrong(self, stage: StageSpec, error: TemplateError) -> bool:
        """A template of a stage's own is wrong: hold for the operator, or end the run."""
        message = f"stage {stage.name}: {error.message}"
        self.core.emit(WarningGiven(message=message, stage=stage.key))
        if self.phase == "running" and self.core.options.on_failure == "pause":
            self._pause_for("failure", message)
            return True
        self.causes.add(ExitCode.SCENARIO)
        self._end_early(f"a template of stage {stage.name} is wrong")
        return False

    def nobody_confirms(self, stage: StageSpec) -> None:
        """A stage asks for a confirmation that nobody can give: the run ends."""
        self.causes.add(ExitCode.HELD)
        self._end_early(f"stage {stage.name} asks for a confirmation, and there is nobody to give it")

    def stages_done(self) -> None:
        """There is no further stage."""
        if self.phase == "ending":
            self._stop_agents(self._reason)
        elif self.core.options.keep_alive:
            self._move("idle")
            self.core.emit(StagesDone(exit_code=exit_code(self.causes)))
        else:
            self._stop_agents("")

    # -- failures -------------------------------------------------------------------------------------------------

    def verdict(self, instance: Instance) -> Verdict:
        """Say what a failure means: the job's own word, else the front end's preference."""
        if self.phase not in ("running", "idle"):
            return "abort"
        return instance.job_run.spec.on_failure or self.core.options.on_failure

    def failure_seen(self, instance: Instance, verdict: Verdict, failure: Failure) -> None:
        """Act on a failure that has been told."""
        if verdict == "pause":
            self._pause_for("failure", f"{instance.id}: {failure.message}")
            return
        self.causes.add(
            ExitCode.AGENT_LOST
            if failure.kind == AGENT_LOST
            else ExitCode.SCENARIO
            if failure.kind == TEMPLATE
            else ExitCode.JOB_FAILED
        )
        if self.phase == "running":
            self._abort(f"{instance.id} failed")

    def _abort(self, reason: str) -> None:
        """A failure ends the run: siblings are cancelled, `always` stages run to their end, agents are stopped."""
        if self.phase == "idle":
            self._stop_agents(reason)
        elif self.phase == "running":
            self._end_early(reason)

    def _end_early(self, reason: str) -> None:
        self._reason = self._reason or reason
        if self.phase == "running":
            self._move("ending")
            self.gate.open()
            self.course.asked = ""
            for stage_run in list(self.dispatcher.stage_runs):
                if not stage_run.spec.always:  # what collects and cleans goes on: one agent's failure is its own
                    self.dispatcher.close(stage_run, reason)
            if self.in_flight:
                self.core.order(ArmTimer(RunTimer.CANCEL, CANCEL_S))
            self.course.is_next_due = self.course.is_next_due or self.course.current is None

    # -- the gate -------------------------------------------------------------------------------------------------

    def _pause_for(self, reason: str, message: str = "") -> None:
        if not self.gate.is_shut or self.gate.reason != reason:
            self.gate.shut(reason)
            self.core.emit(RunPaused(reason=reason, message=message, in_flight=self.in_flight))

    def _pause(self, _: PauseRequest) -> None:
        if self.phase in ("starting", "running"):
            self._pause_for("operator")
        else:
            self._refuse("pause", f"the run is {self.phase}")

    def _go(self, _: GoRequest) -> None:
        if self.course.asked:
            self._confirmed(ConfirmRequest(self.course.asked, True))
        if not self.gate.is_shut:
            return
        undecided = self.instances.first("undecided")
        if undecided is not None and not self.instances.count("held") and not self.in_flight:
            self._refuse("go", f"{undecided.id} failed: rerun or skip it first")
            return
        self._open_gate()

    def _open_gate(self) -> None:
        self.gate.open()
        self.core.emit(RunResumed(mode="go"))
        self.dispatcher.wake()
        if self.phase == "running" and self.course.current is None:  # a stage could not be begun: try it again
            self.course.is_next_due = True

    def _step(self, _: StepRequest) -> None:
        if self.phase not in ("starting", "running"):
            self._refuse("step", f"the run is {self.phase}")
            return
        if self.course.asked:
            self._confirmed(ConfirmRequest(self.course.asked, True))
        if not self.gate.is_shut:
            self.gate.shut("step")
            self.core.emit(RunPaused(reason="step", in_flight=self.in_flight))
        elif not self.instances.count("held") and (undecided := self.instances.first("undecided")) is not None:
            self._refuse("step", f"{undecided.id} failed: rerun or skip it first")
            return
        self.gate.reason = "step"
        self.gate.steps += 1
        self.core.emit(RunResumed(mode="step"))
        self.dispatcher.wake()

    def _confirmed(self, stimulus: ConfirmRequest) -> None:
        if not self.course.asked or stimulus.stage not in ("", self.course.asked):
            self._refuse("confirm", f"stage {stimulus.stage} does not wait for a confirmation")
            return
        stage, self.course.asked = self.course.asked, ""
        self.gate.answers[stage] = stimulus.answer
        self.core.emit(ConfirmationGiven(stage=stage, answer=stimulus.answer, by=stimulus.by))
        self.course.is_next_due = True

    # -- changes by the operator ----------------------------------------------------------------------------------

    def _rerun(self, stimulus: RerunRequest) -> None:
        problem = f"the run is {self.phase}"
        if self.phase in ("running", "idle"):
            problem = rerun(self.core, self.course, self.dispatcher, self.instances, stimulus)
        if problem:
            self._refuse("rerun", problem)

    def _rerun_all(self, stimulus: RerunAllRequest) -> None:
        if self.phase not in ("running", "idle"):
            self._refuse("rerun all", f"the run is {self.phase}")
            return
        if stimulus.which == "stale":
            choice = self.stale_reruns.choose(stimulus, self.agent_problem)
        else:
            choice = choose_failed(stimulus, self.instances, self.agent_problem)
        if not choice.taken:
            self._refuse("rerun all", choice.message or nothing_to_run(stimulus, self.instances))
            return
        self.core.emit(
            RerunBegun(
                which=stimulus.which,
                instances=[str(id_) for id_ in choice.taken],
                left_out={str(id_): why for id_, why in choice.left_out.items()},
                message=choice.message,
            )
        )
        if stimulus.which == "stale":
            self.stale_reruns.begin(choice.taken, go=stimulus.go)
        else:
            if stimulus.go and self.gate.is_shut:  # before it begins: what fails at once shuts the gate again
                self._open_gate()
            self.dispatcher.run_again([i for id_ in choice.taken if (i := self.instances.find(id_)) is not None])

    def follow_stages(self, old: Scenario, new: Scenario) -> None:
        """An edited list of stages is in force; what it adds behind the end waits for the operator."""
        self.course.follow(old, new)
        if self.phase == "idle" and self.course.has_more:
            self._move("running")
            self._pause_for("reload", "the edited scenario has further stages")
            self.course.is_next_due = True

    def _skip(self, stimulus: SkipRequest) -> None:
        if not self.dispatcher.pass_over(stimulus.instance):
            self._refuse("skip", f"{stimulus.instance} neither failed nor is held")

    def _set_variable(self, stimulus: SetVariableRequest) -> None:
        name, core = stimulus.name, self.core
        if stimulus.remove and name not in core.variables:
            self._refuse("set variable", f"there is no variable {name!r}")
            return
        core.assign(name, ABSENT if stimulus.remove else stimulus.value, "operator")
        found = self.staleness.look(name)
        core.emit(
            VariableChanged(
                name=name,
                value=None if stimulus.remove else stimulus.value,
                removed=stimulus.remove,
                by="operator",
                stale=found.total,
                fresh=len(found.fresh),
                failed=found.failed,
            )
        )
        self.staleness.tell(found)
        # A held instance follows: what is shown next to it is what it will see.
        for instance in self.instances.in_state("held"):
            instance.job_run.look_at(self.core.variables, self.core.epoch)
        self.transitions.look_at_expressions()

    def _refuse(self, request: str, message: str) -> None:
        self.core.emit(RequestRefused(request=request, message=message))

    # -- reports and timers ---------------------------------------------------------------------------------------

    def _is_own(self, report: AttemptReport | OutputReport | ProgressReport) -> bool:
        """Whether an agent speaks of what it was told to do itself: nobody speaks for another agent."""
        if report.attempt is None or report.attempt.agent == report.agent:
            return True
        self.fleet.breach(report.agent, f"reported about {report.attempt}")
        return False

    def _attempt_ended(self, report: AttemptReport) -> None:
        if not self._is_own(report):
            return
        if isinstance(report.attempt, AttemptId):
            self.transitions.ended(report, report.attempt)
            return
        self.fleet.errand_ended(report)
        if self.fleet.first_failed and self.phase == "starting":
            self.causes.add(ExitCode.NOT_STARTED)
        self._go_on_when_settled()

    def _output(self, report: OutputReport) -> None:
        if self._is_own(report):
            self.transitions.output(report)

    def _progress(self, report: ProgressReport) -> None:
        if self._is_own(report):
            self.transitions.progress(report)

    def _timer_fired(self, report: TimerReport) -> None:
        match report.timer:
            case RetryDue(id_):
                instance = self.instances.find(id_, "retrying")
                if instance is not None:
                    self.transitions.retry(instance)
            case WaitOver(attempt):
                self.transitions.wait_is_over(attempt)
            case RunTimer.LIMIT:
                self._stop(StopRequest("time limit", ExitCode.TIME_LIMIT))
            case RunTimer.CANCEL:
                self.dispatcher.give_up_cancelled(CANCEL_S)
            case RunTimer.COLLECT:
                self._stop(StopRequest("time for `always` stages is over", 0, force=True))

    # -- the end --------------------------------------------------------------------------------------------------

    def _stop(self, stimulus: StopRequest) -> None:
        """First: end what runs, run the `always` stages, stop the agents. Again, or by force: only the last."""
        if self.phase == "new":
            self._stopped_first = self._stopped_first or stimulus
            return
        if self.phase in ("stopping", "finished"):
            if stimulus.force:
                self.core.emit(StopRequested(by=stimulus.by, force=True))
                self.fleet.stop_all(force=True)
            return
        if stimulus.exit_code:
            # All stages are done, and only the end was waited for: then a Ctrl-C is what it looks like, the end.
            is_over = self.phase == "idle" and stimulus.by in ("operator", "SIGINT")
            if not is_over:
                self.causes.add(stimulus.exit_code)
        self.core.emit(StopRequested(by=stimulus.by, force=stimulus.force))
        reason = self._reason or f"stopped by {stimulus.by}"
        if self.phase == "running" and not stimulus.force:
            self._end_early(reason)
            self.core.order(ArmTimer(RunTimer.COLLECT, self.core.options.collect_s))
        elif self.phase == "ending" and not stimulus.force:
            self.core.order(ArmTimer(RunTimer.COLLECT, self.core.options.collect_s))
        else:
            self._stop_agents(reason, force=stimulus.force)

    def _stop_agents(self, reason: str, *, force: bool = False) -> None:
        self._reason = self._reason or reason
        for timer in (RunTimer.LIMIT, RunTimer.COLLECT, RunTimer.CANCEL):
            self.core.order(DisarmTimer(timer))
        self._move("stopping")
        self.course.asked = ""
        for stage_run in list(self.dispatcher.stage_runs):
            self.dispatcher.close(stage_run, reason)
        self.fleet.stop_all(force=force)
        self._finish_when_stopped()

    def _finish_when_stopped(self) -> None:
        if self.phase != "stopping" or not self.fleet.is_stopped:
            return
        for agent in self.fleet.names:
            self.transitions.lose_agent(agent, "the run was stopped")
        self.dispatcher.settle()
        self._move("finished")
        code = exit_code(self.causes)
        self.core.emit(
            RunFinished(
                exit_code=code,
                reason=self._reason,
                duration_s=round(self.core.at_s, 3),
                counts=dict(self.transitions.counts),
                causes=sorted(int(c) for c in self.causes),
                paused_s=round(self.core.paused_s, 3),
            )
        )
        self.core.order(EndRun(code))

    def _settle(self) -> None:
        """Let everything move that can, stage after stage; then say so when all of it waits for a failure."""
        self.dispatcher.settle()
        while self.course.is_next_due:
            self.course.advance()
            self.dispatcher.settle()
        undecided = self.instances.first("undecided")
        if undecided is not None and not self.gate.is_shut and self.dispatcher.is_quiet:
            self._pause_for("failure", f"{undecided.id} failed")

    def ended_later(self, instance: Instance) -> None:
        """Weigh an instance that looked before a variable was set by hand, or the text edited."""
        self.staleness.ended(instance.id)

    def agent_problem(self, agent: str) -> str:
        """Say why an agent cannot take a job; empty when it can."""
        return self.fleet.problem(agent)


def _cause(stimulus: Stimulus) -> str:
    """Name a stimulus for `explain`: its type, and the attempt, agent, timer or instance it is about."""
    for name in ("attempt", "agent", "timer", "instance"):
        about = getattr(stimulus, name, None)
        if about:
            return f"{type(stimulus).__name__} {about}"
    return type(stimulus).__name__
