"""What the parts of the engine share: the scenario in force, the variables, and where events and effects go."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from octogram_tui.engine.effects import Effect
from octogram_tui.engine.events import EntryRegistered, Event, VariableChanged
from octogram_tui.engine.kept_results import KeptResults
from octogram_tui.engine.options import RunOptions
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Grown, Variables
from octogram_tui.template.bound import Turn

BY_HAND = ("operator", "scenario")
"""Who sets variables from outside of the course of the run."""


if TYPE_CHECKING:
    from octogram_tui.engine.results import Update


class Core:
    """The ground that the parts of the engine stand on. One per engine."""

    def __init__(self, scenario: Scenario, options: RunOptions) -> None:
        self.scenario = scenario
        self.options = options
        self.variables = Variables(scenario.variables)
        self.has_refused_edit = False  # the scenario's text was not what runs when it was read last
        self.epoch = 0  # how often a variable was set by hand
        self.by_course: dict[
            str, tuple[int, Value | Grown | object]
        ] = {}  # by name: in which epoch a job set it last, and to what
        self.results = KeptResults()
        self.at_s = 0.0
        self._paused_before_s = 0.0
        self.touched: set[str] = set()  # variables that were set since somebody who waits for some has looked
        self._still_since_s: float | None = None  # since when nothing goes on until somebody acts
        self.cause = ""
        self.seq = 0
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.turn = Turn()  # the feeding under way, or the last one

    @property
    def paused_s(self) -> float:
        """How long nothing was in flight, and nothing could begin until somebody acted."""
        if self._still_since_s is None:
            return self._paused_before_s
        return self._paused_before_s + (self.at_s - self._still_since_s)

    @property
    def stands_still(self) -> bool:
        """Whether that is so now."""
        return self._still_since_s is not None

    @stands_still.setter
    def stands_still(self, is_so: bool) -> None:
        # Added up when that changes only: a sum of floats is another one when it is cut otherwise.
        if is_so != self.stands_still:
            self._paused_before_s = self.paused_s
            self._still_since_s = self.at_s if is_so else None

    def apart(self) -> Core:
        """Give ground on which a change can be tried: nothing of it is seen from here."""
        other = copy.copy(self)
        other.events, other.effects, other.touched = [], [], set()
        return other

    def emit(self, event: Event) -> None:
        """State a fact: it gets its number and its time here."""
        self.seq += 1
        event.seq = self.seq
        event.at_s = self.at_s
        event.cause = self.cause
        self.events.append(event)

    def order(self, effect: Effect) -> None:
        """Order something of the driver."""
        self.effects.append(effect)

    def assign(self, name: str, value: Value | object, by: str) -> None:
        """Store a variable, and say nothing; ABSENT removes it. The mapping is replaced: a job's copy costs nothing."""
        if by in BY_HAND:
            self.epoch += 1
        else:
            self.by_course[name] = self.epoch, value
        self.touched.add(name)
        if value is ABSENT:
            self.variables = self.variables.without(name)
        else:
            self.variables = self.variables.with_value(name, value)  # type: ignore[arg-type]

    def set_variable(self, name: str, value: Value, by: str) -> None:
        """Store a variable."""
        if by in BY_HAND:
            self.epoch += 1
        else:
            self.by_course[name] = self.epoch, value
        self.touched.add(name)
        self.variables = self.variables.with_value(name, value)
        self.emit(VariableChanged(name=name, value=value, by=by))

    def follow(self, update: Update, by: str) -> None:
        """Store what an attempt's end changes."""
        name, was_there = update.name, update.name in self.variables
        self.touched.add(name)
        self.variables = update.after
        if update.is_removed and not was_there:
            return
        self.by_course[name] = self.epoch, self.variables.held(name)
        if update.entry is None:
            self.emit(VariableChanged(name=name, value=update.value, removed=update.is_removed, by=by))
        else:
            self.emit(EntryRegistered(name=name, entry=update.entry, value=update.value, by=by, size=update.size))

    def remove_variable(self, name: str, by: str) -> None:
        """Remove a variable; of an unknown one nothing is said, as in the original."""
        if name in self.variables:
            self.assign(name, ABSENT, by)
            self.emit(VariableChanged(name=name, removed=True, by=by))
