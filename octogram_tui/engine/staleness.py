"""Which of what ended well would run differently now: its text was edited, or what it read was set by hand.

An instance is weighed by expanding it twice: its text of then with the values of then, and the text of now with the
values of now. So a name that it only might have read makes nothing stale, nor does another agent's entry of a map, nor
a value that was set back. What jobs do to variables in their course is how the run goes, and makes nothing stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from octogram_tui.engine import results
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import JobFresh, JobStale
from octogram_tui.engine.fleet import Fleet
from octogram_tui.engine.instances import WENT_BACK, Instances
from octogram_tui.engine.readings import Reading, Readings, StageReading, after_texts
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Grown
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.condition import decide
from octogram_tui.template.items import Items, expand_items
from octogram_tui.template.scope import make_scope

MOST_EXPANDED = 20_000
"""How many instances one change is weighed for by expanding them: beyond that, what reads the variable is stale."""
NAMED_AT_ONCE = 500
"""How many instances one event names."""


class Found(NamedTuple):
    """What a change means: what is stale now of what it concerns, what is stale no more, which failures it concerns.

    stale: why, by instance, as far as that is news; total: how many there are of what it concerns.
    """

    stale: dict[InstanceId, str]
    total: int
    fresh: list[InstanceId]
    failed: list[InstanceId]


class Staleness:
    """Weighs what ran, and tells."""

    def __init__(self, core: Core, instances: Instances, readings: Readings, fleet: Fleet) -> None:
        self._core = core
        self._instances = instances
        self._readings = readings
        self._fleet = fleet
        self._table = _Table(core.scenario)

    def _weighing(self, changed: str | None, core: Core) -> _Weighing:
        if self._table.scenario is not core.scenario:
            self._table = _Table(core.scenario)
        return _Weighing(core, self._readings, self._fleet, changed, self._table)

    def look(self, changed: str | None, core: Core | None = None) -> Found:
        """Weigh what reads a variable that was changed by hand; None: everything, after an edit.

        core: the ground as it would be, if it is not yet.
        """
        weighing = self._weighing(changed, core or self._core)
        known = self._instances.stale
        stale: dict[InstanceId, str] = {}
        fresh: list[InstanceId] = []
        failed: list[InstanceId] = []
        total = 0
        for id_, reading in self._instances.readings.items():
            if not weighing.concerns(id_, reading):
                continue
            live = self._instances.find(id_)
            if live is None:
                reason = WENT_BACK if known.get(id_) == WENT_BACK else weighing.reason(id_, reading)
                total += bool(reason)
                if reason and known.get(id_) != reason:
                    stale[id_] = reason
                elif not reason and id_ in known:
                    fresh.append(id_)
            elif live.state == "undecided" and weighing.reason(id_, reading):  # what is under way: when it has ended
                failed.append(id_)
        return Found(stale, total, fresh, failed)

    def tell(self, found: Found) -> None:
        """State what a change means."""
        known = self._instances.stale
        groups: dict[tuple[str, str, str], list[str]] = {}
        for id_, reason in found.stale.items():
            known[id_] = reason
            groups.setdefault((id_.stage, id_.job, reason), []).append(str(id_))
        for (stage, job, reason), names in groups.items():
            for part in _parts(names):
                self._core.emit(JobStale(stage=stage, job=job, reason=reason, instances=part))
        again: dict[tuple[str, str], list[str]] = {}
        for id_ in found.fresh:
            del known[id_]
            again.setdefault((id_.stage, id_.job), []).append(str(id_))
        for (stage, job), names in again.items():
            for part in _parts(names):
                self._core.emit(JobFresh(stage=stage, job=job, instances=part))

    def ended(self, id_: InstanceId) -> None:
        """An instance ended, and something was changed while it ran."""
        self.as_before(id_, "")

    def as_before(self, id_: InstanceId, was: str) -> None:
        """An instance is done, or was held and never began; was: why it was stale before that."""
        reading = self._instances.readings.get(id_)
        if reading is None:
            return
        if was:
            self._instances.stale[id_] = was
        reason = was
        if was != WENT_BACK:
            reason = self._weighing(None, self._core).reason(id_, reading)
        if reason != was:
            self.tell(Found({id_: reason}, 1, [], []) if reason else Found({}, 0, [id_], []))


def _parts(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + NAMED_AT_ONCE] for start in range(0, len(names), NAMED_AT_ONCE))


class _Table:
    """What a scenario has, by name."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.stages: dict[str, StageSpec] = {stage.key: stage for stage in scenario.stages}
        self.jobs: dict[tuple[str, str], JobSpec] = {
            (stage.key, job.key): job for stage in scenario.stages for job in stage.jobs
        }


