"""All that the engine states as fact. A run is a list of these: journal, console, reports and replay fold the same.

Every class below is one type of event; `TYPE` is its public name. Front ends and scripts rely on names and fields:
new fields may be added, old ones keep their meaning (journal/codec.py carries the version). Values are JSON.
`seq` and `at_s` are set by the engine when it emits: a number that counts up from 1, and seconds since the run's start.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from octogram_tui.dataclass import dataclass
from octogram_tui.model.entries import AgentEntry, ProblemEntry, ProcessEntry, StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value


@dataclass(slots=True, kw_only=True)
class Event:
    """What all events carry. `cause` names the stimulus that made it (`explain` follows it)."""

    TYPE: ClassVar[str] = ""
    seq: int = 0
    at_s: float = 0.0
    cause: str = ""


@dataclass(slots=True, kw_only=True)
class JobEvent(Event):
    """What events about one attempt carry. `instance` names it uniquely, `item` is the item's value.

    As JSON the name is spread out: `stage`, `job`, `agent`, and `key`, its text.
    """

    instance: InstanceId
    attempt: int = 1
    item: Value = None

    @property
    def stage(self) -> str:
        """The stage of the instance."""
        return self.instance.stage

    @property
    def job(self) -> str:
        """The job of the instance."""
        return self.instance.job

    @property
    def agent(self) -> str:
        """The agent of the instance."""
        return self.instance.agent


@dataclass(slots=True, kw_only=True)
class RunStarted(Event):
    """The first event. `plan` is what the front ends draw before anything happened.

    plan: list of {stage, always, line, jobs} in order; jobs: list of {job, procedure, line, items: whether it has
    items, variables: names that its texts mention, with `*` where the rest of a name is computed, texts: its templates
    and expressions by where they stand}.
    agents: list of {agent, address, transport, labels}. origins: name -> `command line` or a file, of variables that
    are not as the scenario itself sets them. commit: what the git repository of the scenario's file has checked out.
    """

    TYPE: ClassVar[str] = "run_started"
    run: str
    scenario: str
    digest: str = ""
    started_wall: str = ""  # RFC 3339, UTC
    version: str = ""
    host: str = ""
    plan: list[StageEntry] = field(default_factory=list)
    agents: list[AgentEntry] = field(default_factory=list)
    variables: dict[str, Value] = field(default_factory=dict)
    options: dict[str, Value] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    commit: str = ""


@dataclass(slots=True, kw_only=True)
class RunTakenUp(Event):
    """A run whose process had died goes on in another one.

    number: counts such times from 1. down_s: for how long nobody was there. in_flight: attempts whose end is not known,
    which the agents are asked for. digest: of the scenario that it goes on with.
    """

    TYPE: ClassVar[str] = "run_taken_up"
    number: int
    started_wall: str = ""
    host: str = ""
    version: str = ""
    down_s: float = 0.0
    in_flight: int = 0
    digest: str = ""


@dataclass(slots=True, kw_only=True)
class JobAdopted(Event):
    """An attempt went on while nobody was there, and is awaited again."""

    TYPE: ClassVar[str] = "job_adopted"
    instance: InstanceId
    attempt: int
    item: Value = None


@dataclass(slots=True, kw_only=True)
class JobInDoubt(Event):
    """Nobody can tell whether an attempt ended well: who knew has gone with its daemon, or with the run's process."""

    TYPE: ClassVar[str] = "job_in_doubt"
    instance: InstanceId
    attempt: int
    item: Value = None
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class AgentStarting(Event):
    """An agent's daemon is being brought up."""

    TYPE: ClassVar[str] = "agent_starting"
    agent: str
    where: str = ""


@dataclass(slots=True, kw_only=True)
class AgentWaiting(Event):
    """An agent that is being brought up waits, for its turn say; `agent_starting` comes again when that is over."""

    TYPE: ClassVar[str] = "agent_waiting"
    agent: str
    message: str = ""


