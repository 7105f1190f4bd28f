"""All that can happen to the engine. Reports tell what has happened outside; requests ask for something.

Events are named in the past tense and effects are orders, so that a name alone says which of the three it is.
Nobody changes one. They are not frozen, since that makes each twice as dear, and there are two for every job.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from octogram_tui.dataclass import dataclass
from octogram_tui.engine.timers import Timer
from octogram_tui.errors import ExitCode, Problem
from octogram_tui.model.breakpoint import When
from octogram_tui.model.entries import ProcessEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import Execution, InstanceId
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import Value

Depth = Literal["into", "over", "out"]
HoldMode = Literal["all", "alone"]
Inputs = Literal["now", "then"]
ReloadMode = Literal["now", "ask"]


@dataclass(slots=True)
class BeginRequest:
    """Start the run: agents first. commit: of the repository that the scenario's file is in."""

    started_wall: str
    host: str = ""
    commit: str = ""


@dataclass(slots=True)
class TakeUpRequest:
    """Take up again a run whose process has died: the agents are asked what became of what was under way.

    down_s: for how long nobody was there, as the clock on the wall has it.
    on_failure, confirm, keep_alive, timeout_s: what the run was asked for is from now on so; empty: as it was.
    """

    started_wall: str
    host: str = ""
    version: str = ""
    down_s: float = 0.0
    on_failure: Literal["", "abort", "pause", "keep_going"] = ""
    confirm: Literal["", "ask", "yes", "no", "fail"] = ""
    keep_alive: bool | None = None
    timeout_s: float | None = None


@dataclass(slots=True)
class AgentUpReport:
    """An agent's daemon greeted us. `address` is where the other agents reach it, as it turned out to be.

    After a run was taken up again: is_same says that the daemon is the one that had the agent before; knows has the
    attempts that it has heard of, under way or ended, as far as it can list them.
    """

    agent: str
    home: str = ""
    host: str = ""
    python: str = ""
    pid: int = 0
    address: str = ""
    birth: str = ""  # names this daemon, and no other one of the same agent
    is_same: bool = False
    knows: tuple[Execution, ...] = ()


@dataclass(slots=True)
class StartFailureReport:
    """An agent's daemon could not be brought up."""

    agent: str
    code: str
    message: str
    hint: str = ""
    exit_code: int = 6


@dataclass(slots=True)
class AgentWaitReport:
    """An agent that is to come up waits for something; without a message it waits no more."""

    agent: str
    message: str = ""


@dataclass(slots=True)
class AllocationReport:
    """What became of the allocation of a scheduler in which agents run, see AllocationChanged.

    Once one was asked for, the run does not end before `ended`.
    """

    state: Literal["asked", "waiting", "granted", "node", "ending", "lost", "ended"]
    job: str = ""
    message: str = ""
    nodes: tuple[str, ...] = ()
    position: int = 0
    reason: str = ""
    left_s: float = -1.0
    is_confirmed: bool = True


@dataclass(slots=True)
class AgentSilentReport:
    """The connection to an agent is down, and is being made again."""

    agent: str
    message: str = ""


@dataclass(slots=True)
class AgentBackReport:
    """The connection is there again; nothing was lost."""

    agent: str


@dataclass(slots=True)
class AgentLoadReport:
    """How busy an agent's machine is, see AgentLoad."""

    agent: str
    cpu: float = -1.0
    memory: float = -1.0
    processes: int = 0


@dataclass(slots=True)
class AgentLossReport:
    """An agent is given up."""

    agent: str
    message: str = ""
    exit_code: int = 7


@dataclass(slots=True)
class AgentEndReport:
    """An agent that was told to stop did, or did not confirm it in time."""

    agent: str
    is_clean: bool = True
    remaining: tuple[ProcessEntry, ...] = ()
    message: str = ""


