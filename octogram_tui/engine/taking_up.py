"""A run whose process has died goes on in another one: which attempts go on, which end, which are in doubt.

All agents that are not over are started again. Until each has answered, or is given up, nothing begins and nothing
ends: what comes meanwhile waits. Then, of every attempt under way:

- its daemon is the same: it is sent once more under the same name. A daemon executes no attempt twice: it goes on with
  the one that it has, tells again how it ended, or begins what it never heard of.
- another daemon answered, or none, or it was ours to do (copy, fetch): nobody knows, and that is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from octogram_tui.engine.effects import ArmTimer, CancelJob, SendJob
from octogram_tui.engine.events import (
    JobAdopted,
    JobInDoubt,
    RequestRefused,
    RunTakenUp,
)
from octogram_tui.engine.stimuli import (
    AgentBackReport,
    AgentEndReport,
    AgentLoadReport,
    AgentLossReport,
    AgentSilentReport,
    AgentUpReport,
    AgentWaitReport,
    AllocationReport,
    AttemptReport,
    BreakRequest,
    HoldModeRequest,
    OutputReport,
    PauseRequest,
    ProgressReport,
    RemoveBreakRequest,
    ServiceReport,
    StartFailureReport,
    Stimulus,
    StopRequest,
    SwitchBreakRequest,
    TakeUpRequest,
    TroubleReport,
)
from octogram_tui.engine.timers import RunTimer, Timer
from octogram_tui.errors import ExitCode
from octogram_tui.model.failure import AGENT_LOST, ORCHESTRATOR_LOST, Failure
from octogram_tui.model.ids import ErrandId, Execution

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance
    from octogram_tui.engine.machine import Engine

AT_ONCE = (
    AgentUpReport,
    AgentWaitReport,
    AllocationReport,
    AgentSilentReport,
    AgentBackReport,
    AgentLoadReport,
    AgentEndReport,
    OutputReport,
    ProgressReport,
    ServiceReport,
    TroubleReport,
    TakeUpRequest,
    PauseRequest,
    HoldModeRequest,
    BreakRequest,
    SwitchBreakRequest,
    RemoveBreakRequest,
)
"""What is heard while agents are awaited: it begins and ends nothing."""


GONE = "its daemon ended while nobody was there, and all that it ran went with it"
LOSSES = (StartFailureReport, AgentLossReport)


class TakingUp:
    """What happens to a run that was rebuilt from its journal.

    is_under_way: agents are awaited. number: how often the run was taken up.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.number = 0
        self.is_under_way = False
        self._awaited: dict[str, None] = {}
        self._greeted: dict[str, AgentUpReport] = {}
        self._renewed: dict[str, None] = {}
        self._later: list[Stimulus] = []
        self._sent: Mapping[Execution, SendJob] = {}
        self._timers: Mapping[Timer, float] = {}

    def recall(self, sent: Mapping[Execution, SendJob], timers: Mapping[Timer, float]) -> None:
        """Be told what the process that died had been ordered: what was sent, and when which timer was due."""
        self._sent, self._timers = sent, timers

    def take_up(self, stimulus: TakeUpRequest) -> None:
        """Start the agents again, each with the question what it knows."""
        engine = self._engine
        core = engine.core
        if engine.phase in ("new", "finished"):
            core.emit(RequestRefused(request="resume", message=f"the run is {engine.phase}"))
            return
        self.number += 1
        errands = [id_ for id_ in self._sent if isinstance(id_, ErrandId)]
        core.emit(
            RunTakenUp(
                number=self.number,
                started_wall=stimulus.started_wall,
                host=stimulus.host,
                version=stimulus.version,
                down_s=stimulus.down_s,
                in_flight=engine.instances.count("running") + len(errands),
                digest=core.scenario.digest,
            )
        )
        self._arm(stimulus)
        self._choose(stimulus)
        self._greeted.clear()
        self._later = [s for s in self._later if not isinstance(s, LOSSES)]  # they are tried once more
        if engine.allocation is not None:
            engine.allocation.end_again()
        self._awaited = dict.fromkeys(engine.fleet.start_again())
        self.is_under_way = True
        self._go_on_when_settled()

    def _arm(self, stimulus: TakeUpRequest) -> None:
        core = self._engine.core
        for timer, due_s in self._timers.items():
            if not (timer is RunTimer.LIMIT and stimulus.timeout_s is not None):
                core.order(ArmTimer(timer, max(0.0, round(due_s - core.at_s, 6))))
        if stimulus.timeout_s is not None and self._engine.phase in ("starting", "running", "ending", "idle"):
            core.order(ArmTimer(RunTimer.LIMIT, stimulus.timeout_s))

    def _choose(self, stimulus: TakeUpRequest) -> None:
        """Take over what the run was asked for otherwise than before."""
        engine = self._engine
        options = engine.core.options
        engine.core.options = replace(
            options,
            on_failure=stimulus.on_failure or options.on_failure,
            confirm=stimulus.confirm or options.confirm,
            keep_alive=options.keep_alive if stimulus.keep_alive is None else stimulus.keep_alive,
            timeout_s=options.timeout_s if stimulus.timeout_s is None else stimulus.timeout_s,
        )
        if stimulus.on_failure not in ("", options.on_failure):
            engine.breakpoints.hold_failures(is_on=stimulus.on_failure == "pause")
        if stimulus.confirm and stimulus.confirm != options.confirm:
            engine.gate.confirm = stimulus.confirm
            if engine.course.asked:  # it is asked anew, and may be answered now
                engine.course.asked, engine.course.is_next_due = "", True

    # -- while agents are awaited ---------------------------------------------------------------------------------

    def takes(self, stimulus: Stimulus) -> bool:
        """Take what has to wait for the agents, or tells of one; the rest is for whoever it is for."""
        if isinstance(stimulus, StopRequest) and stimulus.force:
            self.is_under_way = False  # nobody is waited for
            self._later.clear()
            return False
        if isinstance(stimulus, AT_ONCE):
            return False
        self._later.append(stimulus)
        if isinstance(stimulus, LOSSES):
            self._awaited.pop(stimulus.agent, None)
            self._greeted.pop(stimulus.agent, None)
            self._go_on_when_settled()
        return True

    def came_up(self, report: AgentUpReport) -> None:
        """An agent has answered: the daemon that it had, or another one."""
        engine, name = self._engine, report.agent
        if name not in self._awaited:
            engine.fleet.came_up(report)
            return
        if engine.fleet.is_missed(report) and self._had_something(name):
            self._renewed[name] = None
            engine.fleet.forgot(name, GONE)
        engine.fleet.came_up(report)
        del self._awaited[name]
        self._greeted[name] = report
        self._go_on_when_settled()

    def _had_something(self, agent: str) -> bool:
        """Whether anything was ever begun on an agent, or runs there."""
        instances = self._engine.instances
        ran = (*instances.readings, *instances.attempts)
        return self._engine.services.has_any(agent) or any(id_.agent == agent for id_ in ran)

    def _go_on_when_settled(self) -> None:
        if not self._awaited:
            self.is_under_way = False
            self._go_on()

    # -- once all of them have answered ---------------------------------------------------------------------------

    def _go_on(self) -> None:
        engine = self._engine
        ends = [s for s in self._later if isinstance(s, AttemptReport)]
        losses = [self._as_loss(s) for s in self._later if isinstance(s, LOSSES)]
        later = [s for s in self._later if not isinstance(s, (AttemptReport, *LOSSES))]
        self._later = []
        told = {end.attempt for end in ends if end.attempt.agent == end.agent}
        running = [i for i in engine.instances.in_state("running") if i.attempt_id not in told]
        doubts = [(instance, why) for instance in running if (why := self._doubt(instance))]
        engine.ahead.ask_again()
        doubtful = {id(instance) for instance, _ in doubts}
        for instance in running:
            if id(instance) not in doubtful:
                self._adopt(instance)
        self._send_errands()
        for end in ends:
            engine.take(end)
        for instance, why in doubts:
            if instance.state == "running":
                self._tell_doubt(instance, why)
        for name in self._renewed:
            self._weigh_loss(name)
        self._renewed.clear()
        engine.fleet.all_answered()
        for stimulus in losses:
            engine.take(stimulus)
        if engine.phase == "starting":
            engine.go_on_when_settled()
        elif engine.phase == "stopping":
            engine.fleet.stop_again()
            engine.ending.finish_when_stopped()
        elif engine.phase == "idle" and not engine.core.options.keep_alive:
            engine.ending.stop_agents("")
        engine.fleet.send_targets()
        for stimulus in later:
            engine.settle()
            engine.take(stimulus)

    def _doubt(self, instance: Instance) -> str:
        """Say why nobody can tell what became of an attempt; empty when its daemon can."""
        agent = instance.id.agent
        sent = self._sent.get(instance.attempt_id)
        if sent is None or sent.where == "orchestrator":
            return "octogram-tui itself carried it out, and its process died"
        if agent not in self._greeted:
            return f"agent {agent} did not answer"
        if self._engine.fleet.is_changed(agent):
            return f"the daemon of agent {agent} that had it is gone: another one answers"
        return ""

    def _adopt(self, instance: Instance) -> None:
        """Await an attempt again; what never reached its daemon begins now."""
        core = self._engine.core
        attempt = instance.attempt_id
        sent = replace(self._sent[attempt], after=None)
        is_known = attempt in self._greeted[instance.id.agent].knows
        if instance.cancel_reason and not is_known:
            # It may be known and not listed: then the daemon ends it all the same, and nobody waits for that.
            core.order(CancelJob(sent.agent, attempt, instance.cancel_reason, sent.where))
            self._engine.transitions.never_begun(instance)
            return
        if is_known:
            core.emit(JobAdopted(**instance.place))
        core.order(sent)
        if instance.cancel_reason:
            core.order(CancelJob(sent.agent, attempt, instance.cancel_reason, sent.where))

    def _send_errands(self) -> None:
        """Have agents do again what the run itself had them do: of a Prometheus that is gone nothing is wanted."""
        fleet = self._engine.fleet
        for id_, sent in self._sent.items():
            if isinstance(id_, ErrandId) and id_.agent in self._greeted and fleet.is_current(id_):
                self._engine.core.order(sent)

    def _tell_doubt(self, instance: Instance, why: str) -> None:
        sent = self._sent.get(instance.attempt_id)
        is_ours = sent is None or sent.where == "orchestrator"
        self._engine.core.emit(JobInDoubt(**instance.place, reason=why))
        kind = ORCHESTRATOR_LOST if is_ours else AGENT_LOST
        hint = "look at what it has done so far; then rerun or skip it"
        self._engine.transitions.fail_unknown(instance, Failure(kind, f"nobody knows how it ended: {why}", hint))

    def _weigh_loss(self, name: str) -> None:
        """An agent goes on with another daemon, and without what it had: somebody has to look, or the run ends."""
        engine = self._engine
        engine.causes.add(ExitCode.AGENT_LOST)
        engine.holding.agent_lost(name, GONE)

    def _as_loss(self, stimulus: Stimulus) -> Stimulus:
        """An agent that was there before, and cannot be started again, is lost."""
        if isinstance(stimulus, StartFailureReport) and self._engine.fleet.was_up(stimulus.agent):
            return AgentLossReport(stimulus.agent, f"it cannot be reached again: {stimulus.message}")
        return stimulus