@dataclass(slots=True, kw_only=True)
class AllocationChanged(Event):
    """Something became of the allocation of a scheduler (Slurm) in which agents of the run have their nodes.

    state: asked; waiting, at a position of the queue (0: unknown), with the scheduler's reason; granted, with its
    nodes; node: one of them (nodes) is drained or down, or all of them are suspended, or no longer; ending: its time is
    nearly over; lost; ended, and is_confirmed says whether the scheduler confirmed that. left_s: of its time, -1 where
    there is no limit or none was told. message: all of it in a line.
    """

    TYPE: ClassVar[str] = "allocation_changed"
    state: str
    job: str = ""
    message: str = ""
    nodes: list[str] = field(default_factory=list)
    position: int = 0
    reason: str = ""
    left_s: float = -1.0
    is_confirmed: bool = True


@dataclass(slots=True, kw_only=True)
class AgentReady(Event):
    """An agent answered and takes jobs.

    `home` is the directory of relative paths there, `address` where the other agents reach it.
    """

    TYPE: ClassVar[str] = "agent_ready"
    agent: str
    home: str = ""
    host: str = ""
    python: str = ""
    pid: int = 0
    address: str = ""
    birth: str = ""  # names this daemon, and no other one of the same agent


@dataclass(slots=True, kw_only=True)
class AgentFailed(Event):
    """An agent could not be brought up. `code` is stable, `exit_code` what the run will end with."""

    TYPE: ClassVar[str] = "agent_failed"
    agent: str
    code: str
    message: str
    hint: str = ""
    exit_code: int = 6


@dataclass(slots=True, kw_only=True)
class AgentSuspect(Event):
    """Nothing was heard of an agent for a while, or its connection is down and being made again."""

    TYPE: ClassVar[str] = "agent_suspect"
    agent: str
    message: str = ""


@dataclass(slots=True, kw_only=True)
class AgentLoad(Event):
    """How busy an agent's machine is: told when it changed by a step, and seldom.

    cpu: load of the last minute divided by the number of CPUs; memory: the share in use, 0 to 1; -1 where the machine
    does not tell. processes: those that outlive the job that started them.
    """

    TYPE: ClassVar[str] = "agent_load"
    agent: str
    cpu: float = -1.0
    memory: float = -1.0
    processes: int = 0


@dataclass(slots=True, kw_only=True)
class AgentLost(Event):
    """An agent is given up: its lease has ended what it ran."""

    TYPE: ClassVar[str] = "agent_lost"
    agent: str
    message: str = ""


@dataclass(slots=True, kw_only=True)
class AgentStopped(Event):
    """An agent ended. `is_clean` says whether it confirmed that nothing is left; `remaining` what is."""

    TYPE: ClassVar[str] = "agent_stopped"
    agent: str
    is_clean: bool = True
    remaining: list[ProcessEntry] = field(default_factory=list)
    message: str = ""


@dataclass(slots=True, kw_only=True)
class StageStarted(Event):
    """A stage begins. agents: the names that take part, in order; `rerun` when an operator asked for it again."""

    TYPE: ClassVar[str] = "stage_started"
    stage: str
    agents: list[str] = field(default_factory=list)
    rerun: bool = False


@dataclass(slots=True, kw_only=True)
class StageFinished(Event):
    """A stage ended. state: ok, failed, skipped or cancelled; reason: why it was skipped.

    duration_s: from its beginning to its end; paused_s: how much of that nothing was in flight, and nothing could begin
    until somebody acted. It worked for the difference.
    """

    TYPE: ClassVar[str] = "stage_finished"
    stage: str
    state: str
    reason: str = ""
    duration_s: float = 0.0
    rerun: bool = False
    paused_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class JobHeld(JobEvent):
    """The gate holds an instance. reason: pause, step, breakpoint, confirmation, failure ...

    point: before its attempt, or after it (it has ended, and its lane waits). order: counts up with what comes to the
    gate; the lowest is next. breakpoint: the number of the one that holds it. seen: the number of the event up to which
    the variables are those that it will see, where they are not those of now. What is held is told again, with the same
    order, when a breakpoint holds it that was not asked before.
    """

    TYPE: ClassVar[str] = "job_held"
    reason: str = "pause"
    point: str = "before"
    order: int = 0
    breakpoint: int = 0
    seen: int = 0