@dataclass(slots=True)
class AttemptReport:
    """An agent says that an attempt ended: state ok, failed or cancelled."""

    agent: str
    attempt: Execution
    state: str
    result: Value = None
    failure: Failure | None = None
    duration_s: float = 0.0


@dataclass(slots=True)
class RecallReport:
    """An agent says whether what was to be taken back had begun; it was to begin after another attempt."""

    agent: str
    attempt: Execution
    after: Execution
    is_begun: bool = False


@dataclass(slots=True)
class OutputReport:
    """Log lines of an attempt; of a process of an agent, without one."""

    agent: str
    attempt: Execution | None
    lines: list[str]
    stream: str = "stdout"
    process: str = ""
    dropped: int = 0
    gap: int = 0


@dataclass(slots=True)
class ProgressReport:
    """One line that says how far an attempt is."""

    agent: str
    attempt: Execution
    text: str


@dataclass(slots=True)
class ServiceReport:
    """A service of an agent came up or went down. `key`: of a file server, what tickets for its URLs are made of."""

    agent: str
    kind: str
    name: str
    ports: dict[str, int] = field(default_factory=dict)
    state: str = "up"
    reason: str = ""
    key: str = ""


@dataclass(slots=True)
class TimerReport:
    """A timer that an effect armed."""

    timer: Timer


@dataclass(slots=True)
class TroubleReport:
    """Something beside the run went wrong, which deserves a look and stops nothing."""

    message: str


@dataclass(slots=True)
class PauseRequest:
    """Shut the gate, or that of agents (a name, or a text with `*`); what runs goes on."""

    agent: str = ""


@dataclass(slots=True)
class GoRequest:
    """Open the gate, or that of agents only."""

    agent: str = ""


@dataclass(slots=True)
class StepRequest:
    """Let something through a gate that stays shut. agent: of these agents only.

    depth  into: the one attempt that is next; over: all of a unit; out: the rest of what is around the unit
    unit   a pattern of rows: what is under the cursor; empty: the row that is next
    """

    depth: Depth = "into"
    unit: str = ""
    agent: str = ""


@dataclass(slots=True)
class UntilRequest:
    """Go on until a row is about to begin; of these agents only."""

    row: str
    agent: str = ""


@dataclass(slots=True)
class HoldModeRequest:
    """What a breakpoint or a failure holds from now on: everything (`all`), or the agent where it was met (`alone`)."""

    mode: HoldMode


@dataclass(slots=True)
class BreakRequest:
    """Set a breakpoint; number: change that one instead. The fields are those of model/breakpoint.py."""

    pattern: str
    when: When = "before"
    name: str = ""
    condition: str = ""
    hits: str = ""
    log: str = ""
    is_once: bool = False
    is_on: bool = True
    number: int = 0


@dataclass(slots=True)
class SwitchBreakRequest:
    """Switch a breakpoint on or off; number 0: all but the one that on_failure is."""

    number: int
    is_on: bool


@dataclass(slots=True)
class RemoveBreakRequest:
    """Take a breakpoint away; number 0: all but the one that on_failure is."""

    number: int


@dataclass(slots=True)
class SetArgumentsRequest:
    """Give an instance that is held, failed or ended other arguments for its next attempt; `remove`: the text's again.

    arguments: argument -> value, as the agent gets it, and null to leave it out; the others are expanded as ever. Used
    once: by that attempt, and by those that follow it by themselves.
    """

    instance: InstanceId
    arguments: dict[str, Value] = field(default_factory=dict)
    remove: bool = False


@dataclass(slots=True)
class BackRequest:
    """Move the run's course back to a stage's beginning: variables as they were, what came later stale."""

    stage: str


@dataclass(slots=True)
class ConfirmRequest:
    """The operator's answer to `ask_confirmation`."""

    stage: str
    answer: bool
    by: str = "operator"


