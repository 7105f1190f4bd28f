"""What the engine waits for the time of. Each is a value, so that arming, firing and forgetting speak of the same."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from octogram_tui.model.ids import AttemptId, InstanceId


class RetryDue(NamedTuple):
    """The delay before the next attempt of an instance is over."""

    instance: InstanceId


class WaitOver(NamedTuple):
    """A wait for an expression has lasted as long as it may."""

    attempt: AttemptId


class StageOver(NamedTuple):
    """A stage has lasted as long as it may, if the run never stood still meanwhile."""

    stage: str


class RunTimer(Enum):
    """Those of the run as a whole."""

    LIMIT = "the time limit of the whole run"
    COLLECT = "the time that `always` stages have once the run is being stopped"
    GO_ON = "nothing: what a turn has left to the next, since it had done its share"
    CANCEL = "the time that agents have to confirm what was cancelled"


Timer = RetryDue | WaitOver | StageOver | RunTimer