@dataclass(slots=True, kw_only=True)
class JobReleased(JobEvent):
    """What was held after an attempt goes on: it is done, or waits for its next attempt. Nothing else tells that.

    reason: why what was held before its attempt never begins; then it is as it was before.
    """

    TYPE: ClassVar[str] = "job_released"
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class JobStarted(JobEvent):
    """An attempt was sent to its agent. arguments: as expanded. why: first, retry, rerun, back.

    edited: names of the arguments that the operator gave it. reads: names of the variables that it read, where its
    texts (`plan` has them) compute names; `*` for all. seen: the number of the event up to which the values of what it
    reads are those that it saw, where they are not those of now.
    """

    TYPE: ClassVar[str] = "job_started"
    procedure: str = ""
    arguments: dict[str, Value] = field(default_factory=dict)
    why: str = "first"
    edited: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    seen: int = 0


@dataclass(slots=True, kw_only=True)
class JobOutput(Event):
    """Log lines of an attempt, or of a process (`process`) that outlived its attempt (there is no `instance` then).

    dropped: how many lines were left out before these. gap: with that, the number under which the agent has them, while
    it lives and has room (`ask RUN log`); 0 where it has not.
    """

    TYPE: ClassVar[str] = "job_output"
    agent: str
    lines: list[str]
    instance: InstanceId | None = None
    attempt: int = 1
    item: Value = None
    process: str = ""
    stream: str = "stdout"
    dropped: int = 0
    gap: int = 0


@dataclass(slots=True, kw_only=True)
class JobProgress(JobEvent):
    """One line that says how far an attempt is; replaces the one before."""

    TYPE: ClassVar[str] = "job_progress"
    text: str = ""


@dataclass(slots=True, kw_only=True)
class JobFinished(JobEvent):
    """An attempt ended. state: ok, failed, skipped or cancelled.

    failure: when it did not end well; as JSON it is `error`: {kind, message, hint, detail}, and detail may hold
    exit_code and the last lines.
    result: what it returned; of a failure, what it gave nevertheless (the status and output of a command), or null.
    will_retry: another attempt follows by itself; when the stage ends before it, the attempt is told once more, without
    this. is_tolerated: `on_failure: continue`.
    reads, seen: as in `job_started`, of what `when` passed over, or could not be expanded and so was never started.
    """

    TYPE: ClassVar[str] = "job_finished"
    state: str = "ok"
    result: Value = None
    failure: Failure | None = None
    reason: str = ""  # why it was skipped or cancelled, or not tried again
    duration_s: float = 0.0
    will_retry: bool = False
    is_tolerated: bool = False
    reads: list[str] = field(default_factory=list)
    seen: int = 0


@dataclass(slots=True, kw_only=True)
class RerunBegun(Event):
    """The operator has all that is so run again (which: failed, stale, from here); each tells of its new attempt then.

    instances: names of what runs again; left_out: name -> why it does not; message: all of it in a line.
    """

    TYPE: ClassVar[str] = "rerun_begun"
    which: str
    instances: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    message: str = ""


@dataclass(slots=True, kw_only=True)
class JobStale(Event):
    """What ended well of a job would run differently now: its text was edited, or what it read was set by hand.

    instances: their names; when there are none, all that ended well of the job.
    """

    TYPE: ClassVar[str] = "job_stale"
    stage: str
    job: str
    reason: str = ""
    instances: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class JobFresh(Event):
    """What was stale is so no more: the text, or what was read, is again as it was. instances: their names."""

    TYPE: ClassVar[str] = "job_fresh"
    stage: str
    job: str
    instances: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class VariableChanged(Event):
    """A variable has a new value; null when it was removed. by: the instance's name, `operator`, or `scenario`.

    Of the operator's: how many instances that read it are stale by it, are not stale any more (fresh), and stand failed
    and would run differently now (failed). Which ones, `job_stale` and `job_fresh` tell.
    """

    TYPE: ClassVar[str] = "variable_changed"
    name: str
    value: Value = None
    removed: bool = False
    by: str = ""
    stale: int | None = None
    fresh: int | None = None
    failed: int | None = None