@dataclass(slots=True)
class RerunRequest:
    """Execute again, as new attempts: a stage; a job on all its agents or one; one instance.

    inputs     now: with the variables as they are; then: as the latest attempt read them
    from_here  and what comes after it in the scenario's order, of the same agents, as far as it has run
    """

    stage: str
    job: str = ""
    agent: str = ""
    instance: InstanceId | None = None
    inputs: Inputs = "now"
    from_here: bool = False


@dataclass(slots=True)
class RerunAllRequest:
    """Execute again all that is so (`which`: failed, stale), and nothing else; `go`: then open the gate.

    stage, job, agent and instances each say that only these are meant. Failures run in their place in the course, so
    that the gate opens at once; what is stale runs beside it, and the gate opens when all of that has ended.
    """

    which: str
    stage: str = ""
    job: str = ""
    agent: str = ""
    instances: tuple[InstanceId, ...] = ()
    go: bool = False
    inputs: Inputs = "now"


@dataclass(slots=True)
class SkipRequest:
    """Go on as if this failed or held instance had succeeded; recorded as the operator's doing."""

    instance: InstanceId


@dataclass(slots=True)
class SkipAllRequest:
    """Go on as if all of these that failed, or are held, had succeeded. which: failed, held."""

    which: str
    stage: str = ""
    job: str = ""
    agent: str = ""
    instances: tuple[InstanceId, ...] = ()


@dataclass(slots=True)
class SetVariableRequest:
    """The operator sets a variable; `remove` takes it away."""

    name: str
    value: Value = None
    remove: bool = False


@dataclass(slots=True)
class EditReport:
    """The file was edited: the new scenario, or what is wrong with it. is_asked: somebody wants it in force."""

    scenario: Scenario | None
    problems: tuple[Problem, ...] = ()
    is_asked: bool = False


@dataclass(slots=True)
class ReloadModeRequest:
    """What becomes of an edit of the file from now on: in force at once (`now`), or when `reload` is asked (`ask`)."""

    mode: ReloadMode


@dataclass(slots=True)
class StopRequest:
    """End the run: by operator, SIGINT, SIGTERM, SIGHUP, time limit, linger. `force`: no grace, no collecting."""

    by: str = "operator"
    exit_code: int = int(ExitCode.INTERRUPTED)
    force: bool = False


Stimulus = (
    BeginRequest
    | TakeUpRequest
    | AgentUpReport
    | StartFailureReport
    | AgentSilentReport
    | AgentLoadReport
    | AgentWaitReport
    | AllocationReport
    | AgentBackReport
    | AgentLossReport
    | AgentEndReport
    | AttemptReport
    | RecallReport
    | OutputReport
    | ProgressReport
    | ServiceReport
    | TimerReport
    | TroubleReport
    | PauseRequest
    | GoRequest
    | StepRequest
    | UntilRequest
    | HoldModeRequest
    | BreakRequest
    | SwitchBreakRequest
    | RemoveBreakRequest
    | SetArgumentsRequest
    | BackRequest
    | ConfirmRequest
    | RerunRequest
    | RerunAllRequest
    | SkipRequest
    | SkipAllRequest
    | SetVariableRequest
    | EditReport
    | ReloadModeRequest
    | StopRequest
)

REPORTS: frozenset[type] = frozenset(
    {
        TakeUpRequest,
        AgentUpReport,
        StartFailureReport,
        AgentSilentReport,
        AgentLoadReport,
        AgentWaitReport,
        AllocationReport,
        AgentBackReport,
        AgentLossReport,
        AgentEndReport,
        AttemptReport,
        RecallReport,
        OutputReport,
        ProgressReport,
        ServiceReport,
        TimerReport,
        TroubleReport,
    }
)
"""What comes by itself, and no operator is behind: a lane goes on as it would. Taking a run up asks agents anew."""

PASSED_ON: frozenset[type] = frozenset({OutputReport, ProgressReport, AgentLoadReport})
"""What is told on, and moves nothing: a run is the same without it."""
