"""What stands at the gate, in the order in which it came: the first of all, and of one agent, is found at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from octogram_tui.engine.scope import Scope

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance

Follows = Literal["end", "delay", "attempt"]
"""What was stopped after an attempt, and follows when it is let go on: it is done; it waits for the delay before its
next attempt; or that attempt, whose delay is over."""


class Standing:
    """What the gate knows of an instance.

    order      its number in the order of what came to the gate; 0 when it does not stand there
    is_let     the operator named it: it goes, as soon as there is room for it
    is_stepped its attempt was let through alone, so that a further one is held again
    follows    of what is stopped
    counted_as how it ended, where its end follows
    was_stale  why what ran before was stale, when it came to the gate to run again
    """

    __slots__ = ("counted_as", "follows", "is_let", "is_stepped", "order", "was_stale")

    def __init__(self) -> None:
        self.order = 0
        self.is_let = False
        self.is_stepped = False
        self.follows: Follows = "end"
        self.counted_as = ""
        self.was_stale = ""


class Line:
    """The instances at the gate; `Instances.move` lets them join and leave."""

    def __init__(self) -> None:
        # Ordinary dictionaries pass over all that was taken out of their front, so that each step would cost more.
        self._all: OrderedDict[Instance, None] = OrderedDict()
        self._of: dict[str, OrderedDict[Instance, None]] = {}
        self._latest = 0

    def __len__(self) -> int:
        return len(self._all)

    def join(self, instance: Instance) -> None:
        """An instance comes to the gate: behind all that is there."""
        self._latest += 1
        instance.stand.order = self._latest
        self._all[instance] = None
        self._of.setdefault(instance.id.agent, OrderedDict())[instance] = None

    def leave(self, instance: Instance) -> None:
        """An instance stands there no more."""
        instance.stand.order = 0
        del self._all[instance]
        of_agent = self._of[instance.id.agent]
        del of_agent[instance]
        if not of_agent:
            del self._of[instance.id.agent]

    def within(self, scope: Scope) -> Iterator[Instance]:
        """Go through those of a scope, in order; the line must not change meanwhile."""
        there = self._all if scope.agent is None else self._of.get(scope.agent, ())
        return (instance for instance in there if scope.covers(instance.id))

    def has(self, agent: str) -> bool:
        """Whether an agent has something there."""
        return agent in self._of