@dataclass(slots=True, kw_only=True)
class EntryRegistered(Event):
    """A job with items registered what one of them gave: `name`, which is a map by item, has this `value` at `entry`.

    size: how many entries the map has now; with 1 it has this one only, whatever the variable was before. by: the
    instance's name. Else a variable's new value is told by `variable_changed`, as a whole.
    """

    TYPE: ClassVar[str] = "entry_registered"
    name: str
    entry: str
    value: Value = None
    by: str = ""
    size: int = 1

    def over(self, before: object) -> dict[str, Value]:
        """Give the map, from what the variable was before."""
        known = before if isinstance(before, dict) and self.size > 1 else {}
        return {**known, self.entry: self.value}


@dataclass(slots=True, kw_only=True)
class ServiceAnnounced(Event):
    """An agent offers something: a node's RPC, files over HTTP, metrics. state: up, or down with the reason.

    `address` is where the other agents reach it.
    """

    TYPE: ClassVar[str] = "service_announced"
    agent: str
    kind: str
    name: str
    ports: dict[str, int] = field(default_factory=dict)
    state: str = "up"
    reason: str = ""
    address: str = ""


@dataclass(slots=True, kw_only=True)
class RunPaused(Event):
    """The gate is shut. reason: operator, failure, confirmation, start, end; in_flight: how many still run."""

    TYPE: ClassVar[str] = "run_paused"
    reason: str = "operator"
    message: str = ""
    in_flight: int = 0


@dataclass(slots=True, kw_only=True)
class RunResumed(Event):
    """The gate is open again (mode go), or lets something through (mode step).

    agent: of which agents only. depth, unit: as they were asked for; what: in words, what is let through.
    """

    TYPE: ClassVar[str] = "run_resumed"
    mode: str = "go"
    agent: str = ""
    depth: str = ""
    unit: str = ""
    what: str = ""


@dataclass(slots=True, kw_only=True)
class AgentHeld(Event):
    """The gate is shut for an agent, whatever the others do. reason: operator, step, breakpoint, failure.

    agent: its name, or a text with `*`: then for all that fit, also those that come later; the latest word counts.
    in_flight: how many still run there.
    """

    TYPE: ClassVar[str] = "agent_held"
    agent: str
    reason: str = "operator"
    message: str = ""
    in_flight: int = 0


@dataclass(slots=True, kw_only=True)
class AgentReleased(Event):
    """The gate is open for an agent, whatever the others do; with `follows` it is again as for all.

    agent: its name, or a text with `*`.
    """

    TYPE: ClassVar[str] = "agent_released"
    agent: str
    follows: bool = False


@dataclass(slots=True, kw_only=True)
class HoldModeChosen(Event):
    """What breakpoints and failures hold from now on: everything (`all`), or the agent where it was met (`alone`)."""

    TYPE: ClassVar[str] = "hold_mode_chosen"
    mode: str = "all"


@dataclass(slots=True, kw_only=True)
class BreakpointSet(Event):
    """A breakpoint is there, or is now so. The fields are those of model/breakpoint.py.

    by: operator, command line, file (kept from earlier runs), until, or run: the one that `on_failure: pause` is.
    """

    TYPE: ClassVar[str] = "breakpoint_set"
    number: int
    pattern: str = ""
    when: str = "before"
    name: str = ""
    condition: str = ""
    hits: str = ""
    log: str = ""
    is_once: bool = False
    is_off: bool = False
    by: str = "operator"


@dataclass(slots=True, kw_only=True)
class BreakpointRemoved(Event):
    """A breakpoint is gone. reason: operator, or that it was to be used once."""

    TYPE: ClassVar[str] = "breakpoint_removed"
    number: int
    reason: str = "operator"


@dataclass(slots=True, kw_only=True)
class BreakpointMet(Event):
    """A breakpoint stopped something, or (is_log) wrote its text and let it go on.

    row: what it was met at where that is no instance: a stage, an agent, a variable. count: how often so far.
    message: of a log its text, else why it stopped: with what its condition was made of, or why that is not known.
    """

    TYPE: ClassVar[str] = "breakpoint_met"
    number: int
    message: str = ""
    count: int = 0
    is_log: bool = False
    row: str = ""
    instance: InstanceId | None = None
    attempt: int = 0


@dataclass(slots=True, kw_only=True)
class ArgumentsSet(Event):
    """The operator gave an instance other arguments for its next attempt; none: those of the text again."""

    TYPE: ClassVar[str] = "arguments_set"
    instance: InstanceId
    arguments: dict[str, Value] = field(default_factory=dict)
    by: str = "operator"


