"""All that the engine orders. The driver carries them out and comes back with stimuli; nobody changes one."""

from __future__ import annotations

from octogram_tui.dataclass import dataclass
from octogram_tui.engine.timers import Timer
from octogram_tui.model.ids import AttemptId, Execution
from octogram_tui.model.scenario import AgentSpec, Where
from octogram_tui.model.values import Value


@dataclass(slots=True)
class StartAgent:
    """Bring up an agent's daemon.

    birth, home: of the daemon that the agent had before its run was taken up again; it is looked for there only.
    """

    agent: AgentSpec
    birth: str = ""
    home: str = ""


@dataclass(slots=True)
class StopAgent:
    """Tell an agent to stop everything and end; `force` leaves no grace."""

    agent: str
    force: bool = False


@dataclass(slots=True)
class SendJob:
    """Execute an attempt: on its agent, or here (`where` is orchestrator) for copy and fetch.

    inside: for these two, the directory of this machine that their path may not leave (written.py).
    mark: of the ports that the agent puts in, where other texts look like them.
    after: not now, but as soon as this one has ended well there; if it does not, never by this order.
    """

    agent: str
    attempt: Execution
    procedure: str
    arguments: dict[str, Value]
    timeout_s: float | None
    where: Where = "agent"
    inside: str | None = None
    mark: str = ""
    after: AttemptId | None = None


@dataclass(slots=True)
class RecallJob:
    """Take back what was sent ahead, to begin after another one; RecallReport answers."""

    agent: str
    attempt: Execution
    after: AttemptId


@dataclass(slots=True)
class CancelJob:
    """End an attempt and everything that it started; AttemptReport answers."""

    agent: str
    attempt: AttemptId
    reason: str
    where: Where = "agent"


@dataclass(slots=True)
class ArmTimer:
    """Come back with TimerReport after so many seconds; arming one again replaces it."""

    timer: Timer
    after_s: float


@dataclass(slots=True)
class DisarmTimer:
    """Forget a timer."""

    timer: Timer


@dataclass(slots=True)
class EndAllocation:
    """End the allocation that agents had their nodes in; AllocationReport answers, that it has ended."""

    force: bool = False


@dataclass(slots=True)
class EndRun:
    """Nothing is left to do: the driver may close."""

    exit_code: int


Effect = StartAgent | StopAgent | SendJob | RecallJob | CancelJob | ArmTimer | DisarmTimer | EndAllocation | EndRun
