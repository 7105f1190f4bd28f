"""Terraform's outputs as agents: what `terraform output -json` and `tofu output -json` print.

The output `agents`, the only one there is, or the one that is named: a list of addresses, a map of names and addresses,
or a list or a map of objects with the keys of an agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from octogram_tui.scenario.findings import kind_of, suggestion
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.inventory.found import Found, Unclear

USUAL = "agents"
_SHAPE = "it is a list of addresses, a map of names and addresses, or objects with the keys of an agent"


def looks_like(outputs: Mapping[str, Any]) -> bool:
    """Tell whether a map of JSON is one of outputs."""
    return bool(outputs) and all(
        isinstance(each, dict) and "value" in each and not each.keys() & {"hosts", "children", "vars"}
        for each in outputs.values()
    )


def agents_of(outputs: Mapping[str, Any], wanted: str = "") -> Found:
    """Make agents of an output. Raises Unclear."""
    name = wanted or (USUAL if USUAL in outputs or len(outputs) != 1 else next(iter(outputs)))
    if name not in outputs:
        if not outputs:
            raise Unclear(f"there is no output `{shown(name)}`, nor any other", "has it been applied?")
        hint = f"there are {', '.join(map(shown, outputs))}"
        hint += "" if wanted else "; name the one that has the agents behind the path, as `outputs.json#NAME`"
        raise Unclear(f"there is no output `{shown(name)}`{suggestion(name, outputs)}", hint)
    if outputs[name].get("sensitive"):
        hint = f"give what is needed in another output: `value = nonsensitive({shown(name)} ...)`"
        raise Unclear(f"the output `{shown(name)}` is sensitive: a list of agents is kept with each run", hint)
    value = outputs[name]["value"]
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        pairs = [("", each) for each in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise Unclear(f"the output `{shown(name)}` is {kind_of(value)}", _SHAPE)
    width = len(str(max(len(pairs) - 1, 0)))
    agents = [_agent(name, number, width, key, each) for number, (key, each) in enumerate(pairs)]
    keys: dict[str, str] = {}
    for agent, (key, _) in zip(agents, pairs, strict=True):
        before = keys.setdefault(str(agent["name"]), key)
        if before != key:
            message = f"`{shown(before)}` and `{shown(key)}` of the output `{shown(name)}` would both be agent"
            raise Unclear(f"{message} `{shown(agent['name'])}`", "agents' names have no dots and colons")
    return Found(agents, [])


def _agent(output: str, number: int, width: int, key: str, value: Any) -> dict[str, Any]:
    name = re.sub("[.:]", "_", key) if key else f"{output}_{number:0{width}}"
    if isinstance(value, str):
        return {"name": name, "address": value}
    if not isinstance(value, dict):
        place = f"`{shown(key)}`" if key else f"element {number}"
        raise Unclear(f"{place} of the output `{shown(output)}` is {kind_of(value)}", _SHAPE)
    return {"name": name, **_given(value)}


def _given(value: Any) -> Any:
    """Leave out what is null, on any level: an optional attribute that is not set."""
    if isinstance(value, dict):
        return {part: _given(each) for part, each in value.items() if each is not None}
    return [_given(each) for each in value if each is not None] if isinstance(value, list) else value
