"""The states that front ends show, and how the states of many instances become the state of what holds them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class State(IntEnum):
    """What can be said of an instance, and of a job, a stage or a cell of the matrix."""

    PENDING = 0
    HELD = 1
    RUNNING = 2
    RETRYING = 3
    OK = 4
    FAILED = 5
    TOLERATED = 6  # failed, and the scenario says to go on
    SKIPPED = 7
    CANCELLED = 8
    STALE = 9
    LOST = 10  # its agent was lost


class AgentState(IntEnum):
    """What can be said of an agent."""

    WAITING = 0
    STARTING = 1
    READY = 2
    SUSPECT = 3
    FAILED = 4
    LOST = 5
    STOPPED = 6
    UNCLEAN = 7  # stopped, and did not confirm that nothing is left


class Phase(IntEnum):
    """Where a run is as a whole."""

    WAITING = 0  # no event yet
    STARTING = 1  # agents come up
    RUNNING = 2
    DONE = 3  # every stage ended, agents are kept alive
    STOPPING = 4
    FINISHED = 5


Tally = list[int]
"""How many instances are in each state, indexed by State; pending ones are not counted."""

FINISHED_STATES = {
    "ok": State.OK,
    "failed": State.FAILED,
    "skipped": State.SKIPPED,
    "cancelled": State.CANCELLED,
    "lost": State.LOST,
}
"""The states of `job_finished` and `stage_finished`."""

_LOUDEST = (State.FAILED, State.LOST, State.HELD, State.RETRYING, State.RUNNING, State.STALE)
_QUIET = (State.OK, State.TOLERATED, State.SKIPPED, State.CANCELLED)


def new_tally() -> Tally:
    """Count nothing yet."""
    return [0] * len(State)


def known_count(tally: Sequence[int]) -> int:
    """Say how many instances are past pending."""
    return sum(tally)


def done_count(tally: Sequence[int]) -> int:
    """Say how many instances have ended."""
    return sum(tally) - tally[State.HELD] - tally[State.RUNNING] - tally[State.RETRYING]


def loudest(tally: Sequence[int]) -> State | None:
    """Pick the state that has to be seen first; None when all that is known ended quietly, or nothing is known."""
    for state in _LOUDEST:
        if tally[state]:
            return state
    return None


def quietest(tally: Sequence[int]) -> State:
    """Pick the state of a group of which everything ended quietly; pending when nothing did."""
    for state in _QUIET:
        if tally[state]:
            return state
    return State.PENDING