class _Weighing:
    """One look at many instances, which remembers what they have in common."""

    def __init__(self, core: Core, readings: Readings, fleet: Fleet, changed: str | None, table: _Table) -> None:
        self._core = core
        self._readings = readings
        self._fleet = fleet
        self._changed = changed
        self._labels = fleet.labels
        self._stages, self._jobs = table.stages, table.jobs
        self._moved: dict[int, frozenset[str]] = {}
        self._now: dict[int, dict[str, Value]] = {}
        self._chosen: dict[str, dict[str, list[str]] | str | None] = {}
        self._items: dict[tuple[int, int, str], Items | None] = {}
        self._expanded = 0

    def concerns(self, id_: InstanceId, reading: Reading) -> bool:
        """Whether a change may matter to what reads this."""
        if self._changed is None or self._changed in reading.values:
            return True
        stage = self._readings.stages.get(id_.stage)
        return stage is not None and self._changed in stage.values

    def reason(self, id_: InstanceId, reading: Reading) -> str:
        """Say why an instance would run differently now; empty when it would not, or is in the scenario no more."""
        stage, spec = self._stages.get(id_.stage), self._jobs.get((id_.stage, id_.job))
        if stage is None or spec is None:
            return ""
        choice = self._choice(stage)
        if isinstance(choice, str):
            return choice
        if choice is not None and id_.agent not in choice:
            return "its stage chooses other agents now"
        if choice is not None and reading.captures is not None and choice[id_.agent] != reading.captures:
            return "its stage chooses its agent otherwise now"
        is_edited = spec is not reading.spec and spec.digest != reading.spec.digest
        moved = self._moved_of(reading)
        if not is_edited and not moved:
            return ""
        why = "its text was edited" if is_edited else f"variable {min(moved)} was changed"
        return why if self._is_other(id_, reading, spec, moved) else ""

    def _is_other(self, id_: InstanceId, reading: Reading, spec: JobSpec, moved: frozenset[str]) -> bool:
        """Whether an instance would do something else, as far as expanding it can tell."""
        if moved & _read_at_end(reading) or after_texts(spec) != after_texts(reading.spec):
            return True
        self._expanded += 1
        if self._expanded > MOST_EXPANDED or (id_.item is None) != (spec.items is None):
            return True
        now = self._now_of(reading)
        item = None
        if id_.item is not None:
            items = self._items_of(id_, reading, spec, now)
            there = {} if items is None else items.by_text(id_.item)
            if id_.item not in there:
                return True
            item = there[id_.item]
        then = self._scope(id_, reading, {n: value for n, value in reading.values.items() if value is not ABSENT}, item)
        would_be = _outcome(spec, self._scope(id_, reading, now, item))
        if would_be == _outcome(reading.spec, then):
            return False
        # What the operator gave it may have been written into the file since.
        return not reading.given or would_be != _outcome(reading.spec, then, reading.given)

    def _scope(
        self, id_: InstanceId, reading: Reading, variables: Mapping[str, Value], item: Value = None
    ) -> dict[str, Value]:
        return make_scope(
            variables,
            agent=id_.agent,
            address=self._fleet.addresses.get(id_.agent, ""),
            labels=self._labels.get(id_.agent, {}),
            captures=self._captures(id_, reading),
            item=item,
        )

    def _captures(self, id_: InstanceId, reading: Reading) -> list[str]:
        """Give what an agent was chosen by: as it was read, or as it is now where only an edited text names it."""
        if reading.captures is not None or not self._readings.names_of(self._jobs[id_.stage, id_.job]).has_captures:
            return reading.captures or []
        try:
            return choose_agents(self._stages[id_.stage], make_scope(self._core.variables), self._labels)[id_.agent]
        except (TemplateError, KeyError):
            return []

    def _moved_of(self, reading: Reading) -> frozenset[str]:
        """Give the variables with other values than those that were read: by hand, and not in the run's course."""
        moved = self._moved.get(id(reading))
        if moved is None:
            moved = self._moved[id(reading)] = _moved(self._core, reading)
        return moved

    def _now_of(self, reading: Reading) -> dict[str, Value]:
        """Give the variables as they would be, had the run's course changed none since they were read."""
        now = self._now.get(id(reading))
        if now is None:
            moved = self._moved_of(reading)
            kept = {name: value for name, value in reading.values.items() if name not in moved}
            both = {**self._core.variables, **kept}
            now = self._now[id(reading)] = {name: value for name, value in both.items() if value is not ABSENT}
        return now

    def _items_of(self, id_: InstanceId, reading: Reading, spec: JobSpec, now: Mapping[str, Value]) -> Items | None:
        """Give the items that a job has now; None when that cannot be told."""
        key = id(spec), id(reading), id_.agent
        if key not in self._items:
            found = None
            if spec.items is not None:
                try:
                    found = expand_items(spec.items, self._scope(id_, reading, now))
                    if len(found) > MOST_EXPANDED:
                        found = None
                except TemplateError:
                    pass
            self._items[key] = found
        return self._items[key]

    def _choice(self, stage: StageSpec) -> dict[str, list[str]] | str | None:
        """Give the agents that a stage has now, or why it has none; None where nothing of that has changed."""
        if stage.key not in self._chosen:
            self._chosen[stage.key] = self._choose(stage)
        return self._chosen[stage.key]

    def _choose(self, stage: StageSpec) -> dict[str, list[str]] | str | None:
        reading = self._readings.stages.get(stage.key)
        if reading is None or (reading.is_of(stage) and not _moved(self._core, reading)):
            return None
        scope = make_scope(self._core.variables)
        try:
            if stage.when is not None and not decide(stage.when.source, scope):
                return "the `when` of its stage does not hold now"
            return choose_agents(stage, scope, self._labels)
        except TemplateError:
            return "its stage cannot choose its agents now"


