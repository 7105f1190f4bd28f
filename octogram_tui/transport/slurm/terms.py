"""What is to be had of Slurm for which run, and what it is told of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from octogram_tui.errors import ConnectFailed, ExitCode
from octogram_tui.model.scenario import SlurmSpec

MISSING = "slurm.missing"  # a program of Slurm's is not there
AllocationState = Literal["asked", "waiting", "granted", "node", "ending", "lost", "ended"]


class Told(NamedTuple):
    """What became of an allocation, as `allocation_changed` tells it."""

    state: AllocationState
    job: str = ""
    message: str = ""
    nodes: tuple[str, ...] = ()
    position: int = 0
    reason: str = ""
    left_s: float = -1.0
    is_confirmed: bool = True


class Terms(NamedTuple):
    """One run's. names: of the agents, in the order in which they are spread over the nodes.

    is_again: the run is taken up again, so that it may have asked for an allocation before.
    is_begun: agents of the run have been up, so that there is an allocation, or there was one.
    hides: variables of the environment that hold secrets, and stay here.
    """

    spec: SlurmSpec
    names: tuple[str, ...]
    run: str
    lease_s: float
    tell: Callable[[Told], None]
    is_again: bool = False
    is_begun: bool = False
    hides: tuple[str, ...] = ()


def refused(message: str, hint: str, code: str, exit_code: ExitCode = ExitCode.NOT_STARTED) -> ConnectFailed:
    """Make the error of what no further attempt mends."""
    error = ConnectFailed(message, hint=hint, code=code)
    error.exit_code = exit_code
    error.is_retryable = False
    return error
