"""The table of breakpoints. It is asked at each point that a run passes, tells itself what was met, and holds nothing.

Whoever asks holds: the gate before an attempt, the machine elsewhere. Where no breakpoint is on, `is_armed`, and
`is_idle` before an attempt, is all that is ever looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Literal, NamedTuple

from octogram_tui.engine import results
from octogram_tui.engine.breakpoint_check import matches_nothing, problem_of, tidied
from octogram_tui.engine.breakpoint_words import changed, explained, written
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import BreakpointMet, BreakpointRemoved, BreakpointSet, WarningGiven
from octogram_tui.engine.instances import Instance
from octogram_tui.errors import TemplateError
from octogram_tui.model.breakpoint import WHEN, Breakpoint, When, is_reached
from octogram_tui.model.failure import AGENT_LOST, Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern, fits
from octogram_tui.model.scenario import Scenario
from octogram_tui.model.values import Value
from octogram_tui.template.condition import decide
from octogram_tui.template.scope import make_scope

BY_RUN = "run"
"""Who sets the breakpoint that `on_failure` is."""

BY_KEPT = "file"
"""Who sets those that earlier runs of the scenario left."""

HOLD_FAILURES = Breakpoint(pattern="*", when="failed")
"""What `on_failure: pause` is."""

MOST = 1000

Ended = Literal["ok", "failed", "retried", "skipped"]
Verdict = Literal["abort", "continue", "pause"]

_POINTS: dict[Ended, tuple[When, ...]] = {
    "ok": ("after",),
    "failed": ("failed", "after"),
    "retried": ("retried", "after"),
    "skipped": ("skipped",),
}


class Met(NamedTuple):
    """What stops something: the number of the breakpoint, and why, for people: `breakpoint 2: ...`."""

    number: int
    reason: str


class Entry:
    """A breakpoint of the table."""

    __slots__ = ("breakpoint", "by", "count", "number", "pattern")

    def __init__(self, number: int, breakpoint_: Breakpoint, by: str) -> None:
        self.number = number
        self.breakpoint = breakpoint_
        self.pattern = Pattern.parse(breakpoint_.pattern)
        self.by = by
        self.count = 0  # how often it was met: its condition held


class Breakpoints:
    """All of them, by number, and by the point they are for."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._all: dict[int, Entry] = {}
        self._at: dict[When, tuple[Entry, ...]] = dict.fromkeys(WHEN, ())
        self._last = 0
        self._is_over = False
        self._stage_passed: tuple[str, frozenset[int]] = ("", frozenset())
        self.is_armed = False  # whether any is on
        self.is_idle = True  # whether none is on that could stop an attempt before it begins

    def begin(self) -> None:
        """Set what the run begins with: the one of `on_failure` first."""
        options = self._core.options
        if options.on_failure == "pause":
            self.add(HOLD_FAILURES, BY_RUN)
        for breakpoint_, by in options.breakpoints:
            problem = problem_of(breakpoint_)
            if problem:
                self._core.emit(WarningGiven(message=f"breakpoint {breakpoint_.pattern!r} is not set: {problem}"))
            else:
                number = self.add(breakpoint_, by)
                if by != BY_KEPT:  # what is kept outlives rows, and the list says so
                    self.warn_of_nothing(number)

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
        return next((e for e in self._all.values() if replace(e.breakpoint, is_on=wanted.is_on) == wanted), None)

    def change(self, number: int, breakpoint_: Breakpoint, by: str = "operator") -> bool:
        """Make another one of it. False when there is none of this number."""
        old = self._all.get(number)
        if old is None:
            return False
        breakpoint_, by = tidied(breakpoint_), BY_RUN if old.by == BY_RUN else by
        self._put(Entry(number, breakpoint_, by), breakpoint_, by)
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

    # -- the points -----------------------------------------------------------------------------------------------

    def before(self, instance: Instance) -> Met | None:
        """An attempt is about to begin. Each breakpoint is met once by each, however often the gate is asked."""
        found: Met | None = None
        scope: dict[str, Value] | None = None
        for entry in self._at["before"]:
            if entry.number not in instance.passed and entry.pattern.matches(instance.id):
                instance.passed |= {entry.number}
                scope = scope or instance.job_run.lane.scope(instance.job_run.snapshot, instance.item)
                met = self._meet(entry, scope, instance)
                found = found or met
        return found

    def after(
        self,
        instance: Instance,
        ended: Ended,
        result: Value = None,
        failure: Failure | None = None,
        *,
        verdict: Verdict | None = None,
    ) -> Met | None:
        """An attempt ended, and its updates are applied; or an instance was passed over by its `when`.

        verdict: what the job itself says of its failure. What it tolerates is no failure; where it wants the run to
        end, the breakpoint that on_failure is has no say, and others have.
        """
        points = _POINTS["ok" if verdict == "continue" else ended]
        asked = [
            entry
            for point in points
            for entry in self._at[point]
            if entry.pattern.matches(instance.id)
            and _is_kind(entry, failure)
            and not (verdict == "abort" and entry.by == BY_RUN)
        ]
        if not asked:
            return None
        given = results.known_of(result, failure)
        lane = instance.job_run.lane
        has_result = ended != "skipped"
        scope = lane.scope(self._core.variables, instance.item, result=given, has_result=has_result)
        why = f": {failure.message}" if failure is not None else ""
        return self._meet_all(asked, scope, instance, why=why)

    def verdict(self, met: Met | None, verdict: Verdict | None) -> Verdict:
        """Say what a failure means, once breakpoints were asked: what one has met is held, all else ends the run."""
        if self._core.options.on_break == "fail" or (met is None and verdict is None):
            return "abort"
        return verdict or "abort" if met is None else "pause"

    def variable(self, name: str, instance: Instance, before: Mapping[str, Value]) -> Met | None:
        """An instance gave a variable another value; before: the variables as they were."""
        asked = [
            entry
            for entry in self._at["variable"]
            if fits(entry.breakpoint.name, name) and entry.pattern.matches(instance.id)
        ]
        if not asked:
            return None
        scope = instance.job_run.lane.scope(self._core.variables, instance.item)
        return self._meet_all(asked, scope, instance, row=name, why=changed(name, before, self._core.variables))

    def stage(self, key: str) -> Met | None:
        """A stage is about to begin. Each breakpoint is met once, however often that is tried."""
        passed = self._stage_passed[1] if self._stage_passed[0] == key else frozenset()
        asked = [e for e in self._at["stage"] if e.number not in passed and e.pattern.matches_stage(key)]
        self._stage_passed = key, passed.union(e.number for e in asked)
        return self._meet_all(asked, make_scope(self._core.variables), row=key) if asked else None

    def stage_begins(self) -> None:
        """It does: should it come again, it is met again."""
        self._stage_passed = ("", frozenset())

    def stage_failed(self, key: str, failure: Failure) -> Met | None:
        """A stage could not be begun: a failure of no row."""
        asked = [
            entry
            for entry in self._at["failed"]
            if _is_kind(entry, failure)
            and entry.pattern.matches_stage(key)
            and not (entry.pattern.is_of_job or entry.pattern.agent)
        ]
        if not asked:
            return None
        return self._meet_all(asked, make_scope(self._core.variables), row=key, why=f": {failure.message}")

    def lost(self, agent: str, labels: Mapping[str, str], message: str) -> Met | None:
        """An agent is given up: that is met as such, and as a failure of no row."""
        failure = Failure(AGENT_LOST, message)
        asked = [
            *(entry for entry in self._at["lost"] if entry.pattern.matches_agent(agent)),
            *(
                entry
                for entry in self._at["failed"]
                if _is_kind(entry, failure)
                and entry.pattern.matches_agent(agent)
                and not (entry.pattern.is_of_job or entry.pattern.stage)
            ),
        ]
        if not asked:
            return None
        scope = make_scope(self._core.variables, agent=agent, labels=labels)
        return self._meet_all(asked, scope, row=agent, why=f": {message}")

    # -- meeting --------------------------------------------------------------------------------------------------

    def _meet_all(
        self,
        asked: Iterable[Entry],
        scope: dict[str, Value],
        instance: Instance | None = None,
        *,
        row: str = "",
        why: str = "",
    ) -> Met | None:
        """Meet each of them; the first that stops it is why."""
        found: Met | None = None
        for entry in asked:
            met = self._meet(entry, scope, instance, row=row, why=why)
            found = found or met
        return found

    def _meet(
        self, entry: Entry, scope: dict[str, Value], instance: Instance | None, *, row: str = "", why: str = ""
    ) -> Met | None:
        given = entry.breakpoint
        is_known, trouble = True, ""
        if given.condition:
            try:
                if not decide(given.condition, scope):
                    return None
            except TemplateError as error:
                is_known, trouble = False, f"the condition cannot be evaluated: {error.message}"
        entry.count += 1
        if is_known and not is_reached(given.hits, entry.count):
            return None
        message = trouble or (written(given.log, scope) if given.log else explained(given, scope, why))
        is_log = bool(given.log) or self._core.options.on_break == "continue"
        id_: InstanceId | None = None if instance is None else instance.id
        self._core.emit(
            BreakpointMet(
                number=entry.number,
                message=message,
                count=entry.count,
                is_log=is_log,
                row=row,
                instance=id_,
                attempt=0 if instance is None else instance.attempt,
            )
        )
        if given.is_once:
            self.remove(entry.number, "once")
        return None if is_log else Met(entry.number, f"breakpoint {entry.number}: {message}")


def _is_kind(entry: Entry, failure: Failure | None) -> bool:
    """Whether a failure is of the kind that a breakpoint asks for."""
    return entry.breakpoint.when not in ("failed", "retried") or fits(
        entry.breakpoint.name, "" if failure is None else failure.kind
    )
