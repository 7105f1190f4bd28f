"""All that the engine orders. The driver carries them out and comes back with stimuli."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from octogram_tui.model.scenario import AgentSpec


@dataclass(slots=True, frozen=True)
class StartAgent:
    """Bring up an agent's daemon."""

    agent: AgentSpec


@dataclass(slots=True, frozen=True)
class StopAgent:
    """Tell an agent to stop everything and end; `force` leaves no grace."""

    agent: str
    force: bool = False


@dataclass(slots=True, frozen=True)
class SendJob:
    """Execute an attempt: on its agent, or here (`where` is orchestrator) for copy and fetch."""

    agent: str
    attempt_id: str
    procedure: str
    arguments: dict[str, Any]
    timeout_s: float | None
    where: str = "agent"


@dataclass(slots=True, frozen=True)
class CancelJob:
    """End an attempt and everything that it started; AttemptReport answers."""

    agent: str
    attempt_id: str
    reason: str
    where: str = "agent"


@dataclass(slots=True, frozen=True)
class ArmTimer:
    """Come back with TimerReport after so many seconds; arming a name again replaces it."""

    timer: str
    after_s: float


@dataclass(slots=True, frozen=True)
class DisarmTimer:
    """Forget a timer."""

    timer: str


@dataclass(slots=True, frozen=True)
class EndRun:
    """Nothing is left to do: the driver may close."""

    exit_code: int


Effect = StartAgent | StopAgent | SendJob | CancelJob | ArmTimer | DisarmTimer | EndRun
