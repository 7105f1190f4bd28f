"""What a JSON Schema says of how an agent is reached, which its own keys and `defaults` say together."""

from __future__ import annotations

from octogram_tui.scenario.schema_texts import Schema

_HAS_ADDRESS: Schema = {"required": ["address"], "properties": {"address": {"not": {"const": []}}}}
_KEEPS_ADDRESS: Schema = {"properties": _HAS_ADDRESS["properties"]}
_NO_WORDS: Schema = {"enum": [None, "", []]}
_HAS_COMMAND: Schema = {"required": ["command"], "properties": {"command": {"not": _NO_WORDS}}}
_KEEPS_COMMAND: Schema = {"properties": _HAS_COMMAND["properties"]}


def reach() -> list[Schema]:
    """Give what holds for all agents of a scenario: by SSH each needs an address, by a command that command.

    Once for each thing that `defaults` may say or leave open.
    """
    rules = []
    for transport, has, keeps, others in (
        ("ssh", _HAS_ADDRESS, _KEEPS_ADDRESS, ["local", "command", "slurm"]),
        ("command", _HAS_COMMAND, _KEEPS_COMMAND, ["local", "ssh", "slurm"]),
    ):
        for is_there in (False, True):
            needs = keeps if is_there else has
            given = _by_default(has) if is_there else {"not": _by_default(has)}
            rules.append({"if": given, "then": _each({"if": _goes_by(transport), "then": needs})})
            # An agent that says nothing goes by what `defaults` says, and by SSH where that says nothing either.
            usual: Schema = {"not": _by_default(_is(others))} if transport == "ssh" else _by_default(_is([transport]))
            silent = {"if": {"not": {"required": ["transport"]}}, "then": needs}
            rules.append({"if": {"allOf": [given, usual]}, "then": _each(silent)})
    return rules


def _by_default(schema: Schema) -> Schema:
    return {"required": ["defaults"], "properties": {"defaults": {"type": "object", **schema}}}


def _is(transports: list[str]) -> Schema:
    return {"required": ["transport"], "properties": {"transport": {"enum": transports}}}


def _goes_by(transport: str) -> Schema:
    return _is([transport])


def _each(schema: Schema) -> Schema:
    # Editors offer the keys of every part of a schema, and these are offered already.
    schema = {"if": {"type": "object"}, "then": schema, "doNotSuggest": True}
    return {"properties": {"agents": {"items": schema, "doNotSuggest": True}, "prometheus_agent": schema}}
