"""What the board is made of: stages, jobs, jobs on one agent, instances, agents. Small objects, for there are many."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from enum import IntEnum
from sys import intern
from typing import cast

from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId, name_of
from octogram_tui.model.values import Value
from octogram_tui.projection.causes import Cause, cause_of
from octogram_tui.projection.job_text import NO_RULES, NO_TEXT, PLAIN, JobText, Reading
from octogram_tui.projection.row_states import (
    AgentState,
    State,
    Tally,
    done_count,
    known_count,
    loudest,
    new_tally,
    quietest,
)
from octogram_tui.projection.standstill import Standstill

RowKey = tuple[str, ...] | InstanceId
"""Names a row: the stage; stage and job; stage, job and agent; or an instance. No two kinds have the same length."""


class Kind(IntEnum):
    """What a row of the plan stands for."""

    STAGE = 0
    JOB = 1
    AGENT = 2  # one job on one agent, when the job has items
    INSTANCE = 3


_PENDING, _RUNNING = State.PENDING, State.RUNNING


class AttemptRow:
    """One execution of an instance. `arguments` and `result` are None once they were let go to bound the memory.

    seq and ended_seq are the numbers of the events that told of its beginning and its end, 0 before that.
    """

    __slots__ = (
        "_arguments",
        "_result",
        "duration_s",
        "ended_seq",
        "failure",
        "number",
        "reading",
        "reason",
        "seq",
        "started_s",
        "state",
        "text",
        "why",
    )

    def __init__(
        self,
        number: int,
        started_s: float,
        why: str,
        arguments: dict[str, Value] | None,
        seq: int = 0,
        text: JobText = NO_TEXT,
        reading: Reading = PLAIN,
    ) -> None:
        self.number = number
        self.seq = seq
        self.ended_seq = 0
        self.text = text  # of its job, as it was then
        self.reading = reading
        self.started_s = started_s
        self.why = intern(why)  # of few words, which each event brings anew
        self._arguments = _packed(arguments)
        self.state = _RUNNING
        self.duration_s = 0.0
        self._result: bytes | Value = None
        self.failure: Failure | None = None
        self.reason = ""

    @property
    def arguments(self) -> dict[str, Value] | None:
        """What it was given. Packed, for very many are kept and hardly any are looked at."""
        return cast("dict[str, Value] | None", _unpacked(self._arguments))

    @property
    def result(self) -> Value:
        """What it gave back."""
        return _unpacked(self._result)

    @result.setter
    def result(self, value: Value) -> None:
        self._result = _packed(value)

    def let_go(self) -> None:
        """Forget what it was given and gave back."""
        self._arguments = self._result = None


def _packed(value: Value) -> bytes | Value:
    """Make one object of many; what is none, or cannot be packed, stays as it is."""
    if not isinstance(value, (dict, list)):
        return value
    try:
        return marshal.dumps(value)
    except ValueError:  # it is too deep
        return value


def _unpacked(kept: bytes | Value) -> Value:
    return cast("Value", marshal.loads(kept)) if isinstance(kept, bytes) else kept


class InstanceRow:
    """One job on one agent for one item: a leaf of the plan."""

    __slots__ = ("earlier", "item", "key", "last", "note", "parent", "progress", "state", "version")

    kind = Kind.INSTANCE
    children: tuple[Row, ...] = ()

    def __init__(self, key: InstanceId, parent: Group, item: Value) -> None:
        self.key = key
        self.parent = parent
        self.item = item
        self.state = _PENDING
        self.version = 0
        self.last: AttemptRow | None = None
        self.earlier: tuple[AttemptRow, ...] = ()
        self.progress = ""
        self.note = ""  # why it is held, skipped, cancelled or stale

    @property
    def label(self) -> str:
        """What to call it below its parent: its item, or its agent where the job has no items."""
        return self.key.item or "" if self.parent.kind is Kind.AGENT else self.agent

    @property
    def full_name(self) -> str:
        """What to call it anywhere."""
        return str(self.key)

    @property
    def agent(self) -> str:
        """The agent that it runs on."""
        return self.key.agent

    @property
    def job(self) -> Group:
        """The job that it is an instance of."""
        return self.parent if self.parent.kind is Kind.JOB else self.parent.above

    @property
    def stage(self) -> Group:
        """The stage that it belongs to."""
        return self.job.above

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return self.parent.depth + 1

    @property
    def cause(self) -> Cause | None:
        """Why it failed; None while it did not."""
        if self.state not in (State.FAILED, State.TOLERATED, State.RETRYING, State.LOST):
            return None
        if self.last is not None and self.last.failure is not None:
            return cause_of(self.last.failure)
        return Cause(self.note or "no reason was given") if self.state in (State.FAILED, State.LOST) else None

    @property
    def message(self) -> str:
        """Say in a line how it ended or what it waits for, the cause first; empty when there is nothing to say."""
        cause = self.cause
        if cause is not None:
            return str(cause)
        if self.state in (State.RUNNING, State.RETRYING):
            return self.progress
        return self.note

    @property
    def attempt(self) -> int:
        """The number of its latest attempt; 0 before the first."""
        return self.last.number if self.last else 0

    def duration_s(self, now_s: float) -> float | None:
        """Say how long the latest attempt took, or has been running; None when it never ran."""
        if self.last is None:
            return None
        if self.last.state is State.RUNNING:
            return max(0.0, now_s - self.last.started_s)
        return self.last.duration_s


class Group:
    """A stage, a job, or a job on one agent: holds rows and knows how many instances below are in which state."""

    __slots__ = (
        "agent",
        "agents",
        "always",
        "children",
        "ended_s",
        "expected",
        "final",
        "has_items",
        "is_gone",
        "key",
        "kind",
        "line",
        "members",
        "mentions",
        "name",
        "note",
        "parent",
        "procedure",
        "rules",
        "standstill",
        "started_s",
        "tally",
        "text",
        "version",
    )

    def __init__(self, kind: Kind, key: RowKey, name: str, parent: Group | None) -> None:
        self.kind = kind
        self.key = key
        self.name = name
        self.parent = parent
        self.standstill: Standstill = Standstill() if parent is None else parent.standstill  # of the whole run
        self.children: list[Row] = []
        self.members: dict[State, dict[InstanceId, InstanceRow]] = {}  # of a job: its instances by state
        self.tally: Tally = new_tally()
        self.version = 0
        self.expected = 0  # instances that will be there at least, as far as the plan tells
        self.started_s: float | None = None
        self.ended_s: float | None = None
        self.final: State | None = None  # how the engine says that it ended (stages)
        self.note = ""
        self.agent = ""
        self.agents: list[str] = []  # of a stage: those that take part, once it started
        self.procedure = ""
        self.mentions: tuple[str, ...] = ()  # of a job: variables that its texts name, `*` for what is computed
        self.has_items = False
        self.always = False
        self.line = 0
        self.text = NO_TEXT  # of a job: the one that is in force
        self.rules = NO_RULES  # of a stage
        self.is_gone = False  # an edit of the scenario took it away after it had run

    @property
    def label(self) -> str:
        """What to call it below its parent."""
        return self.name

    @property
    def full_name(self) -> str:
        """What to call it anywhere."""
        return name_of(*self.key[:3])

    @property
    def above(self) -> Group:
        """The group that holds it; a stage has none."""
        assert self.parent is not None, f"{self.key} stands alone"
        return self.parent

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def known(self) -> int:
        """How many instances are past pending."""
        return known_count(self.tally)

    @property
    def done(self) -> int:
        """How many instances have ended."""
        return done_count(self.tally)

    @property
    def total(self) -> int:
        """How many instances there are, as far as is known."""
        return max(self.expected, self.known)

    @property
    def is_open_ended(self) -> bool:
        """Whether more instances may turn up: items are only known when their job starts."""
        if self.kind is Kind.STAGE:
            return self.final is None and any(isinstance(job, Group) and job.has_items for job in self.children)
        return self.has_items and self.stage.final is None

    @property
    def stage(self) -> Group:
        """The stage that it belongs to, or is."""
        return self if self.parent is None else self.parent.stage

    @property
    def state(self) -> State:
        """What to show for it: the loudest of what is below, then how it ended."""
        loud = loudest(self.tally)
        if loud is not None:
            return loud
        if self.final is not None:
            return self.final
        if self.kind is Kind.STAGE:
            return State.RUNNING if self.started_s is not None else State.PENDING
        if self.stage.final is not None:
            return quietest(self.tally) if self.known else self.stage.final
        if self.known >= self.total and self.known:
            return quietest(self.tally)
        return State.RUNNING if self.known else State.PENDING

    @property
    def message(self) -> str:
        """Say in a line why it was skipped or is gone; empty when there is nothing to say."""
        return "no longer in the scenario" if self.is_gone else self.note

    def below(self) -> Iterator[InstanceRow]:
        """Go through the instances that it holds, at any depth."""
        for child in self.children:
            if isinstance(child, InstanceRow):
                yield child
            else:
                yield from child.below()

    def duration_s(self, now_s: float) -> float | None:
        """Say how long it took from its first start to its last end, without the time in which the run stood still.

        None before it started.
        """
        if self.started_s is None:
            return None
        is_over = self.ended_s is not None and self.done >= self.total and not self.tally[State.RUNNING]
        end_s = self.ended_s if is_over and self.ended_s is not None else now_s
        return self.standstill.worked(self.started_s, end_s)


Row = Group | InstanceRow


class AgentRow:
    """One agent: its state, what it does now, and how many of its instances are in which state, by stage."""

    __slots__ = (
        "address",
        "cells",
        "current",
        "failed",
        "hint",
        "home",
        "host",
        "instances",
        "labels",
        "login",
        "message",
        "name",
        "order",
        "pid",
        "python",
        "running",
        "state",
        "transport",
        "version",
    )

    def __init__(
        self, name: str, order: int, address: str = "", transport: str = "", labels: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.order = order
        self.labels = labels  # `site=lab`, one for each value
        self.login = address  # what the scenario has: where SSH goes
        self.address = address  # where others reach it, once it is up
        self.transport = transport
        self.state = AgentState.WAITING
        self.message = ""
        self.hint = ""
        self.home = ""
        self.host = ""
        self.python = ""
        self.pid = 0
        self.version = 0
        self.running = 0
        self.failed = 0  # how many of its instances stand failed
        self.current: InstanceRow | None = None  # the latest that it started
        self.instances: list[InstanceRow] = []  # all that it has a part in, in the order in which they became known
        self.cells: dict[RowKey, Tally] = {}  # by the key of a stage

    @property
    def label(self) -> str:
        """What to call it in a list."""
        return self.name

    def cell_state(self, stage: Group) -> State | None:
        """What to show where agent and stage meet; None when the agent has no part in the stage."""
        tally = self.cells.get(stage.key)
        if tally is None or not any(tally):
            if stage.started_s is None:
                return State.PENDING
            if self.name not in stage.agents:
                return None
            return stage.final if stage.final in (State.SKIPPED, State.CANCELLED) else State.PENDING
        loud = loudest(tally)
        return quietest(tally) if loud is None else loud