@dataclass(slots=True, kw_only=True)
class CourseMovedBack(Event):
    """The run goes on from a stage's beginning again; what was done on the agents stays there.

    restored: how many variables have the values again that they had then; each tells so itself. stale: how many
    instances that had ended well will run again.
    """

    TYPE: ClassVar[str] = "course_moved_back"
    stage: str
    restored: int = 0
    stale: int = 0


@dataclass(slots=True, kw_only=True)
class ConfirmationAsked(Event):
    """A stage with `ask_confirmation` waits for the operator."""

    TYPE: ClassVar[str] = "confirmation_asked"
    stage: str


@dataclass(slots=True, kw_only=True)
class ConfirmationGiven(Event):
    """The answer: yes, or no (the stage is skipped)."""

    TYPE: ClassVar[str] = "confirmation_given"
    stage: str
    answer: bool = True
    by: str = "operator"


@dataclass(slots=True, kw_only=True)
class StagesDone(Event):
    """Every stage has ended and the agents are kept alive until the operator stops the run."""

    TYPE: ClassVar[str] = "stages_done"
    exit_code: int = 0


@dataclass(slots=True, kw_only=True)
class ScenarioReloaded(Event):
    """An edited scenario is in force, or a refused edit was taken back. changes: lines for people, none in that case;
    plan: as in run_started; agents: those that were not there before, as in run_started.
    """

    TYPE: ClassVar[str] = "scenario_reloaded"
    digest: str = ""
    changes: list[str] = field(default_factory=list)
    plan: list[StageEntry] = field(default_factory=list)
    agents: list[AgentEntry] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ReloadModeChosen(Event):
    """What becomes of an edit of the file: in force at once (mode now), or when it is asked for (mode ask)."""

    TYPE: ClassVar[str] = "reload_mode_chosen"
    mode: str = "now"


@dataclass(slots=True, kw_only=True)
class EditWaits(Event):
    """The file was edited, and waits to be asked for; `scenario_reloaded` tells when it is in force.

    changes: lines for people; none: the file is again what runs, and nothing waits any more. The numbers are of
    instances: stale and not stale any more (fresh) by it, failed that would run differently, new and gone rows.
    """

    TYPE: ClassVar[str] = "edit_waits"
    digest: str = ""
    changes: list[str] = field(default_factory=list)
    stale: int = 0
    fresh: int = 0
    failed: int = 0
    new: int = 0
    gone: int = 0


@dataclass(slots=True, kw_only=True)
class ScenarioRejected(Event):
    """An edited scenario is wrong; the old one stays. problems: list of {file, line, column, message, hint}."""

    TYPE: ClassVar[str] = "scenario_rejected"
    problems: list[ProblemEntry] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class WarningGiven(Event):
    """Something that deserves a look and stops nothing."""

    TYPE: ClassVar[str] = "warning"
    message: str
    stage: str = ""
    agent: str = ""


@dataclass(slots=True, kw_only=True)
class RequestRefused(Event):
    """An operator's request makes no sense now; says why."""

    TYPE: ClassVar[str] = "request_refused"
    request: str
    message: str


@dataclass(slots=True, kw_only=True)
class StopRequested(Event):
    """The run is being stopped. by: operator, signal name, time limit, failure, end; force: without grace."""

    TYPE: ClassVar[str] = "stop_requested"
    by: str
    force: bool = False


@dataclass(slots=True, kw_only=True)
class RunFinished(Event):
    """The last event. counts: state -> number of instances; causes: every exit code that applied.

    duration_s, paused_s: as in `stage_finished`, of the whole run.
    """

    TYPE: ClassVar[str] = "run_finished"
    exit_code: int
    reason: str = ""
    duration_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    causes: list[int] = field(default_factory=list)
    paused_s: float = 0.0


def _leaves(cls: type[Event]) -> list[type[Event]]:
    found = [cls] if cls.TYPE else []
    for child in cls.__subclasses__():
        found += _leaves(child)
    return found


EVENT_TYPES: dict[str, type[Event]] = {cls.TYPE: cls for cls in _leaves(Event)}
"""Every type of event by its public name."""
