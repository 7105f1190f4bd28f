"""The one table of what is not done: every instance with its state, by name and by state. Changes only in `move`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict

from octogram_tui.engine.kept_readings import KeptReadings
from octogram_tui.engine.line import Line, Standing
from octogram_tui.engine.schedule import JobRun, StageRun
from octogram_tui.engine.states import AT_GATE, BEGUN, IN_FLIGHT, INSTANCE_MOVES, InstanceState
from octogram_tui.errors import EngineBug
from octogram_tui.model.failure import NO_REASON, Failure
from octogram_tui.model.ids import AttemptId, InstanceId
from octogram_tui.model.values import Value

if TYPE_CHECKING:
    from octogram_tui.engine.ahead import Ahead
    from octogram_tui.engine.readings import Reading

_COUNTS = {
    old: {
        new: (
            (new in BEGUN) - (old in BEGUN),
            (new in IN_FLIGHT) - (old in IN_FLIGHT),
            old in AT_GATE or new in AT_GATE,
        )
        for new in moves
    }
    for old, moves in INSTANCE_MOVES.items()
}
"""What each allowed move adds to the counts of instances that are begun, and that are in flight; and whether it is one
to or from the gate."""


NONE: frozenset[int] = frozenset()


WENT_BACK = "the run went back before it"
"""Why what has run is stale that runs again when its turn comes, whatever it reads."""


class AttemptPlace(TypedDict):
    """What every event about an attempt carries."""

    instance: InstanceId
    attempt: int
    item: Value


class Instance:
    """One job on one agent for one item, from the moment it may run until it is done."""

    __slots__ = (
        "ahead",
        "attempt",
        "cancel_reason",
        "ended_before",
        "expression",
        "id",
        "item",
        "job_run",
        "last_failure",
        "last_result",
        "passed",
        "reading",
        "retries_left",
        "standing",
        "started_s",
        "state",
        "why",
    )

    def __init__(self, id_: InstanceId, job_run: JobRun, item: Value) -> None:
        self.id = id_
        self.job_run = job_run
        self.item = item
        self.attempt = 0  # the number of the latest, 0 before the first
        self.ahead: Ahead | None = None  # what its agent was given to begin after it
        self.retries_left = job_run.spec.retries
        self.state: InstanceState = "planned"
        self.started_s = 0.0
        self.reading: Reading | None = None  # what its latest attempt reads; None before the first
        self.why = "rerun" if job_run.lane.stage_run.is_rerun else "first"
        self.cancel_reason = ""  # why its agent was told to end the attempt; empty when it was not
        self.expression = ""  # what it watches
        self.standing: Standing | None = None  # what the gate knows of it; None as long as nothing ever held it
        # Of what it retries, or waits for the operator with: the failure, after how long it was, and what it gave.
        self.last_failure: tuple[Failure, float] = (NO_REASON, 0.0)
        self.last_result: Value = None
        self.ended_before = ""  # how it ended the last time, where it runs again
        self.passed: frozenset[int] = NONE  # breakpoints that its next attempt has met already

    @property
    def attempt_id(self) -> AttemptId:
        """The name of its latest attempt."""
        return AttemptId(self.id, self.attempt)

    @property
    def stand(self) -> Standing:
        """What the gate knows of it."""
        if self.standing is None:
            self.standing = Standing()
        return self.standing

    @property
    def place(self) -> AttemptPlace:
        """What every event about this instance carries."""
        return {"instance": self.id, "attempt": self.attempt, "item": self.item}


class Instances:
    """All that is held, under way or undecided, each in the order in which it came to its state."""

    def __init__(self) -> None:
        self._all: dict[InstanceId, Instance] = {}
        # The first failure is asked for at each turn: see line.py for what a dictionary makes of that.
        self._in: dict[InstanceState, dict[Instance, None]] = {
            state: OrderedDict() if state == "undecided" else {}
            for state in INSTANCE_MOVES
            if state not in ("planned", "done")
        }
        self.line = Line()  # what stands at the gate
        self.readings = KeptReadings()  # of the latest attempt of all that ran, or that `when` passed over
        self.stale: dict[InstanceId, str] = {}  # why what ended well would run differently now
        self.given: dict[InstanceId, Mapping[str, Value]] = {}  # arguments by hand, for the next attempt of each
        self.badly: dict[InstanceId, str] = {}  # how those ended last that did not end well
        self.attempts: dict[InstanceId, int] = {}  # how often each has run; those that ran once are in `readings` only

    def move(self, instance: Instance, state: InstanceState) -> None:
        """Change a state, and every index and count with it. Raises EngineBug for a move that the table lacks."""
        old = instance.state
        change = _COUNTS[old].get(state)
        if change is None:
            raise EngineBug(f"{instance.id}: no move from {old} to {state}", [])
        if old != "planned":
            del self._in[old][instance]
        elif state != "done":
            if self._all.setdefault(instance.id, instance) is not instance:
                raise EngineBug(f"{instance.id} is there twice", [])
            if self.stale and (was_stale := self.stale.pop(instance.id, "")):
                if was_stale == WENT_BACK and instance.why == "first":
                    instance.why = "back"
                if state == "held":
                    instance.stand.was_stale = was_stale
            instance.ended_before = self._ended(instance.id)
        if state != "done":
            self._in[state][instance] = None
        elif old != "planned":
            del self._all[instance.id]
        instance.state = state
        job_run = instance.job_run
        job_run.begun += change[0]
        job_run.lane.stage_run.in_flight += change[1]
        if change[2]:
            if old in AT_GATE:
                self.line.leave(instance)
            if state in AT_GATE:
                self.line.join(instance)

    def begin_attempt(self, instance: Instance, at_s: float) -> None:
        """Let the next attempt of an instance be under way."""
        self.move(instance, "running")
        id_ = instance.id
        is_first = instance.reading is not None and self.readings.keep(id_, instance.reading)
        if not is_first or id_ in self.attempts:  # it has run before
            instance.attempt = self.attempts[id_] = self.attempts_of(id_) + 1
        else:
            instance.attempt = 1
        instance.started_s = at_s
        instance.cancel_reason = ""
        instance.passed = NONE
        if instance.standing is not None:
            instance.standing.is_let = False

    def attempts_of(self, id_: InstanceId) -> int:
        """Say how often an instance has run."""
        return self.attempts.get(id_, 1 if id_ in self.readings else 0)

    def note_end(self, instance: Instance, counted_as: str) -> str:
        """Keep how an instance has ended; gives how it had the last time, empty when it had not."""
        id_ = instance.id
        before = self._ended(id_) if instance.state == "planned" else instance.ended_before
        if counted_as != "ok":
            self.badly[id_] = counted_as
        elif self.badly:
            self.badly.pop(id_, None)
        return before

    def _ended(self, id_: InstanceId) -> str:
        return self.badly.get(id_) or ("ok" if self.attempts_of(id_) else "")

    def note_passed_over(self, instance: Instance) -> None:
        """An instance does not run for what its `when` read."""
        self.attempts.setdefault(instance.id, self.attempts_of(instance.id))
        if instance.reading is not None:
            self.readings[instance.id] = instance.reading

    def forget_reading(self, id_: InstanceId) -> None:
        """What an instance read matters no more: it did not end well, or the operator ended it."""
        if id_ in self.readings:
            self.attempts[id_] = self.attempts_of(id_)
            del self.readings[id_]
        self.stale.pop(id_, None)

    def find(self, id_: InstanceId, *states: InstanceState) -> Instance | None:
        """Give the instance of a name, if it is in one of the states; in any when none is named."""
        instance = self._all.get(id_)
        return instance if instance is not None and (not states or instance.state in states) else None

    def running(self, attempt: AttemptId) -> Instance | None:
        """Give the instance whose attempt this is, while an agent has it."""
        instance = self._all.get(attempt.instance)
        is_it = instance is not None and instance.state == "running" and instance.attempt == attempt.number
        return instance if is_it else None

    def everything(self) -> list[Instance]:
        """Give all of them."""
        return list(self._all.values())

    def in_state(self, *states: InstanceState) -> Iterator[Instance]:
        """Go through those in some states; the table must not change meanwhile."""
        for state in states:
            yield from self._in[state]

    def count(self, *states: InstanceState) -> int:
        """Say how many are in some states."""
        return sum(len(self._in[state]) for state in states)

    def first(self, state: InstanceState) -> Instance | None:
        """Give the one that has been in a state for the longest time."""
        return next(iter(self._in[state]), None)

    def of_stage(self, stage_run: StageRun) -> list[Instance]:
        """Give those of one pass through a stage."""
        return [i for i in self._all.values() if i.job_run.lane.stage_run is stage_run]

    def on_agent(self, agent: str, *states: InstanceState) -> list[Instance]:
        """Give those on one agent that are in one of the states."""
        return [i for i in self.in_state(*states) if i.id.agent == agent]
