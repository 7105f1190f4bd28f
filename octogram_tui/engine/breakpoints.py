"""Which breakpoints are met: asked at each point that a run passes. Tells of what is met itself, and holds nothing.

Whoever asks holds: the gate before an attempt, the machine elsewhere. Where no breakpoint is on, `is_armed`, and
`is_idle` before an attempt, is all that is ever looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from octogram_tui.engine import results
from octogram_tui.engine.breakpoint_table import BY_RUN, BreakpointTable, Entry
from octogram_tui.engine.breakpoint_words import changed, explained, written
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import BreakpointMet
from octogram_tui.engine.instances import Instance
from octogram_tui.errors import TemplateError
from octogram_tui.model.breakpoint import When, is_reached
from octogram_tui.model.failure import AGENT_LOST, Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import fits
from octogram_tui.model.scenario import Labels
from octogram_tui.model.values import Value
from octogram_tui.template.condition import decide
from octogram_tui.template.scope import make_scope

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


class Breakpoints(BreakpointTable):
    """The table, as whoever is at a point asks it."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._stage_passed: tuple[str, frozenset[int]] = ("", frozenset())

    def before(self, instance: Instance, *, is_named: bool = False) -> Met | None:
        """An attempt is about to begin. Each breakpoint is met once by each, however often the gate is asked.

        is_named: the operator lets this very row through, and nothing stops it; texts are written all the same
        """
        found: Met | None = None
        scope: dict[str, Value] | None = None
        for entry in self._at["before"]:
            if is_named and not entry.breakpoint.log:
                continue
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

    def lost(self, agent: str, labels: Labels, message: str) -> Met | None:
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
