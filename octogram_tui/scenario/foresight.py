"""What a run would do, without doing it: every instance, its arguments expanded as far as they are known beforehand.

What depends on a result is shown as the template that it is written as. Lazy: a product of ranges may be millions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from octogram_tui.cuts import beginning
from octogram_tui.dataclass import dataclass
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec, Labels, Scenario, StageSpec, Text
from octogram_tui.model.wildcard import Wildcard
from octogram_tui.scenario.arguments import JobArguments
from octogram_tui.scenario.report import json_text, printable
from octogram_tui.scenario.usage import what_it_may_become
from octogram_tui.template.analysis import uses
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.condition import decide
from octogram_tui.template.items import expand_items
from octogram_tui.template.scope import make_scope
from octogram_tui.template.source import is_template


@dataclass(frozen=True, slots=True)
class Planned:
    """One instance that would run. `agent` is empty and `item` a template where they are not known yet; `note` why."""

    key: str
    stage: str
    job: str
    agent: str
    item: str | None
    procedure: str
    arguments: dict[str, Any]
    note: str = ""


class Foresight:
    """Which variables are known at a point of the plan, and which only a run will tell."""

    def __init__(self, variables: Mapping[str, Any], addresses: Mapping[str, str]) -> None:
        self.known = dict(variables)
        self.addresses = addresses  # of the agents, as the scenario has them: what ssh makes of an alias is not known
        self.unknown: set[str] = set()
        self.computed: list[Wildcard] = []  # what names that are templates may become

    def copy(self) -> Foresight:
        """Give another one that knows the same."""
        other = Foresight(self.known, self.addresses)
        other.unknown, other.computed = set(self.unknown), list(self.computed)
        return other

    def can_tell(self, text: str, *, expression: bool = False, braces: bool = True) -> bool:
        """Tell whether a template can be expanded now with the value that it will have."""
        if not expression and not is_template(text, braces=braces):
            return True
        found = uses(text, expression=expression, braces=braces)
        if found.is_computed and (self.unknown or self.computed):
            return False
        return not any(self.is_unknown(name) for name in found.variables)

    def is_unknown(self, name: str) -> bool:
        """Tell whether only a run can tell a variable."""
        return name in self.unknown or any(pattern.fits(name) for pattern in self.computed)

    def after(self, job: JobSpec) -> None:
        """Take in what a job would change."""
        if job.register is not None:
            if is_template(job.register):
                self.computed.append(what_it_may_become(job.register))
            else:
                self.forget(job.register)
        for update in job.vars_updates:
            name = update.name.source
            if is_template(name):
                self.computed.append(what_it_may_become(name))
            elif update.value is None and job.when is None:
                self.known.pop(name, None)
                self.unknown.discard(name)
            elif isinstance(update.value, (bool, int)) and job.when is None:
                self.known[name] = update.value
                self.unknown.discard(name)
            else:
                self.forget(name)

    def forget(self, name: str) -> None:
        """A variable will have a value that only the run tells."""
        self.known.pop(name, None)
        self.unknown.add(name)


def plan(
    scenario: Scenario,
    *,
    takes_stage: Callable[[StageSpec], bool] = lambda stage: True,
    takes_job: Callable[[StageSpec, JobSpec], bool] = lambda stage, job: True,
) -> Iterator[Planned]:
    """Give every instance in the order of a run in which nothing is concurrent."""
    foresight = Foresight(scenario.variables, {agent.name: agent.address_for_others for agent in scenario.agents})
    for name in scenario.secrets:
        foresight.forget(name)
    labels_of = {agent.name: agent.labels for agent in scenario.agents}
    for stage in scenario.stages:
        if not takes_stage(stage):
            continue
        jobs = [job for job in stage.jobs if takes_job(stage, job)]
        note = _condition(stage.when, foresight, make_scope(foresight.known))
        if note is None:
            continue
        chosen = agents_of(stage, labels_of, foresight)
        if isinstance(chosen, str):
            for job in jobs:
                yield _row(stage, job, "", None, job.arguments.raw(), chosen)
                foresight.after(job)
            continue
        # Jobs of one stage see each other's updates in an order that only the run decides.
        for agent, captures in chosen.items():
            seen = foresight.copy()
            for job in jobs:
                yield from _instances(stage, job, agent, labels_of[agent], captures, seen, note)
                seen.after(job)
        for job in jobs:
            foresight.after(job)


def agents_of(stage: StageSpec, labels_of: Mapping[Any, Labels], foresight: Foresight) -> dict[Any, list[str]] | str:
    """Give the agents of a stage with their captures, or why they cannot be told."""
    for text in (*stage.with_agents, *(text for choice in stage.with_labels for text in choice.values)):
        if not foresight.can_tell(text.source):
            return f"agents are chosen when the stage starts: {text.source}"
    try:
        return choose_agents(stage, make_scope(foresight.known), labels_of)
    except TemplateError as error:
        return f"agents cannot be told: {error.message}"


def _condition(when: Text | None, foresight: Foresight, scope: Mapping[str, Any]) -> str | None:
    """Give a note on a condition: empty when it holds, None when it does not, else the condition."""
    if when is None:
        return ""
    if foresight.can_tell(when.source, expression=True):
        try:
            return "" if decide(when.source, scope) else None
        except TemplateError:
            pass  # the run will say it; the plan shows the condition
    return f"when {when.source}"


def _instances(
    stage: StageSpec,
    job: JobSpec,
    agent: str,
    labels: Labels,
    captures: list[str],
    foresight: Foresight,
    note: str,
) -> Iterator[Planned]:
    scope = make_scope(
        foresight.known, agent=agent, address=foresight.addresses[agent], labels=labels, captures=captures
    )
    if job.items is None:
        yield from _instance(stage, job, agent, None, scope, foresight, note)
        return
    texts = [d for values in job.items.lists for d in values if isinstance(d, str)]
    if not all(foresight.can_tell(text) for text in texts):
        shown = ", ".join(texts)
        yield _row(stage, job, agent, shown, job.arguments.raw(), _join(note, "items are known when the job starts"))
        return
    try:
        items = expand_items(job.items, scope)
    except TemplateError as error:
        yield _row(stage, job, agent, ", ".join(texts), job.arguments.raw(), _join(note, error.message))
        return
    for _, value, text in items:
        scope["item"] = value
        yield from _instance(stage, job, agent, text, scope, foresight, note)


def _instance(
    stage: StageSpec,
    job: JobSpec,
    agent: str,
    item: str | None,
    scope: dict[str, Any],
    foresight: Foresight,
    note: str,
) -> Iterator[Planned]:
    condition = _condition(job.when, foresight, scope)
    if condition is None:
        return
    arguments = job.arguments.raw()
    if isinstance(job.arguments, JobArguments):
        arguments, problem = job.arguments.foretell(scope, lambda text, braces: foresight.can_tell(text, braces=braces))
        note = _join(note, problem)
    yield _row(stage, job, agent, item, arguments, _join(note, condition))


def _join(first: str, second: str) -> str:
    return "; ".join(part for part in (first, second) if part)


def _row(stage: StageSpec, job: JobSpec, agent: str, item: str | None, arguments: dict[str, Any], note: str) -> Planned:
    key = str(InstanceId(stage.key, job.key, agent or "?", item))
    return Planned(key, stage.key, job.key, agent, item, job.procedure, arguments, note)


def as_json(instances: Iterable[Planned]) -> str:
    """Give one JSON document."""
    listed = [
        {
            "key": each.key,
            "stage": each.stage,
            "job": each.job,
            "agent": each.agent or None,
            "item": each.item,
            "procedure": each.procedure,
            "arguments": each.arguments,
            "note": each.note,
        }
        for each in instances
    ]
    return json_text({"v": 1, "instances": listed}, indent=2)


def as_lines(instances: Iterable[Planned]) -> Iterator[str]:
    """Give lines for people: a heading for each stage, one line for each instance, and last how many there are."""
    stage = None
    count = 0
    for each in instances:
        if each.stage != stage:
            stage = each.stage
            yield printable(f"stage {stage}")
        count += 1
        arguments = ", ".join(f"{name}: {_short(value)}" for name, value in each.arguments.items())
        note = f"   ({each.note})" if each.note else ""
        yield printable(f"  {each.key.removeprefix(f'{stage}/')}   {each.procedure}   {arguments}{note}".rstrip())
    yield f"{count} instance{'' if count == 1 else 's'} would run"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return beginning(line, 100)
