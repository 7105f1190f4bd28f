"""What the engine waits for the time of. Each is a value, so that arming, firing and forgetting speak of the same."""

from __future__ import annotations

from dataclasses import dataclass

from octogram_tui.model.ids import AttemptId, InstanceId


@dataclass(slots=True, frozen=True)
class RetryDue:
    """The delay before the next attempt of an instance is over."""

    instance: InstanceId


@dataclass(slots=True, frozen=True)
class WaitOver:
    """A wait for an expression has lasted as long as it may."""

    attempt: AttemptId


@dataclass(slots=True, frozen=True)
class RunOver:
    """The time limit of the whole run."""


@dataclass(slots=True, frozen=True)
class CollectOver:
    """The time that `always` stages have once the run is being stopped."""


@dataclass(slots=True, frozen=True)
class CancelOver:
    """The time that agents have to confirm what was cancelled."""


Timer = RetryDue | WaitOver | RunOver | CollectOver | CancelOver
