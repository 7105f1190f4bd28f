"""Attempts that wait until an expression holds: no agent has them, and each has a time after which it was in vain.

A variable that is set is looked at by those only that wait for it; of those that wait for the same, it is asked once.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping

from octogram_tui.engine import results
from octogram_tui.engine.core import Core
from octogram_tui.engine.effects import ArmTimer, DisarmTimer
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.readings import Noting
from octogram_tui.engine.timers import WaitOver
from octogram_tui.errors import TemplateError
from octogram_tui.model.failure import TIMEOUT, Failure
from octogram_tui.model.values import Value
from octogram_tui.model.variables import Absent, Variables
from octogram_tui.template.analysis import uses

WAIT_S = 60.0  # how long a wait for an expression may take that does not say so itself
_OF_ALL = frozenset(("vars",))


class _Looked(Noting):
    """The variables, as they are looked through: is_all says that more than single ones were asked for."""

    __slots__ = ("is_all",)

    def __init__(self, values: Mapping[str, Value], noted: dict[str, Value | Absent]) -> None:
        super().__init__(values, noted)
        self.is_all = False

    def __iter__(self) -> Iterator[str]:
        self.is_all = True
        return super().__iter__()

    def __len__(self) -> int:
        self.is_all = True
        return super().__len__()


class _Wait:
    """What some wait for: an expression, or, where it computes names of variables, that of one instance.

    reads: the variables that it has read; None: it goes through all. instances: with their numbers in the order in
    which they came. is_of_all: it is the same for every instance.
    """

    __slots__ = ("instances", "is_computed", "is_of_all", "reads")

    def __init__(self, expression: str) -> None:
        found = uses(expression, expression=True)
        self.is_computed = found.is_computed or bool(found.problem)
        self.reads: Iterable[str] | None = sorted(found.variables)
        self.is_of_all = found.names <= _OF_ALL and not self.is_computed
        self.instances: dict[Instance, int] = {}


class Watching:
    """Lets waits begin and end, and says what has come of them."""

    def __init__(self, core: Core, instances: Instances) -> None:
        self._core = core
        self._instances = instances
        self._shared: dict[str, _Wait] = {}  # by expression
        self._wait_of: dict[Instance, _Wait] = {}
        self._readers: dict[str, dict[_Wait, None]] = {}  # by variable
        self._others: dict[_Wait, None] = {}  # that go through all variables
        self._count = 0
        self._due: list[tuple[int, Instance]] = []  # a heap: those that came first are looked at first
        self._asked: tuple[Variables, dict[_Wait, bool | Failure]] = core.variables, {}

    def begin(self, instance: Instance, arguments: Mapping[str, Value]) -> None:
        """Let an attempt wait."""
        expression = instance.expression = str(arguments["expression"])
        self._instances.move(instance, "watching")
        given = arguments.get("timeout")
        limits_s = [float(given) if isinstance(given, int | float) else WAIT_S]
        if instance.job_run.spec.timeout_s is not None:
            limits_s.append(instance.job_run.spec.timeout_s)
        self._core.order(ArmTimer(WaitOver(instance.attempt_id), min(limits_s)))
        wait = self._shared.get(expression)
        if wait is None:
            wait = _Wait(expression)
            if not wait.is_computed:
                self._shared[expression] = wait
            self._note(wait)
        self._count += 1
        wait.instances[instance] = self._count
        self._wait_of[instance] = wait
        heapq.heappush(self._due, (self._count, instance))

    def _readers_of(self, wait: _Wait) -> list[dict[_Wait, None]]:
        if wait.reads is None:
            return [self._others]
        return [self._readers.setdefault(name, {}) for name in wait.reads]

    def _note(self, wait: _Wait) -> None:
        for readers in self._readers_of(wait):
            readers[wait] = None

    def _forget(self, wait: _Wait) -> None:
        for readers in self._readers_of(wait):
            readers.pop(wait, None)

    def look(self) -> None:
        """See whose expression may hold now: it is due for a look."""
        touched, self._core.touched = self._core.touched, set()
        if not self._wait_of or not touched:
            return
        waits = dict(self._others)
        for name in sorted(touched & self._readers.keys()):
            waits.update(self._readers[name])
        for wait in waits:
            if not wait.is_of_all or self._asked_once(wait, next(iter(wait.instances))) is not False:
                for instance, number in wait.instances.items():
                    heapq.heappush(self._due, (number, instance))

    def next_due(self) -> Instance | None:
        """Give one that is due for a look: the one that has waited for the longest time."""
        while self._due:
            _, instance = heapq.heappop(self._due)
            if instance.state == "watching":  # the end of another one may have ended it
                return instance
        return None

    def holds(self, instance: Instance) -> bool | Failure:
        """Say whether its expression holds now, or why that cannot be said."""
        wait = self._wait_of[instance]
        return self._asked_once(wait, instance) if wait.is_of_all else self._ask(wait, instance)

    def _asked_once(self, wait: _Wait, instance: Instance) -> bool | Failure:
        variables, answers = self._asked
        if variables is not self._core.variables:
            answers = {}
            self._asked = self._core.variables, answers
        if wait not in answers:
            answers[wait] = self._ask(wait, instance)
        return answers[wait]

    def _ask(self, wait: _Wait, instance: Instance) -> bool | Failure:
        variables = self._core.variables
        if not wait.is_computed:
            return self._answer(instance, variables)
        read: dict[str, Value | Absent] = {}
        looked = _Looked(variables, read)
        answer = self._answer(instance, looked)
        self._forget(wait)  # what it has not read cannot make another of it
        wait.reads = None if looked.is_all else list(read)
        self._note(wait)
        return answer

    def _answer(self, instance: Instance, variables: Mapping[str, Value]) -> bool | Failure:
        try:
            return results.holds(instance, variables)
        except TemplateError as error:
            return results.template_failure(error, "expression")

    def reads(self, instance: Instance) -> frozenset[str]:
        """Give the variables that its expression has read."""
        wait, reading = self._wait_of[instance], instance.reading
        if wait.reads is not None:
            return frozenset(wait.reads)
        return frozenset() if reading is None else frozenset(reading.values)

    def in_vain(self, instance: Instance) -> Failure:
        """Say that it has waited long enough."""
        spent_s = self._core.at_s - instance.started_s
        return Failure(TIMEOUT, f"the expression did not become true within {spent_s:.3g} s")

    def end(self, instance: Instance) -> float:
        """Let it wait no longer. Gives how long it took."""
        self._core.order(DisarmTimer(WaitOver(instance.attempt_id)))
        wait = self._wait_of.pop(instance)
        del wait.instances[instance]
        if not wait.instances:
            self._shared.pop(instance.expression, None)
            self._forget(wait)
        return self._core.at_s - instance.started_s
