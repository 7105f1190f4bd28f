"""An expression's value at this point of the run, for who asks: it changes nothing.

An instance's is given as it sees the variables: while it is held or under way the copy that it has, else those of now,
with which it would run again. Work and size are bounded as those of every template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from octogram_tui.engine import results
from octogram_tui.engine.given import job_of
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.template.choosing import choose_agents
from octogram_tui.template.environment import bare_expression, evaluate
from octogram_tui.template.items import expand_items
from octogram_tui.template.numbers import typed
from octogram_tui.template.scope import AgentNames, make_scope

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine
    from octogram_tui.model.scenario import StageSpec

SEES_A_COPY = ("held", "stopped", "running", "watching", "retrying")
MOST_ITEMS = 20_000


def look(engine: Engine, expression: str, id_: InstanceId | None = None, agent: str = "") -> Value:
    """Give the value, which is JSON. Raises TemplateError."""
    if not expression.strip():
        raise TemplateError("there is nothing to evaluate", hint="an expression, as `vars.level > 5`")
    scope = scope_of(engine, id_) if id_ is not None else _of_agent(engine, agent) if agent else _of_run(engine)
    named: object = scope.get(bare_expression(expression).strip())
    if isinstance(named, AgentNames):
        labels = cast("dict[str, Value]", named.labels)
        return {"name": named.name, "address": named.address, "labels": {**labels}}
    try:
        return cast("Value", evaluate(expression, scope))
    except TemplateError as error:
        if error.name == "res" and id_ is not None and "res" not in scope:
            raise TemplateError(f"{id_} has given nothing, or that is kept no more", name="res") from error
        raise


def expected(engine: Engine, id_: InstanceId) -> tuple[dict[str, Value], dict[str, Value]]:
    """Give what an instance's next attempt would be given as the text has it, and the texts that are templates.

    What the operator gave it stands in events, and is left out here. Raises TemplateError.
    """
    spec = job_of(engine.core.scenario, id_)
    if spec is None:
        raise TemplateError(f"the scenario has no job {id_.stage}/{id_.job}")
    scope = scope_of(engine, id_)
    scope.pop("res", None)
    raw = spec.arguments.raw()
    try:
        values = spec.arguments.expand(scope, _as_written)
    except TemplateError:
        values = raw  # what cannot be rendered is shown as it is written
    return (
        {name: value for name, value in values.items() if value is not None},
        {name: value for name, value in raw.items() if "{{" in str(value) or "{%" in str(value)},
    )


def _as_written(_: str, uri: str) -> dict[str, str]:
    return cast("dict[str, str]", uri)  # it is shown, and nobody takes it apart


def _of_run(engine: Engine) -> dict[str, Value]:
    return make_scope(engine.core.variables)


def _of_agent(engine: Engine, agent: str) -> dict[str, Value]:
    labels = engine.fleet.labels
    if agent not in labels:
        raise TemplateError(f"there is no agent {agent!r}")
    return make_scope(
        engine.core.variables, agent=agent, address=engine.fleet.addresses.get(agent, ""), labels=labels[agent]
    )


def scope_of(engine: Engine, id_: InstanceId) -> dict[str, Value]:
    """Give what templates of an instance see now. Raises TemplateError for one that the scenario has not."""
    instance = engine.instances.find(id_)
    if instance is not None:
        job_run = instance.job_run
        variables = job_run.snapshot if instance.state in SEES_A_COPY else engine.core.variables
        scope = job_run.lane.scope(variables, instance.item)
    else:
        scope = _of_absent(engine, id_)
    known = engine.core.results.find(id_)
    if known is not None:
        scope["res"] = results.known_of(*known)
    return scope


def _of_absent(engine: Engine, id_: InstanceId) -> dict[str, Value]:
    """Give what an instance would see that has ended, or has not begun."""
    scenario = engine.core.scenario
    stage = next((stage for stage in scenario.stages if stage.key == id_.stage), None)
    spec = job_of(scenario, id_)
    if stage is None or spec is None:
        raise TemplateError(f"the scenario has no job {id_.stage}/{id_.job}")
    scope = _of_agent(engine, id_.agent)
    scope["re"] = [*_captures(engine, stage, id_.agent)]
    if id_.item is not None:
        scope["item"] = typed(id_.item)
        if spec.items is not None:
            items = expand_items(spec.items, scope)
            if len(items) <= MOST_ITEMS:
                scope["item"] = next((value for _, value, text in items if text == id_.item), scope["item"])
    return scope


def _captures(engine: Engine, stage: StageSpec, agent: str) -> list[str]:
    try:
        return choose_agents(stage, make_scope(engine.core.variables), engine.fleet.labels).get(agent, [])
    except TemplateError:
        return []
