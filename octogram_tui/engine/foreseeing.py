"""What a change would come to, by instance, before it is made: weighed as the change itself is, on ground of its own.

stale, fresh and failed are exactly what the change will tell. new and gone are the rows that the scenario has then and
had not, and the other way round, as far as the variables of now say which there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from octogram_tui.dataclass import dataclass
from octogram_tui.engine.core import Core
from octogram_tui.engine.reload import adopt_variables
from octogram_tui.engine.staleness import Found
from octogram_tui.errors import TemplateError
from octogram_tui.model.diff import compare
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.items import expand_items
from octogram_tui.template.scope import make_scope

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine

MOST_ROWS = 20_000
"""How many rows are told apart; of more it is only said that they are not told."""


@dataclass(slots=True)
class Foreseen:
    """What would be. stale: why, of what is not stale now; still: of what is, and stays so.

    failed: what stands failed and would run differently; untold: jobs whose rows cannot be told, and why.
    changes: of a file, in words; variables: that a file would set, null where it takes one away.
    """

    stale: dict[InstanceId, str] = field(default_factory=dict)
    still: dict[InstanceId, str] = field(default_factory=dict)
    fresh: list[InstanceId] = field(default_factory=list)
    failed: list[InstanceId] = field(default_factory=list)
    new: list[InstanceId] = field(default_factory=list)
    gone: list[InstanceId] = field(default_factory=list)
    untold: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    variables: dict[str, Value] = field(default_factory=dict)

    def take(self, found: Found, known: dict[InstanceId, str]) -> None:
        """Take in what was weighed."""
        for id_, reason in found.stale.items():
            (self.still if id_ in known else self.stale)[id_] = reason
        fresh = set(found.fresh)
        self.still |= {id_: why for id_, why in known.items() if id_ not in fresh and id_ not in self.still}
        self.fresh, self.failed = found.fresh, found.failed


def foresee_set(engine: Engine, name: str, value: Value, *, is_removed: bool = False) -> Foreseen:
    """Tell what it would come to that the operator sets a variable, or takes it away."""
    core = engine.core.apart()
    core.assign(name, ABSENT if is_removed else value, "operator")
    seen = Foreseen()
    seen.take(engine.staleness.look(name, core), engine.instances.stale)
    parts = [(stage, job) for stage, job in _parts(core.scenario) if _is_computed(stage, job)]
    _compare_rows(_Rows(engine, engine.core).add(parts), _Rows(engine, core).add(parts), seen)
    return seen


def foresee_edit(engine: Engine, new: Scenario) -> Foreseen:
    """Tell what it would come to that an edited scenario is in force."""
    old, core = engine.core.scenario, engine.core.apart()
    seen = Foreseen()
    if new.digest == old.digest:
        return seen
    core.scenario = new
    before = core.variables
    adopt_variables(core, old, new)
    for name in sorted({*before, *core.variables}):
        if before.get(name, ABSENT) is not core.variables.get(name, ABSENT):
            seen.variables[name] = core.variables.get(name)
    seen.changes = compare(old, new).lines()
    seen.take(engine.staleness.look(None, core), engine.instances.stale)
    _compare_rows(_Rows(engine, engine.core).add(_parts(old)), _Rows(engine, core).add(_parts(new)), seen)
    return seen


def _parts(scenario: Scenario) -> Iterator[tuple[StageSpec, JobSpec]]:
    return ((stage, job) for stage in scenario.stages for job in stage.jobs)


def _is_computed(stage: StageSpec, job: JobSpec) -> bool:
    """Whether a variable may matter to which rows a job has."""
    texts = [text.source for text in stage.with_agents]
    texts += [text.source for choice in stage.with_labels for text in choice.values]
    texts += [str(value) for values in job.items.lists for value in values] if job.items is not None else []
    return any("var" in text for text in texts)


class _Rows:
    """The rows that there are on some ground; those that are being drawn are left out, since nothing changes them."""

    def __init__(self, engine: Engine, core: Core) -> None:
        self._core = core
        self._addresses = engine.fleet.addresses
        self._labels = {**engine.fleet.labels}
        for spec in core.scenario.agents:
            self._labels.setdefault(spec.name, spec.labels)
        self._chosen: dict[str, dict[str, list[str]] | str] = {}
        runs = engine.dispatcher.stage_runs
        self._drawn = {
            (run.spec.key, key, lane.agent)
            for run in runs
            for lane in run.lanes
            for key, job_run in lane.active.items()
            if job_run.items is not None
        }
        if engine.course.current is not None:
            run = engine.course.current
            self._chosen[run.spec.key] = {lane.agent: lane.captures for lane in run.lanes}
        self.found: dict[InstanceId, None] = {}
        self.untold: dict[str, str] = {}
        self.is_too_many = False

    def add(self, parts: Iterable[tuple[StageSpec, JobSpec]]) -> _Rows:
        """Look for the rows of jobs."""
        selection = self._core.options.selection
        for stage, job in parts:
            if selection.leaves_out(self._core.scenario, stage) or not selection.takes(stage, job):
                continue
            try:
                for id_ in self._of_job(stage, job):
                    self.found[id_] = None
                    if len(self.found) > MOST_ROWS:
                        self.is_too_many = True
                        return self
            except TemplateError as error:
                self.untold[f"{stage.key}/{job.key}"] = error.message
        return self

    def _of_job(self, stage: StageSpec, job: JobSpec) -> Iterator[InstanceId]:
        for agent, captures in self._agents_of(stage).items():
            if (stage.key, job.key, agent) in self._drawn:
                continue
            if job.items is None:
                yield InstanceId(stage.key, job.key, agent)
                continue
            labels = self._labels.get(agent, {})
            address = self._addresses.get(agent, "")
            scope = make_scope(self._core.variables, agent=agent, address=address, labels=labels, captures=captures)
            for _, _, text in expand_items(job.items, scope):
                yield InstanceId(stage.key, job.key, agent, text)

    def _agents_of(self, stage: StageSpec) -> dict[str, list[str]]:
        if stage.key not in self._chosen:
            try:
                self._chosen[stage.key] = choose_agents(stage, make_scope(self._core.variables), self._labels)
            except TemplateError as error:
                self._chosen[stage.key] = error.message
        chosen = self._chosen[stage.key]
        if isinstance(chosen, str):
            raise TemplateError(chosen)
        return chosen


def _compare_rows(before: _Rows, after: _Rows, seen: Foreseen) -> None:
    if before.is_too_many or after.is_too_many:
        seen.untold[""] = f"there are more than {MOST_ROWS} rows"
        return
    seen.untold = {**before.untold, **after.untold}
    for id_ in after.found:
        if id_ not in before.found and f"{id_.stage}/{id_.job}" not in before.untold:
            seen.new.append(id_)
    for id_ in before.found:
        if id_ not in after.found and f"{id_.stage}/{id_.job}" not in after.untold:
            seen.gone.append(id_)