def _read_at_end(reading: Reading) -> frozenset[str]:
    """Give the variables that were read, or may have been, when an attempt had ended: what they gave is not known."""
    names = reading.names
    return frozenset(reading.values) - names.before if names.is_computed_after else names.after


def _moved(core: Core, reading: Reading | StageReading) -> frozenset[str]:
    values = reading.values.items()
    return frozenset(name for name, value in values if _is_moved(core, reading.epoch_of(name), name, value))


def _is_moved(core: Core, read_epoch: int, name: str, value: object) -> bool:
    epoch, by_course = core.by_course.get(name, (-1, ABSENT))
    expected = by_course if epoch >= read_epoch else value
    if expected is core.variables.held(name):
        return False
    if isinstance(expected, Grown):
        expected = expected.value()
    now = core.variables.get(name, ABSENT)
    return expected is not now and repr(expected) != repr(now)  # 1, 1.0 and true are equal, and not the same


def _outcome(spec: JobSpec, scope: dict[str, Value], given: Mapping[str, Value] | None = None) -> str:
    """Give what an attempt does, as a text to compare: what it is told, that it is passed over, or that it fails."""
    try:
        if spec.when is not None and not decide(spec.when.source, scope):
            return "passed over"
        template = spec.arguments.replaced(given) if given else spec.arguments
        arguments = template.expand(scope, lambda kind, uri: {"shown": uri})
        held = ""
        if spec.where == "assertion":
            failure = results.assertion_failure(arguments, scope)
            held = "" if failure is None else failure.message
        elif spec.where == "expression":
            held = str(decide(str(arguments["expression"]), scope, is_null_false=True))
    except TemplateError:
        return "fails"
    return repr((spec.procedure, spec.where, arguments, held))
