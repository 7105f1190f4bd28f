"""Which agents use what others offer, as far as the scenario tells before a run; and whether they can be told where.

Looks at texts that begin with `AGENT://`, and at who has metrics for the Prometheus of the run. What only a run can
tell (an owner whose name is a result) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from octogram_agentd.network.endpoint import why_not_for_others
from octogram_agentd.procedures.base import REGISTRY
from octogram_tui.errors import Problem, TemplateError
from octogram_tui.model.scenario import AgentSpec, JobSpec, Scenario
from octogram_tui.scenario.foresight import Foresight, agents_of
from octogram_tui.scenario.tree import texts_in
from octogram_tui.scenario.uris import literal_owner
from octogram_tui.template.environment import render
from octogram_tui.template.items import expand_items
from octogram_tui.template.scope import make_scope
from octogram_tui.template.source import is_template

MAX_TEXTS = 20_000  # expanded; a plan may have millions, and the first ones tell
SCRAPED = frozenset(("node", "dal_node", "rollup_node"))


class Crossing(NamedTuple):
    """An agent that uses what another one offers."""

    user: str
    owner: str


def crossings(scenario: Scenario) -> list[Crossing]:
    """List who uses what of whom, each pair once, in the order in which a run comes to it."""
    names = {agent.name for agent in scenario.agents}
    found: dict[Crossing, None] = {}
    for user, owner in _in_order(scenario):
        if user != owner and owner in names:
            found[Crossing(user, owner)] = None
    return list(found)


def _in_order(scenario: Scenario) -> Iterator[tuple[str, str]]:
    foresight = Foresight(scenario.variables, {agent.name: agent.address_for_others for agent in scenario.agents})
    labels_of = {agent.name: agent.labels for agent in scenario.agents}
    prometheus = scenario.prometheus_agent
    budget = [MAX_TEXTS]
    for stage in scenario.stages:
        chosen = agents_of(stage, labels_of, foresight)
        for job in stage.jobs:
            if isinstance(chosen, dict):
                texts = [text for text in texts_in(job.arguments.raw()) if "://" in text]
                for agent, captures in chosen.items():
                    scope = make_scope(
                        foresight.known,
                        agent=agent,
                        address=foresight.addresses[agent],
                        labels=labels_of[agent],
                        captures=captures,
                    )
                    for text in texts:
                        yield from ((agent, owner) for owner in _owners(text, job, scope, foresight, budget))
                    if prometheus is not None and _has_metrics(job):
                        yield prometheus.name, agent
            foresight.after(job)


def _owners(text: str, job: JobSpec, scope: dict[str, Any], foresight: Foresight, budget: list[int]) -> Iterator[str]:
    """Give the owners that a text names, for each item that it may be expanded with."""
    literal = literal_owner(text)
    braces = bool(getattr(job.arguments, "braces", True))
    if literal is not None or not is_template(text, braces=braces):
        yield literal or ""
        return
    if not foresight.can_tell(text, braces=braces):
        return
    try:
        for value in _items(job, scope, foresight):
            budget[0] -= 1
            if budget[0] < 0:
                return
            scope["item"] = value
            yield literal_owner(render(text, scope, braces=braces)) or ""
    except TemplateError:
        return  # the run will say it


def _items(job: JobSpec, scope: Mapping[str, Any], foresight: Foresight) -> Iterator[Any]:
    if job.items is None:
        yield None
    elif all(foresight.can_tell(text) for texts in job.items.lists for text in texts if isinstance(text, str)):
        for _, value, _ in expand_items(job.items, scope):
            yield value


def _has_metrics(job: JobSpec) -> bool:
    procedure = REGISTRY.get(job.procedure)
    return bool(job.arguments.raw().get("metrics")) or bool(
        procedure is not None and SCRAPED.intersection(procedure.services)
    )


def address_warnings(scenario: Scenario) -> list[Problem]:
    """Warn of each agent whose address means nothing on another machine, where somebody there is told it."""
    everybody = scenario.everybody
    agents: dict[str, AgentSpec] = {agent.name: agent for agent in everybody}
    unfit = {name: why for name, agent in agents.items() if (why := why_not_for_others(agent.address_for_others))}
    warnings: dict[str, Problem] = {}
    for user, owner in crossings(scenario):
        if owner in unfit and user not in unfit and owner not in warnings:
            warnings[owner] = _warning(agents[owner], unfit[owner], user)
    return list(warnings.values())


def _warning(owner: AgentSpec, why: str, user: str) -> Problem:
    return Problem(
        *owner.mark,
        f"agent `{owner.name}` is at {owner.address_for_others}, which {why}; `{user}`, elsewhere, uses what it offers",
        f"give `{owner.name}` a `data_address`: where other machines reach it",
        is_warning=True,
    )
