"""The JSON Schema of the language, for editors: made from the declarations that the checks are made from."""

from __future__ import annotations

from typing import Any

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field, Procedure
from octogram_tui.scenario.own import OWN_MODULE
from octogram_tui.scenario.shapes import AGENT, BINARY, JOB, SCENARIO, STAGE, UPDATE, Key

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_WORDS = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
_ITEM = {"type": ["string", "number", "boolean", "null"]}
_ITEM_LIST = {"anyOf": [_ITEM, {"type": "array", "items": _ITEM}]}
_DURATION = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*)+$"},
    ]
}
_SIMPLE: dict[str, dict[str, Any]] = {
    "string": _SCALAR,
    "word": _SCALAR,
    "boolean": {"enum": [True, False, "true", "false"]},
    "expression": {"type": ["string", "boolean", "number"]},
    "duration": _DURATION,
    "strings": _WORDS,
    "words": _WORDS,
    "files": _WORDS,
    "string_map": {"type": "object", "additionalProperties": _SCALAR},
    "vars": {"type": "object"},
    "binary": {"$ref": "#/$defs/binary"},
    "agent": {"$ref": "#/$defs/agent"},
    "defaults": {"$ref": "#/$defs/defaults"},
    "agents": {"type": "array", "items": {"$ref": "#/$defs/agent"}},
    "stages": {"type": "array", "items": {"$ref": "#/$defs/stage"}},
    "jobs": {"type": "array", "items": {"$ref": "#/$defs/job"}},
    "items": {
        "anyOf": [
            *_ITEM_LIST["anyOf"],
            {
                "type": "object",
                "properties": {"product": {"type": "array", "items": _ITEM_LIST}},
                "required": ["product"],
                "additionalProperties": False,
            },
        ]
    },
    "updates": {
        "type": "object",
        "additionalProperties": {"anyOf": [_ITEM, {"$ref": "#/$defs/update"}]},
    },
}


def json_schema() -> dict[str, Any]:
    """Give the schema of a whole scenario, with every procedure of this installation."""
    load_all()
    procedures = {
        name: procedure
        for name, procedure in sorted(REGISTRY.items())
        if not name.startswith("internals.") and not procedure.__module__.startswith(OWN_MODULE)
    }
    job = _shape(JOB)
    job["properties"].update({name: _procedure(procedure) for name, procedure in procedures.items()})
    # A procedure of the scenario's own file has a name that no schema can know.
    job["patternProperties"] = {r"^(?!(builtins|tezos|smart_rollup)\.)[a-z_]+\.": {}}
    job["oneOf"] = [{"required": [name]} for name in procedures] + [
        {"not": {"anyOf": [{"required": [name]} for name in procedures]}}
    ]
    defaults = _shape({key: declared._replace(required=False) for key, declared in AGENT.items() if key != "name"})
    return {
        "$schema": DIALECT,
        "title": "Scenario",
        "description": "A scenario: agents, variables, and stages of jobs.",
        **_shape(SCENARIO),
        "$defs": {
            "agent": _shape(AGENT),
            "defaults": defaults,
            "binary": _shape(BINARY),
            "stage": _shape(STAGE),
            "job": job,
            "update": _shape(UPDATE),
        },
    }


def _shape(keys: dict[str, Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _key(key) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }


def _key(key: Key) -> dict[str, Any]:
    if key.kind == "choice":
        schema: dict[str, Any] = {"enum": list(key.choices)}
    elif key.kind == "integer":
        schema = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9_]+$"}]}
        if key.minimum is not None:
            schema["anyOf"][0]["minimum"] = key.minimum
    else:
        schema = dict(_SIMPLE[key.kind])
    schema["description"] = key.doc
    return schema


def _procedure(procedure: type[Procedure]) -> dict[str, Any]:
    whole = _members(procedure.fields, procedure.exactly_one)
    doc = (procedure.__doc__ or "").strip().split("\n\n")[0]
    if not procedure.short:
        if not whole["required"]:
            whole["type"] = ["object", "null"]
        return {**whole, "description": " ".join(doc.split())}
    short = _field(procedure.fields[procedure.short])
    return {"anyOf": [short, whole], "description": " ".join(doc.split())}


def _members(fields: dict[str, Field[Any]], exactly_one: tuple[str, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _field(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }
    if exactly_one:
        schema["oneOf"] = [{"required": [name]} for name in exactly_one]
    return schema


def _field(field: Field[Any]) -> dict[str, Any]:
    schema = _value(field, field.kind)
    if field.doc:
        schema["description"] = field.doc
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _value(field: Field[Any], kind: str) -> dict[str, Any]:
    if kind.endswith("_or_list"):
        single = kind.removesuffix("_or_list")
        of = _field(field.of) if field.of is not None else _value(field, single)
        return {"anyOf": [_value(field, single), {"type": "array", "items": of}]}
    if kind == "list":
        return {"type": "array", "items": {} if field.of is None else _field(field.of)}
    if kind == "tuple":
        return {
            "type": "array",
            "prefixItems": [_field(each) for each in field.of],
            "minItems": len(field.of),
            "maxItems": len(field.of),
        }
    if kind == "map":
        return {"type": "object", "additionalProperties": {} if field.of is None else _field(field.of)}
    if kind == "record":
        return _members(field.fields, field.exactly_one)
    if kind == "any":
        return {}
    if kind == "expression":
        return {"type": ["string", "boolean", "number"]}
    if field.choices:
        template = {"type": "string", "pattern": r"\{[{%]"}
        return {"anyOf": [{"enum": list(field.choices)}, template]}
    # Numbers and booleans may be templates, and texts may look like numbers.
    return {
        "type": {"int": ["integer", "string"], "float": ["number", "string"], "bool": ["boolean", "string"]}.get(
            kind, ["string", "number", "boolean"]
        )
    }
