"""The engine itself: `Engine.feed(stimulus)` gives what is now fact and what is to be done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from octogram_tui.engine.accounts import Accounts
from octogram_tui.engine.ahead import LookAhead
from octogram_tui.engine.beside import Beside
from octogram_tui.engine.break_requests import BreakRequests
from octogram_tui.engine.breakpoints import Breakpoints, Met
from octogram_tui.engine.core import Core
from octogram_tui.engine.course import Course
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.edits import Edits
from octogram_tui.engine.effects import ArmTimer, Effect, EndRun
from octogram_tui.engine.ending import CANCEL_S, Ending
from octogram_tui.engine.events import (
    Event,
    RunPaused,
    RunStarted,
    StagesDone,
    WarningGiven,
)
from octogram_tui.engine.fleet import Fleet
from octogram_tui.engine.gate import Gate
from octogram_tui.engine.holding import Holding
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.operator import Operator
from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.readings import Readings
from octogram_tui.engine.reload import agent_entry, describe_plan
from octogram_tui.engine.schedule import StageRun
from octogram_tui.engine.services import ServiceTable
from octogram_tui.engine.staleness import Staleness
from octogram_tui.engine.states import PHASE_MOVES, RunPhase
from octogram_tui.engine.steps import Steps
from octogram_tui.engine.stimuli import (
    PASSED_ON,
    AgentBackReport,
    AgentEndReport,
    AgentLoadReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    AllocationReport,
    AttemptReport,
    BackRequest,
    BeginRequest,
    BreakRequest,
    ConfirmRequest,
    EditReport,
    GoRequest,
    HoldModeRequest,
    OutputReport,
    PauseRequest,
    ProgressReport,
    RecallReport,
    ReloadModeRequest,
    RemoveBreakRequest,
    RerunAllRequest,
    RerunRequest,
    ServiceReport,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipAllRequest,
    SkipRequest,
    StartFailureReport,
    StepRequest,
    Stimulus,
    StopRequest,
    SwitchBreakRequest,
    TakeUpRequest,
    TimerReport,
    TroubleReport,
    UntilRequest,
)
from octogram_tui.engine.taking_up import TakingUp
from octogram_tui.engine.timers import RetryDue, RunTimer, StageOver, WaitOver
from octogram_tui.engine.transitions import Transitions
from octogram_tui.engine.verdict import exit_code
from octogram_tui.errors import EngineBug, ExitCode, TemplateError
from octogram_tui.model.failure import TEMPLATE, Failure
from octogram_tui.model.ids import AttemptId, ErrandId
from octogram_tui.model.scenario import Scenario, StageSpec
from octogram_tui.template.bound import begin_turn, end_turn
from octogram_tui.template.requests import Bound

if TYPE_CHECKING:
    from octogram_tui.engine.allocation import Allocation
    from octogram_tui.engine.going_on import GoingOn


class Outcome(NamedTuple):
    """What feeding one stimulus led to. bounds: which of its evaluations of templates ended at one, and at which."""

    events: list[Event]
    effects: list[Effect]
    bounds: Mapping[int, Bound]


class Engine:
    """A run as a state machine. Feeding is total: what makes no sense is refused with an event."""

    def __init__(self, scenario: Scenario, options: RunOptions) -> None:
        self.core = Core(scenario, options)
        self.gate = Gate(options)
        self.services = ServiceTable()
        self.instances = Instances()
        self.readings = Readings(self.core)
        self.breakpoints = Breakpoints(self.core)
        self.holding = Holding(self)
        self.accounts = Accounts(self.core, self.instances)
        self.dispatcher = Dispatcher(self.core, self.gate, self.instances, self.readings, self.breakpoints, self)
        self.ahead = LookAhead(self)
        self.transitions = Transitions(
            self.core,
            self.instances,
            self.services,
            self.holding,
            self.readings,
            self.breakpoints,
            self.dispatcher.left,
            self.ahead,
        )
        self.dispatcher.transitions = self.transitions
        self.fleet = Fleet(self.core, self.services, self.transitions)
        self.allocation: Allocation | None = None  # of a scheduler, which most runs do without
        self.phase: RunPhase = "new"
        self.course = Course(self.core, self.gate, self.dispatcher, self.fleet, self.readings, self.breakpoints, self)
        self.beside = Beside(self.core, self.course, self.dispatcher, self.instances)
        self.staleness = Staleness(self.core, self.instances, self.readings, self.fleet)
        self.causes: set[int] = set()
        self.operator = Operator(self)
        self.edits = Edits(self)
        self.steps = Steps(self)
        break_requests = BreakRequests(self.core, self.breakpoints)
        self.ending = Ending(self)
        self._going_on: GoingOn | None = None
        self.taking_up = TakingUp(self)
        self._recent: deque[Stimulus] = deque(maxlen=20)
        self._handlers: dict[type, Callable[[Any], None]] = {
            BeginRequest: self._begin,
            TakeUpRequest: self.taking_up.take_up,
            AgentUpReport: self._agent_came_up,
            StartFailureReport: self._agent_start_failed,
            AgentWaitReport: lambda s: self.fleet.waits(s.agent, s.message),
            AllocationReport: self._allocation_changed,
            AgentSilentReport: lambda s: self.fleet.went_silent(s.agent, s.message),
            AgentLoadReport: self.fleet.load_told,
            AgentBackReport: lambda s: self.fleet.came_back(s.agent),
            AgentLossReport: self._agent_was_lost,
            AgentEndReport: self._agent_ended,
            AttemptReport: self._attempt_ended,
            RecallReport: self.ahead.recalled,
            OutputReport: self._output,
            ProgressReport: self._progress,
            ServiceReport: self.fleet.service_reported,
            TimerReport: self._timer_fired,
            TroubleReport: lambda s: self.core.emit(WarningGiven(message=s.message)),
            PauseRequest: self.steps.pause,
            GoRequest: self.steps.go,
            StepRequest: self.steps.step,
            UntilRequest: self.steps.until,
            HoldModeRequest: self.steps.choose_mode,
            BreakRequest: break_requests.set,
            SwitchBreakRequest: break_requests.switch,
            RemoveBreakRequest: break_requests.remove,
            SetArgumentsRequest: self.operator.set_arguments,
            BackRequest: self.operator.back,
            SkipAllRequest: self.operator.skip_all,
            ConfirmRequest: self.operator.confirm,
            RerunRequest: self.operator.rerun,
            RerunAllRequest: self.operator.rerun_all,
            SkipRequest: self.operator.skip,
            SetVariableRequest: self.operator.set_variable,
            EditReport: self.edits.report,
            ReloadModeRequest: self.edits.choose,
            StopRequest: self.ending.stop,
        }

    def feed(self, stimulus: Stimulus, at_s: float, bounds: Mapping[int, Bound] | None = None) -> Outcome:
        """Take one stimulus at `at_s` seconds since the run's start.

        bounds: of what is fed once more, those of its outcome: time and memory are not the engine's, and may differ.
        Raises EngineBug when the engine contradicts itself, with the last stimuli.
        """
        core = self.core
        core.at_s = at_s
        core.events, core.effects = [], []
        self._recent.append(stimulus)
        core.turn = begin_turn(bounds)
        try:
            if self.phase != "finished":
                self.ahead.before(stimulus)
                self.take(stimulus)
                if not self.taking_up.is_under_way and (type(stimulus) not in PASSED_ON or self.ahead.has_moved):
                    self.ahead.has_moved = False
                    self.settle()
                self.ahead.after()
                if not self.gate.is_plain or self.course.asked or self.phase == "idle" or core.stands_still:
                    is_busy = self.phase == "starting" or self.instances.count("running", "watching", "retrying")
                    core.stands_still = self.is_waiting and not is_busy
            elif isinstance(stimulus, TakeUpRequest):  # its process died with its last word
                core.order(EndRun(exit_code(self.causes)))
        except EngineBug as bug:
            raise EngineBug(bug.message, list(self._recent)) from bug
        finally:
            ended = end_turn()
        return Outcome(core.events, core.effects, ended)

    def take(self, stimulus: Stimulus) -> None:
        """Have a stimulus handled by whom it is for; what waits for agents is handled when they have answered."""
        if not self.taking_up.is_under_way or not self.taking_up.takes(stimulus):
            self.core.cause = _cause(stimulus)
            self._handlers[type(stimulus)](stimulus)

    @property
    def is_waiting(self) -> bool:
        """Whether nothing goes on until an operator acts."""
        if self.taking_up.is_under_way or self.dispatcher.has_work:
            return False
        if self.phase == "idle" or self.course.asked:
            return True
        is_held = self.gate.is_shut or len(self.instances.line) > 0
        return self.phase in ("starting", "running") and is_held and not self.in_flight

    @property
    def is_stopped_to_look(self) -> bool:
        """Whether it waits at a breakpoint or a failure, for somebody to look."""
        return self.is_waiting and self.gate.reason in ("breakpoint", "failure")

    @property
    def in_flight(self) -> int:
        """How many attempts are under way."""
        return self.instances.count("running", "watching")

    @property
    def going_on(self) -> GoingOn | None:
        """Give what knows of failures that the run goes on after; None where it does not, as most runs do not."""
        if self._going_on is None and self.core.options.on_failure == "keep_going":
            from octogram_tui.engine.going_on import GoingOn

            self._going_on = GoingOn(self)
        return self._going_on

    def move(self, phase: RunPhase) -> None:
        """Go to another phase of the run."""
        if phase not in PHASE_MOVES[self.phase]:
            raise EngineBug(f"no move from phase {self.phase} to {phase}", [])
        self.phase = phase

    # -- start ----------------------------------------------------------------------------------------------------

    def _begin(self, stimulus: BeginRequest) -> None:
        core = self.core
        scenario, options = core.scenario, core.options
        self.move("starting")
        core.emit(
            RunStarted(
                run=options.run,
                scenario=scenario.path,
                digest=scenario.digest,
                started_wall=stimulus.started_wall,
                version=options.version,
                host=stimulus.host,
                commit=stimulus.commit,
                plan=describe_plan(scenario, options.selection),
                agents=[agent_entry(agent) for agent in scenario.agents],
                variables=dict(core.variables),
                options=options.public(),
                origins=dict(scenario.origins),
            )
        )
        self.breakpoints.begin()
        if options.timeout_s is not None:
            core.order(ArmTimer(RunTimer.LIMIT, options.timeout_s))
        if self.ending.asked_first is not None:
            self.ending.stop(self.ending.asked_first)
            return
        if self.gate.is_shut:
            core.emit(RunPaused(reason="start"))
        self.fleet.start_all()
        self.go_on_when_settled()

    def go_on_when_settled(self) -> None:
        """Begin the stages once every agent is up; end the run once each has answered and one is not.

        Waiting for all of them shows the user every machine that is wrong, not only the first.
        """
        if self.phase != "starting":
            return
        if self.fleet.is_ready:
            self.move("running")
            self.course.is_next_due = True
        elif self.fleet.is_settled:
            self.ending.stop_agents(f"agent {self.fleet.first_failed} could not be started")

    def _agent_came_up(self, stimulus: AgentUpReport) -> None:
        if self.taking_up.is_under_way:
            self.taking_up.came_up(stimulus)
        else:
            self.fleet.came_up(stimulus)
            self.go_on_when_settled()

    def _agent_start_failed(self, stimulus: StartFailureReport) -> None:
        self.fleet.start_failed(stimulus)
        if self.phase == "starting":
            self.causes.add(stimulus.exit_code)
        else:
            self.core.emit(WarningGiven(message=f"agent {stimulus.agent} did not start", agent=stimulus.agent))
        self.go_on_when_settled()

    def _agent_was_lost(self, stimulus: AgentLossReport) -> None:
        was_stopping = self.phase == "stopping"
        self.fleet.lost(stimulus.agent, stimulus.message)
        self.causes.add(stimulus.exit_code)
        if was_stopping:
            self.ending.finish_when_stopped()
        elif self.phase == "starting":
            self.go_on_when_settled()
        else:
            self.holding.agent_lost(stimulus.agent, stimulus.message)

    def _agent_ended(self, stimulus: AgentEndReport) -> None:
        if not stimulus.is_clean:
            self.causes.add(ExitCode.NOT_CLEANED)
        self.fleet.ended(stimulus)
        self.ending.finish_when_stopped()

    def _allocation_changed(self, stimulus: AllocationReport) -> None:
        if not stimulus.is_confirmed:
            self.causes.add(ExitCode.NOT_CLEANED)
        if self.allocation is None:
            from octogram_tui.engine.allocation import Allocation

            self.allocation = Allocation(self.core)
        self.allocation.reported(stimulus)
        self.ending.finish_when_stopped()

    # -- what the course of the stages tells ----------------------------------------------------------------------

    def stage_done(self, stage_run: StageRun) -> None:
        """Every lane has ended (told by the dispatcher)."""
        self.course.ended(stage_run)
        if self.beside.ended(stage_run) and self.gate.is_shut:
            self.steps.open_gate()
        self.steps.stage_ended(stage_run)

    def stage_wrong(self, stage: StageSpec, error: TemplateError) -> bool:
        """A template of a stage's own is wrong: hold for the operator, or end the run."""
        message = f"stage {stage.name}: {error.message}"
        self.core.emit(WarningGiven(message=message, stage=stage.key))
        met = self.breakpoints.stage_failed(stage.key, Failure(TEMPLATE, error.message))
        if self.phase == "running" and self.breakpoints.verdict(met, None) == "pause":
            self.holding.pause_for("failure", message)
            return True
        going_on = self.going_on
        self.causes.add(ExitCode.SCENARIO if going_on is None else going_on.cause_of(error))
        if going_on is None or not going_on.is_on or met is not None:
            self.ending.end_early(f"a template of stage {stage.name} is wrong")
        return False

    def leave_out(self, stage_run: StageRun) -> str:
        """Leave agents out of a stage that the run goes on without. Says why nobody is left, or '' (for the course)."""
        return "" if self.going_on is None else self.going_on.leave_out(stage_run)

    def nobody_confirms(self, stage: StageSpec) -> None:
        """A stage asks for a confirmation that nobody can give: the run ends."""
        self.causes.add(ExitCode.HELD)
        self.ending.end_early(f"stage {stage.name} asks for a confirmation, and there is nobody to give it")

    def stages_done(self) -> None:
        """There is no further stage."""
        if self.phase == "ending":
            self.ending.stop_agents(self.ending.reason)
        elif self.core.options.keep_alive:
            self.move("idle")
            self.core.emit(StagesDone(exit_code=exit_code(self.causes)))
        else:
            self.ending.stop_agents("")

    def stop_at(self, met: Met, instance: Instance | None = None) -> None:
        """A breakpoint was met (told by the dispatcher and the course)."""
        self.holding.stop_at(met, instance)

    # -- edits ----------------------------------------------------------------------------------------------------

    def follow_stages(self, old: Scenario, new: Scenario) -> None:
        """An edited list of stages is in force; what it adds behind the end waits for the operator."""
        self.course.follow(old, new)
        if self.phase == "idle" and self.course.has_more:
            self.move("running")
            self.holding.pause_for("reload", "the edited scenario has further stages")
            self.course.is_next_due = True

    # -- reports and timers ---------------------------------------------------------------------------------------

    def _is_own(self, report: AttemptReport | OutputReport | ProgressReport) -> bool:
        """Whether an agent speaks of what it was told to do itself: nobody speaks for another agent.

        What has not begun has no lines; what is unknown cannot end or go on, as those who take the reports see.
        """
        attempt = report.attempt
        if attempt is None:
            return True
        if isinstance(attempt, AttemptId) and attempt.agent == report.agent and self.ahead.hear(attempt):
            return True
        if attempt.agent == report.agent and (
            not isinstance(report, OutputReport)
            or isinstance(attempt, ErrandId)
            or attempt.number <= self.instances.attempts_of(attempt.instance)
        ):
            return True
        self.fleet.breach(report.agent, f"reported about {report.attempt}")
        return False

    def _attempt_ended(self, report: AttemptReport) -> None:
        attempt = report.attempt
        if isinstance(attempt, AttemptId):
            if attempt.instance.agent == report.agent:
                self.ahead.hear(attempt)  # its end may be the first word that it had begun
                self.transitions.ended(report, attempt)
            else:
                self.fleet.breach(report.agent, f"reported about {attempt}")
            return
        if not self._is_own(report):
            return
        self.fleet.errand_ended(report)
        if self.fleet.first_failed and self.phase == "starting":
            self.causes.add(ExitCode.NOT_STARTED)
        self.go_on_when_settled()

    def _output(self, report: OutputReport) -> None:
        if self._is_own(report):
            self.accounts.output(report)

    def _progress(self, report: ProgressReport) -> None:
        if self._is_own(report):
            self.accounts.progress(report)

    def _timer_fired(self, report: TimerReport) -> None:
        match report.timer:
            case RetryDue(id_):
                instance = self.instances.find(id_, "retrying")
                if instance is not None:
                    self.dispatcher.retry(instance)
            case WaitOver(attempt):
                self.transitions.wait_is_over(attempt)
            case StageOver(key):
                self.ending.stage_over(key)
            case RunTimer.LIMIT:
                self.ending.stop(StopRequest("time limit", ExitCode.TIME_LIMIT))
            case RunTimer.CANCEL:
                if not self.dispatcher.give_up_cancelled(CANCEL_S):
                    self.core.order(ArmTimer(RunTimer.CANCEL, 0.0))
            case RunTimer.GO_ON:
                pass  # all that can move does so now
            case RunTimer.COLLECT:
                self.ending.stop(StopRequest("time for `always` stages is over", 0, force=True))

    # -- the end --------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything move that can, stage after stage; then say so when all of it waits for a failure."""
        self.fleet.settle()
        is_left = self.dispatcher.settle()
        while self.course.is_next_due and self.core.turn.left > 0:
            self.course.advance()
            is_left = self.dispatcher.settle()
        if is_left or self.fleet.has_work or self.course.is_next_due:
            self.core.order(ArmTimer(RunTimer.GO_ON, 0.0))
        undecided = self.instances.first("undecided")
        if undecided is not None and not self.gate.is_shut and self.dispatcher.is_quiet:
            self.holding.pause_for("failure", f"{undecided.id} failed")


def _cause(stimulus: Stimulus) -> str:
    """Name a stimulus for `explain`: its type, and the attempt, agent, timer or instance it is about."""
    if type(stimulus) is AttemptReport:
        return f"AttemptReport {stimulus.attempt}"
    for name in ("attempt", "agent", "timer", "instance"):
        about = getattr(stimulus, name, None)
        if about:
            return f"{type(stimulus).__name__} {about}"
    return type(stimulus).__name__
