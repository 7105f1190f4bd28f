"""The table of breakpoints: set, changed, switched and removed by number, each with an event that tells of it."""

from __future__ import annotations

from dataclasses import fields, replace

from octogram_tui.engine.breakpoint_check import matches_nothing, problem_of, tidied
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import BreakpointRemoved, BreakpointSet, WarningGiven
from octogram_tui.model.breakpoint import WHEN, Breakpoint, When
from octogram_tui.model.pattern import Pattern
from octogram_tui.model.scenario import Scenario

BY_RUN = "run"
"""Who sets the breakpoint that `on_failure` is."""

BY_KEPT = "file"
"""Who sets those that earlier runs of the scenario left."""

HOLD_FAILURES = Breakpoint(pattern="*", when="failed")
"""What `on_failure: pause` is."""

MOST = 1000


class Entry:
    """A breakpoint of the table."""

    __slots__ = ("breakpoint", "by", "count", "number", "pattern")

    def __init__(self, number: int, breakpoint_: Breakpoint, by: str) -> None:
        self.number = number
        self.breakpoint = breakpoint_
        self.pattern = Pattern.parse(breakpoint_.pattern)
        self.by = by
        self.count = 0  # how often it was met: its condition held


class BreakpointTable:
    """All of them, by number, and by the point they are for.

    is_armed  whether any is on
    lets_on_well  whether none is on that could stop a lane before an attempt, or after one that ended well
    is_idle   whether none is on that could stop an attempt before it begins
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._all: dict[int, Entry] = {}
        self._at: dict[When, tuple[Entry, ...]] = dict.fromkeys(WHEN, ())
        self._last = 0
        self._is_over = False
        self.is_armed = False
        self.is_idle = True
        self.lets_on_well = True

    def begin(self) -> None:
        """Set what the run begins with: the one of `on_failure` first."""
        options = self._core.options
        if options.on_failure == "pause":
            self.add(HOLD_FAILURES, BY_RUN)
        for breakpoint_, by in options.breakpoints:
            problem = problem_of(breakpoint_)
            if self.is_full:  # a file of somebody's making; each new one is held against all
                self._core.emit(WarningGiven(message=f"only the first {MOST} breakpoints are set: there are too many"))
                break
            if problem:
                self._core.emit(WarningGiven(message=f"breakpoint {breakpoint_.pattern!r} is not set: {problem}"))
            else:
                number = self.add(breakpoint_, by)
                if by != BY_KEPT:  # what is kept outlives rows, and the list says so
                    self.warn_of_nothing(number)

    def hold_failures(self, *, is_on: bool) -> None:
        """Have failures held, or not, whatever the run began with."""
        own = [entry.number for entry in self._all.values() if entry.by == BY_RUN]
        if is_on:
            self.add(HOLD_FAILURES, BY_RUN)
        for number in own if not is_on else ():
            self.remove(number)

    def follow(self, former: Scenario) -> None:
        """An edited scenario is in force: say which ones it leaves with nothing."""
        for entry in self._all.values():
            if entry.breakpoint.is_on and not matches_nothing(entry.breakpoint, former):
                self.warn_of_nothing(entry.number, former)

    def warn_of_nothing(self, number: int, former: Scenario | None = None) -> None:
        """Say so when one matches nothing now: it stays, since an edit may bring what it is for."""
        why = matches_nothing(self._all[number].breakpoint, self._core.scenario, former)
        if why:
            self._core.emit(WarningGiven(message=f"breakpoint {number} matches nothing now: {why}"))

    def end(self) -> None:
        """The run is being ended: nothing stops any more."""
        self._is_over = True
        self._sort()

    # -- the table ------------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Give all of them, in the order of their numbers."""
        return list(self._all.values())

    def add(self, breakpoint_: Breakpoint, by: str = "operator") -> int:
        """Set one that has no problem (breakpoint_check.py); one that is there already stays. Gives its number."""
        breakpoint_ = tidied(breakpoint_)
        same = self.like(breakpoint_)
        if same is not None:
            return self._put(same, breakpoint_, same.by)
        self._last += 1
        return self._put(Entry(self._last, breakpoint_, by), breakpoint_, by)

    def like(self, breakpoint_: Breakpoint) -> Entry | None:
        """Give the one that is the same, be it on or off."""
        wanted = tidied(breakpoint_)
        alike = (e for e in self._all.values() if e.breakpoint.pattern == wanted.pattern)  # there may be a thousand
        return next((e for e in alike if replace(e.breakpoint, is_on=wanted.is_on) == wanted), None)

    def change(self, number: int, breakpoint_: Breakpoint, by: str = "operator") -> bool:
        """Make another one of it. False when there is none of this number."""
        old = self._all.get(number)
        if old is None:
            return False
        breakpoint_, by = tidied(breakpoint_), BY_RUN if old.by == BY_RUN else by
        entry = Entry(number, breakpoint_, by)
        entry.count = old.count if breakpoint_.counted == old.breakpoint.counted else 0
        self._put(entry, breakpoint_, by)
        return True

    def switch(self, number: int, *, is_on: bool) -> bool:
        """Switch one, or with 0 all of them but the run's own. False when there is none."""
        chosen = self._chosen(number)
        for entry in chosen:
            if entry.breakpoint.is_on != is_on:
                self._put(entry, replace(entry.breakpoint, is_on=is_on), entry.by)
        return bool(chosen)

    def remove(self, number: int, reason: str = "operator") -> bool:
        """Take one away, or with 0 all of them but the run's own. False when there is none."""
        chosen = self._chosen(number)
        for entry in chosen:
            del self._all[entry.number]
            self._core.emit(BreakpointRemoved(number=entry.number, reason=reason))
        self._sort()
        return bool(chosen)

    def __contains__(self, number: int) -> bool:
        return number in self._all

    @property
    def is_full(self) -> bool:
        """Whether there are as many as there may be."""
        return len(self._all) >= MOST

    def _chosen(self, number: int) -> list[Entry]:
        if number:
            return [entry for entry in (self._all.get(number),) if entry is not None]
        return [entry for entry in self._all.values() if entry.by != BY_RUN]  # failures hold until that is asked for

    def _put(self, entry: Entry, breakpoint_: Breakpoint, by: str) -> int:
        entry.breakpoint, entry.by = breakpoint_, by
        self._all[entry.number] = entry
        self._sort()
        given = {f.name: getattr(breakpoint_, f.name) for f in fields(breakpoint_) if f.name != "is_on"}
        self._core.emit(BreakpointSet(number=entry.number, is_off=not breakpoint_.is_on, by=by, **given))
        return entry.number

    def _sort(self) -> None:
        on = [entry for entry in self._all.values() if entry.breakpoint.is_on and not self._is_over]
        self._at = {when: tuple(entry for entry in on if entry.breakpoint.when == when) for when in WHEN}
        self.is_armed = bool(on)
        self.is_idle = not self._at["before"]
        self.lets_on_well = not (self._at["before"] or self._at["after"])
