"""Where an instance's command would begin, and with what of an environment of its own, if it ran now."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from octogram_tui.dataclass import dataclass
from octogram_tui.engine.given import job_of
from octogram_tui.engine.looking import scope_of
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.template.environment import expand

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What procedures that run programs take: a directory inside the agent's, and variables beside the agent's.

    trouble: what of it could not be told, in a line
    """

    cwd: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


def of_arguments(arguments: dict[str, Value]) -> Surroundings:
    """Give those that arguments hold, as an attempt was given them."""
    cwd, env = arguments.get("cwd"), arguments.get("env")
    return Surroundings(
        cwd if isinstance(cwd, str) else "",
        {str(name): _as_text(value) for name, value in env.items()} if isinstance(env, dict) else {},
    )


def would_have(engine: Engine, id_: InstanceId) -> Surroundings:
    """Give those that the instance's next attempt would have. What cannot be expanded is left out, and said."""
    spec = job_of(engine.core.scenario, id_)
    if spec is None:
        return Surroundings(trouble=f"the scenario has no {id_.stage}/{id_.job} now")
    written: dict[str, Value] = {**spec.arguments.raw(), **engine.instances.given.get(id_, {})}
    troubles: list[str] = []
    try:
        scope = scope_of(engine, id_)
    except TemplateError as error:
        return Surroundings(trouble=error.message)

    def expanded(value: Value) -> Value:
        try:
            return expand(value, scope) if isinstance(value, str) else value
        except TemplateError as error:  # `{{ port.rpc }}` for one is known when it runs
            troubles.append(error.message)
            return None

    env = written.get("env")
    known = {name: expanded(value) for name, value in env.items()} if isinstance(env, dict) else {}
    told: Value = {name: value for name, value in known.items() if value is not None}
    found = of_arguments({"cwd": expanded(written.get("cwd")), "env": told})
    return replace(found, trouble="; ".join(troubles))


def _as_text(value: Value) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
