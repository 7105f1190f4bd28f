"""The state of a run: what the console draws and what reports count. Folded from events, one at a time, in order."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import AgentEntry, ProblemEntry
from octogram_tui.model.overrides import fits
from octogram_tui.projection.causes import Cause, of_agent
from octogram_tui.projection.clusters import Clusters
from octogram_tui.projection.failures import Failures
from octogram_tui.projection.job_text import reading_of
from octogram_tui.projection.plan import Plan
from octogram_tui.projection.queue import Queue
from octogram_tui.projection.row_states import FINISHED_STATES, AgentState, Phase, State
from octogram_tui.projection.rows import AgentRow, AttemptRow, Group, InstanceRow, Kind
from octogram_tui.projection.stale import Stale, went_back
from octogram_tui.projection.stops import Stops
from octogram_tui.projection.value_text import duration

KEPT_DETAILS = 20_000
"""How many ended attempts keep their arguments and results; failed ones always do."""
SKIPPED_BY = {"operator": "skipped by the operator"}
KEPT_NOTICES = 200

_RUNNING, _RETRYING, _OK, _FAILED = State.RUNNING, State.RETRYING, State.OK, State.FAILED
_JOB = Kind.JOB
_UP = (AgentState.READY, AgentState.SUSPECT)
_BAD_AGENTS = (AgentState.FAILED, AgentState.LOST, AgentState.UNCLEAN)


NEWS_S = 30.0


class Notice(NamedTuple):
    """Something worth a passing word. level: information, warning or error."""

    at_s: float
    level: str
    text: str

    def is_recent(self, now_s: float) -> bool:
        """Whether it still is news: a passing word about what is long over confuses."""
        return now_s - self.at_s < NEWS_S


class Board(Plan):
    """The fold. Unknown types of events are ignored, so that newer journals can be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.run = ""
        self.scenario = ""
        self.started_wall = ""
        self.wall = ("", 0.0)  # what the clock on the wall had at which second of the run, when its process began
        self.host = ""
        self.phase = Phase.WAITING
        self.is_paused = False  # the gate is shut; what runs goes on
        self.reason = ""  # why it is paused or was stopped
        self.message = ""
        self.let_through = ""  # in words: what a step or a go let through last
        self.at_s = 0.0
        self.seq = 0
        self.exit_code: int | None = None  # once the run has finished
        self.done_exit_code = 0  # once every stage has ended
        self.done_at_s = 0.0
        self.is_keeping_going = False  # it goes on after a failure, unless the job or a breakpoint says otherwise
        self.all_failures = Failures()  # repaired ones too; `failures` has those that stand now
        self.stale = Stale()
        self.stops = Stops()  # where it is to stop, and which agents are held by themselves
        self.queue = Queue(self.stops.overrides)  # what is held, and which of it is next
        self.agent_clusters: Clusters[AgentRow] = Clusters()  # those that are not there though they should be
        self.agents_up = 0  # how many agents take jobs
        self.confirmations: dict[str, Group] = {}
        self.allocation: ev.AllocationChanged | None = None  # what was told last of the nodes that a scheduler gives
        self.services: dict[tuple[str, str, str], ev.ServiceAnnounced] = {}
        self.notices: deque[Notice] = deque(maxlen=KEPT_NOTICES)
        self.notice_count = 0
        self.changes: list[str] = []  # of the latest reload
        self.problems: list[ProblemEntry] = []  # of the latest edit, when it was refused
        self.waiting_edit: ev.EditWaits | None = None  # an edit of the file that is in force when it is asked for
        self.reload_mode = "now"
        self.reload_seq = 0  # the event that set `changes` or `problems`, and its time
        self.reload_at_s = 0.0
        self.reload_stale = 0  # how many instances the latest reload made stale
        self._reload_cause = ""
        self.retry_count = 0
        self.version = 0
        self._detailed: deque[AttemptRow] = deque()
        self._folds: dict[str, Callable[[Any], None]] = {
            name: method for name in ev.EVENT_TYPES if (method := getattr(self, f"_on_{name}", None)) is not None
        }

    # What a front end asks

    @property
    def in_flight(self) -> int:
        """How many attempts run now."""
        return self.tally[State.RUNNING]

    @property
    def done(self) -> int:
        """How many instances have ended."""
        return sum(stage.done for stage in self.stages)

    @property
    def total(self) -> int:
        """How many instances there are, as far as is known."""
        return sum(stage.total for stage in self.stages)

    @property
    def current_stage(self) -> Group | None:
        """The stage that runs now; the latest to have started when none does."""
        started = [stage for stage in self.stages if stage.started_s is not None]
        running = [stage for stage in started if stage.final is None]
        return (running or started)[-1] if started else None

    @property
    def first_failure(self) -> InstanceRow | None:
        """The instance that failed first, of those that stand failed now; first of those that wait for a word."""
        return next(iter(self.undecided.values() or self.failures.values()), None)

    @property
    def first_bad_agent(self) -> AgentRow | None:
        """The first agent that could not be started, was lost, or left something behind."""
        return next((agent for agent in self.agents.values() if agent.state in _BAD_AGENTS), None)

    def is_agent_held(self, name: str) -> bool:
        """Whether the gate is shut for an agent: by what was said of it alone, else as for all."""
        word = self.stops.overrides.of(name)
        return self.is_paused if word is None else word != ""

    @property
    def worked_s(self) -> float:
        """How long the run has worked up to its latest event: without the time in which it stood still."""
        return self.standstill.worked(0.0, self.at_s)

    @property
    def _stands_still(self) -> bool:
        """Whether nothing goes on, nor can begin, until somebody acts."""
        if self.tally[State.RUNNING] or self.tally[State.RETRYING]:
            return False
        if self.phase is Phase.RUNNING and (self.is_paused or self.tally[State.HELD]):
            return True
        return self.phase is Phase.DONE or (bool(self.confirmations) and self.phase < Phase.STOPPING)

    # The fold

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        fold = self._folds.get(event.TYPE)
        if event.at_s > self.at_s:
            self.at_s = event.at_s
        self.seq = event.seq
        if fold is not None:
            self.version += 1
            fold(event)
            if not self.tally[_RUNNING] or self.standstill.is_on:
                self.standstill.set(self._stands_still, event.at_s)

    def _on_run_started(self, event: ev.RunStarted) -> None:
        self.run, self.scenario = event.run, event.scenario
        self.started_wall, self.host = event.started_wall, event.host
        self.wall = (event.started_wall, event.at_s)
        self.phase = Phase.STARTING
        self.is_keeping_going = event.options.get("on_failure") == "keep_going"
        self.stops.apply(event)
        self.stale.begin(event.variables)
        for order, agent in enumerate(sorted(event.agents, key=_by_name)):
            name = str(agent.get("agent", ""))
            self.agents[name] = AgentRow(
                name,
                order,
                str(agent.get("address") or ""),
                str(agent.get("transport") or ""),
                labels_in(agent.get("labels")),
            )
            self.names.add(name, self.agents[name].login)
        self._take_plan(event.plan, event.digest)

    def _on_stage_started(self, event: ev.StageStarted) -> None:
        stage = self._stage_of(event.stage)
        if self.phase is Phase.STARTING or (self.phase is Phase.DONE and not event.rerun):
            self.phase = Phase.RUNNING  # a rerun is beside the course, which stays at its end
        stage.started_s = event.at_s
        stage.ended_s = None
        stage.final = None
        stage.note = ""
        stage.agents = list(dict.fromkeys(stage.agents + event.agents)) if event.rerun else list(event.agents)
        self._expect(stage)
        for name in stage.agents:
            self._touch_agent(self._agent(name))

    def _on_stage_finished(self, event: ev.StageFinished) -> None:
        stage = self._stage_of(event.stage)
        stage.final = FINISHED_STATES.get(event.state, State.OK)
        stage.note = event.reason
        stage.ended_s = event.at_s
        self.confirmations.pop(event.stage, None)
        # Nothing is said of what has not begun. Where the stage ended well, what is held is of another pass through it.
        for row in self.queue.close(stage) if stage.final is not State.OK else ():
            row.note = "its stage ended before it began"
            self._move(row, State.CANCELLED)
        for key in [] if event.rerun else [key for key in self.undecided if key.stage == event.stage]:
            del self.undecided[key]  # it is too late to run it again in place
        if stage.final in (State.OK, State.SKIPPED, State.CANCELLED):  # an agent may be through before a job is added
            stage.expected = stage.known
        self._touch(stage)
        for job in stage.children:
            if isinstance(job, Group):
                job.expected = job.known
                self._touch(job)
        for name in stage.agents:
            self._touch_agent(self._agent(name))

    def _on_job_held(self, event: ev.JobHeld) -> None:
        instance = self._instance_of(event)
        state, note = instance.state, instance.note
        self._move(instance, State.HELD)
        self.queue.join(instance, event, state, note)

    def _on_job_released(self, event: ev.JobReleased) -> None:
        instance = self._instance_of(event)
        place = self.queue.leave(instance)
        if place is None:
            return
        state, instance.note = place.state, place.note
        if event.reason and state is State.PENDING:
            state, instance.note = State.CANCELLED, event.reason
        self._move(instance, state)

    def _on_job_started(self, event: ev.JobStarted) -> None:
        instance = self._instance_of(event)
        at_s = event.at_s
        self.retry_count += event.why == "retry"
        self.all_failures.started(event)
        group = instance.parent
        job = group if group.kind is _JOB else group.above
        stage = job.above
        if instance.last is not None:
            instance.earlier = (*instance.earlier, instance.last)
        instance.last = AttemptRow(
            event.attempt, at_s, event.why, event.arguments, event.seq, job.text, reading_of(event)
        )
        self.queue.leave(instance)
        instance.note = instance.progress = ""
        pass_s = stage.started_s or 0.0  # what fails and runs again is part of one pass through its stage
        for each in (job, stage) if group is job else (group, job, stage):
            if each.started_s is None or each.started_s < pass_s:
                each.started_s = at_s
        if event.procedure and not job.procedure:
            job.procedure = event.procedure
        name = instance.key.agent
        (self.agents.get(name) or self._agent(name)).current = instance
        self._move(instance, _RUNNING)

    def _on_arguments_set(self, event: ev.ArgumentsSet) -> None:
        instance = self.instances.get(event.instance)
        if instance is not None:
            self._touch(instance)  # the row says so

    def _on_job_progress(self, event: ev.JobProgress) -> None:
        instance = self._instance_of(event)
        instance.progress = event.text
        self._touch(instance)
        self._touch_agent(self._agent(event.agent))

    def _on_job_finished(self, event: ev.JobFinished) -> None:
        instance = self._instance_of(event)
        state = FINISHED_STATES.get(event.state, _OK)
        self.all_failures.finished(event)
        if event.will_retry:
            state = _RETRYING
        elif state is _FAILED and event.is_tolerated:
            state = State.TOLERATED
        attempt = instance.last
        is_passed_over = event.state == "skipped" and attempt is not None and attempt.ended_seq > 0
        if attempt is not None and is_passed_over:  # it ran and ended: that stays to be looked at
            attempt.state, attempt.reason = state, event.reason
        elif attempt is not None and attempt.number == event.attempt:
            attempt.state = _FAILED if event.will_retry else state
            attempt.duration_s = event.duration_s
            attempt.result, attempt.failure, attempt.reason = event.result, event.failure, event.reason
            attempt.ended_seq = event.seq
            if attempt.failure is None:
                self._keep_detail(attempt)
        elif event.failure is not None:  # it failed before it could be sent
            why = "first"
            if attempt is not None:
                why, instance.earlier = "rerun", (*instance.earlier, attempt)
            text, reading = instance.job.text, reading_of(event)
            instance.last = failed = AttemptRow(event.attempt, event.at_s, why, None, event.seq, text, reading)
            failed.state, failed.failure, failed.ended_seq = state, event.failure, event.seq
        self.queue.leave(instance)
        instance.note = SKIPPED_BY.get(event.reason, event.reason) if state is State.SKIPPED else event.reason
        parent = instance.parent
        while True:
            if parent.ended_s is None or event.at_s > parent.ended_s:
                parent.ended_s = max(0.0, event.at_s)
            if parent.kind is _JOB:
                break
            parent = parent.above
        self._move(instance, state)
        if state is _FAILED and self.is_keeping_going and not instance.job.text.pauses:
            self.undecided.pop(instance.key, None)

    def _keep_detail(self, attempt: AttemptRow) -> None:
        self._detailed.append(attempt)
        if len(self._detailed) > KEPT_DETAILS:
            self._detailed.popleft().let_go()

    def _on_job_stale(self, event: ev.JobStale) -> None:
        for row in self.stale.marks(self.jobs.get((event.stage, event.job)), event):
            row.note = event.reason or "edited since it ran"
            self._move(row, State.STALE)
            self.reload_stale += event.at_s == self.reload_at_s and event.cause == self._reload_cause

    def _on_job_fresh(self, event: ev.JobFresh) -> None:
        for row, state, note in self.stale.restored(self.jobs.get((event.stage, event.job)), event):
            row.note = note
            self._move(row, state)

    def _on_variable_changed(self, event: ev.VariableChanged) -> None:
        said = self.stale.changed(event)
        if said:
            self._note(event, "information", said)

    # Agents

    def _set_agent(self, name: str, state: AgentState, message: str = "", hint: str = "") -> AgentRow:
        agent = self._agent(name)
        self.agents_up += (state in _UP) - (agent.state in _UP)
        agent.state, agent.message, agent.hint = state, message, hint
        if state in _BAD_AGENTS:
            cause = of_agent(message or "no reason was given", name)
            said = self.names.alike(cause, agent.home)
            self.agent_clusters.put("agents", name, agent, Cause(cause), (state, said))
        else:
            self.agent_clusters.take_out(name)
        self._touch_agent(agent)
        return agent

    def _on_agent_starting(self, event: ev.AgentStarting) -> None:
        self.stops.apply(event)
        agent = self._set_agent(event.agent, AgentState.STARTING)
        agent.address = agent.address or event.where

    def _on_agent_waiting(self, event: ev.AgentWaiting) -> None:
        self._set_agent(event.agent, AgentState.STARTING, event.message)

    def _on_allocation_changed(self, event: ev.AllocationChanged) -> None:
        is_bad = event.state == "lost" or not event.is_confirmed
        self.allocation = event
        self._note(
            event,
            "error" if is_bad else "warning" if event.state in ("node", "ending") else "information",
            event.message,
        )

    def _on_agent_ready(self, event: ev.AgentReady) -> None:
        agent = self._set_agent(event.agent, AgentState.READY)
        agent.home, agent.host, agent.python, agent.pid = event.home, event.host, event.python, event.pid
        agent.address = event.address or agent.address
        self.names.add(agent.host, agent.address)
        if self.phase is Phase.STARTING and self.agents_up == len(self.agents):
            self.phase = Phase.RUNNING  # also where the first stage does not begin: it is held, or asks

    def _on_agent_failed(self, event: ev.AgentFailed) -> None:
        # Transports begin with the agent's name, so that a line of a report can stand alone.
        message = event.message.removeprefix(f"agent {event.agent}: ")
        self._set_agent(event.agent, AgentState.FAILED, message, event.hint)
        self._note(event, "error", f"{event.agent}: {message}")

    def _on_agent_suspect(self, event: ev.AgentSuspect) -> None:
        self._set_agent(event.agent, AgentState.SUSPECT, event.message)

    def _on_agent_lost(self, event: ev.AgentLost) -> None:
        self._set_agent(event.agent, AgentState.LOST, event.message)
        self._note(event, "error", f"{event.agent} is lost: {event.message}")

    def _on_agent_stopped(self, event: ev.AgentStopped) -> None:
        agent = self._agent(event.agent)
        if not event.is_clean:
            self._set_agent(event.agent, AgentState.UNCLEAN, event.message)
        elif agent.state not in (AgentState.FAILED, AgentState.LOST):  # what went wrong stays to be seen
            self._set_agent(event.agent, AgentState.STOPPED, event.message)

    # The run

    def _note(self, event: ev.Event, level: str, text: str) -> None:
        self.notices.append(Notice(event.at_s, level, text))
        self.notice_count += 1

    def _on_run_paused(self, event: ev.RunPaused) -> None:
        self.is_paused, self.reason, self.message = True, event.reason, event.message
        self.queue.shut(event.reason)

    def _on_run_resumed(self, event: ev.RunResumed) -> None:
        self.let_through = event.what
        if event.mode == "step":  # something goes through a gate that stays as it is
            if self.is_paused and not event.agent:
                self.reason, self.message = "step", ""
            return
        self.is_paused, self.reason, self.message = False, "", ""
        self.queue.open()

    def _on_breakpoint_set(self, event: ev.BreakpointSet) -> None:
        self.stops.apply(event)

    def _on_breakpoint_removed(self, event: ev.BreakpointRemoved) -> None:
        self.stops.apply(event)

    def _on_breakpoint_met(self, event: ev.BreakpointMet) -> None:
        self.stops.apply(event)
        if event.is_log:
            self._note(event, "information", f"breakpoint {event.number}: {event.message}")
        elif event.instance is not None and (failed := self.failures.get(event.instance)) is not None:
            self.undecided[event.instance] = failed

    def _on_hold_mode_chosen(self, event: ev.HoldModeChosen) -> None:
        self.stops.apply(event)

    def _on_agent_held(self, event: ev.AgentHeld) -> None:
        self._agents_changed(event)

    def _on_agent_released(self, event: ev.AgentReleased) -> None:
        self._agents_changed(event)

    def _agents_changed(self, event: ev.AgentHeld | ev.AgentReleased) -> None:
        self.stops.apply(event)
        self.queue.look("" if "*" in event.agent else event.agent)
        for name in self.agents if "*" in event.agent else (event.agent,):
            if fits(event.agent, name):
                self._touch_agent(self._agent(name))

    def _on_confirmation_asked(self, event: ev.ConfirmationAsked) -> None:
        self.confirmations[event.stage] = self._stage_of(event.stage)

    def _on_confirmation_given(self, event: ev.ConfirmationGiven) -> None:
        self.confirmations.pop(event.stage, None)

    def _on_stages_done(self, event: ev.StagesDone) -> None:
        self.phase, self.done_exit_code, self.done_at_s = Phase.DONE, event.exit_code, event.at_s

    def _on_course_moved_back(self, event: ev.CourseMovedBack) -> None:
        if self.phase is Phase.DONE:
            self.phase = Phase.RUNNING
        for stage in self.stages[self.stages.index(self._stage_of(event.stage)) :]:
            stage.started_s = stage.ended_s = stage.final = None
            stage.note = ""
            self.confirmations.pop(stage.name, None)
            for row in stage.below():
                if row.state in (State.FAILED, State.LOST):  # it does not stand: its turn comes again
                    row.note = "the run went back before it"
                    self.all_failures.undo(row.key)
                    self._move(row, State.CANCELLED)
            self._expect(stage)
        self._note(event, "information", went_back(event))

    def _on_scenario_reloaded(self, event: ev.ScenarioReloaded) -> None:
        self.stops.apply(event)
        self.changes, self.problems, self.waiting_edit = event.changes, [], None
        self.reload_seq, self.reload_at_s = event.seq, event.at_s
        self.reload_stale, self._reload_cause = 0, event.cause
        for entry in event.agents:
            agent = self._agent(str(entry.get("agent", "")))
            agent.labels = labels_in(entry.get("labels"))
        if event.plan:
            self._take_plan(event.plan, event.digest)

    def _on_scenario_rejected(self, event: ev.ScenarioRejected) -> None:
        self.problems, self.reload_seq, self.reload_at_s = event.problems, event.seq, event.at_s
        self.waiting_edit = None

    def _on_edit_waits(self, event: ev.EditWaits) -> None:
        self.problems, self.waiting_edit = [], event if event.changes else None

    def _on_reload_mode_chosen(self, event: ev.ReloadModeChosen) -> None:
        self.reload_mode = event.mode

    def _on_warning(self, event: ev.WarningGiven) -> None:
        self._note(event, "warning", event.message)

    def _on_run_taken_up(self, event: ev.RunTakenUp) -> None:
        self.wall = (event.started_wall or self.started_wall, event.at_s)
        self._note(event, "warning", f"the run goes on, after {duration(event.down_s)} without a process")

    def _on_job_in_doubt(self, event: ev.JobInDoubt) -> None:
        self._note(event, "warning", f"{event.instance}: nobody knows how it ended: {event.reason}")

    def _on_request_refused(self, event: ev.RequestRefused) -> None:
        self._note(event, "warning", event.message)

    def _on_rerun_begun(self, event: ev.RerunBegun) -> None:
        self._note(event, "warning" if event.left_out else "information", event.message)

    def _on_service_announced(self, event: ev.ServiceAnnounced) -> None:
        self.services[(event.agent, event.kind, event.name)] = event
        self._touch_agent(self._agent(event.agent))
        if event.state == "down":
            self._note(event, "warning", f"{event.name} on {event.agent} is down: {event.reason or 'no reason given'}")

    def _on_stop_requested(self, event: ev.StopRequested) -> None:
        self.phase, self.reason, self.is_paused = Phase.STOPPING, event.by, False
        self.message = "without grace" if event.force else ""

    def _on_run_finished(self, event: ev.RunFinished) -> None:
        self.phase, self.exit_code, self.is_paused = Phase.FINISHED, event.exit_code, False
        self.reason, self.message = "", event.reason


def labels_in(labels: object) -> tuple[str, ...]:
    """Give labels as they are looked for: `site=lab`, one for each value."""
    if not isinstance(labels, dict):
        return ()
    several = ((name, value if isinstance(value, list) else [value]) for name, value in labels.items())
    return tuple(f"{name}={value}" for name, values in several for value in values)


def _by_name(agent: AgentEntry) -> list[tuple[int, str]]:
    """Order agents as people count: node_2 before node_10."""
    parts = re.split(r"(\d+)", str(agent.get("agent", "")))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
