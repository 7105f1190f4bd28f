"""The JSON Schema of the language, for editors: made from the declarations that the checks are made from."""

from __future__ import annotations

import re
from typing import Any

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field, Procedure
from octogram_tui.scenario.own import OWN_MODULE
from octogram_tui.scenario.shapes import (
    AGENT,
    AGENTS,
    BINARY,
    JOB,
    RESERVED_NAMES,
    SCENARIO,
    SECRET,
    STAGE,
    UPDATE,
    KeySpec,
)
from octogram_tui.secrecy.names import NAME

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_WORDS = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
_ITEM = {"type": ["string", "number", "boolean", "null"]}
_ITEM_LIST = {"anyOf": [_ITEM, {"type": "array", "items": _ITEM}]}
_NUMBER = r"[0-9][0-9 ]*(\.[0-9 ]+)?"
_DURATION = rf"\s*(({_NUMBER}(m ?s|s|m|h|d) *)+|{_NUMBER})\s*"
_FLOAT = r"\s*[-+]?([0-9_]+\.?[0-9_]*|\.[0-9_]+)([eE][-+]?[0-9_]+)?\s*"
_INTEGER = r"\+?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)"
_TEMPLATE: dict[str, Any] = {"type": "string", "pattern": r"\{[{%#]"}
_WHOLE: dict[str, Any] = {"type": "string", "pattern": r"^\{\{[\s\S]*\}\}\n?$"}
_AGENT_NAME = r"^(?!-)([a-zA-Z0-9_-]|\{[0-9]{1,9}\.\.[0-9]{1,9}\})+$"
_SOURCE = r"^((env|file|command):\s*\S|keyring:\s*\S.*/\S)"
_SIMPLE: dict[str, dict[str, Any]] = {
    "string": _SCALAR,
    "word": _SCALAR,
    "boolean": {"enum": [True, False, "true", "false"]},
    "expression": {"type": ["string", "boolean"]},
    "agent_name": {
        "anyOf": [
            {"type": ["integer", "boolean"]},
            {"type": "string", "pattern": _AGENT_NAME, "not": {"enum": list(RESERVED_NAMES)}},
        ]
    },
    "strings": _WORDS,
    "words": _WORDS,
    "files": _WORDS,
    "string_map": {"type": "object", "additionalProperties": _SCALAR},
    "strings_map": {"type": "object", "additionalProperties": _WORDS},
    "label_choices": {
        "anyOf": [
            {"type": "object", "additionalProperties": _WORDS},
            {"type": "array", "items": {"type": "object", "additionalProperties": _WORDS}},
        ]
    },
    "vars": {"type": "object"},
    "secrets": {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {
            "anyOf": [
                {"type": "null"},
                {"type": "string", "pattern": _SOURCE},
                {"$ref": "#/$defs/secret"},
            ]
        },
    },
    "binary": {"$ref": "#/$defs/binary"},
    "agent": {"$ref": "#/$defs/agent"},
    "defaults": {"$ref": "#/$defs/defaults"},
    "agents": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/agent"}}, {"$ref": "#/$defs/agents"}]},
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
    # A procedure of the scenario's own file has a name that no schema can know; but its family is none of ours.
    families = "|".join(sorted({re.escape(name.split(".")[0]) for name in procedures} | {"internals"}))
    job["patternProperties"] = {rf"^(?!({families})\.)[^.]+\.": {}}
    ours: list[dict[str, Any]] = [{"required": [name]} for name in procedures]
    job["oneOf"] = [*ours, {"not": {"anyOf": ours}}]
    job["not"] = {"propertyNames": {"enum": list(JOB)}}
    job["if"] = {"anyOf": ours}
    job["then"] = {"propertyNames": {"enum": [*JOB, *procedures]}}
    defaults = _shape({key: declared._replace(required=False) for key, declared in AGENT.items() if key != "name"})
    return {
        "$schema": DIALECT,
        "title": "Scenario",
        "description": "A scenario: agents, variables, and stages of jobs.",
        **_shape(SCENARIO),
        "$defs": {
            "agent": _shape(AGENT),
            "agents": _shape(AGENTS),
            "defaults": defaults,
            "binary": _binary(),
            "secret": {**_shape(SECRET), "minProperties": 1, "maxProperties": 1},
            "stage": _shape(STAGE),
            "job": job,
            "update": _shape(UPDATE),
        },
    }


def _shape(keys: dict[str, KeySpec]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _key(key) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }


def _binary() -> dict[str, Any]:
    """Give the way to the daemon: one of three, or an empty map for what is installed."""
    schema = _shape(BINARY)
    members = schema["properties"]
    members["pull"]["pattern"] = "^https?://"
    members["sha256"]["pattern"] = "^[0-9a-fA-F]{64}$"
    members["installed"] = {
        "anyOf": [_SCALAR, {"type": "object", "maxProperties": 0}],
        "description": members["installed"]["description"],
    }
    kinds = [{"required": [kind]} for kind in ("push", "pull", "installed")]
    schema["oneOf"] = [*kinds, {"maxProperties": 0}]
    return schema


def _key(key: KeySpec) -> dict[str, Any]:
    if key.kind == "choice":
        schema: dict[str, Any] = {"enum": list(key.choices)}
    elif key.kind == "integer":
        schema = {"anyOf": [{"type": "integer", **_bounds(key)}, _written(_INTEGER, key)]}
    elif key.kind == "duration":
        schema = {"anyOf": [{"type": "number", "minimum": 0, **_bounds(key)}, _written(_DURATION, key)]}
    else:
        schema = dict(_SIMPLE[key.kind])
    schema["description"] = key.doc
    return schema


def _bounds(declared: KeySpec | Field[Any]) -> dict[str, Any]:
    """Give the limits of a number."""
    limits = {"exclusiveMinimum": declared.above, "minimum": declared.minimum, "maximum": declared.maximum}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _written(pattern: str, declared: KeySpec | Field[Any]) -> dict[str, Any]:
    """Give a number in quotes: of its limits a pattern can only say that it is not zero."""
    above_zero = declared.above == 0 or (declared.minimum or 0) > 0
    return {"type": "string", "pattern": rf"^{'(?=.*[1-9a-fA-F])' if above_zero else ''}({pattern})$"}


def _procedure(procedure: type[Procedure]) -> dict[str, Any]:
    whole = _members(procedure.fields, procedure.exactly_one)
    doc = (procedure.__doc__ or "").strip().split("\n\n")[0]
    if not procedure.short:
        if not whole["required"] and not procedure.exactly_one:
            whole["type"] = ["object", "null"]
        return {**whole, "description": " ".join(doc.split())}
    short = _field(procedure.fields[procedure.short])
    return {"anyOf": [short, whole], "description": " ".join(doc.split())}


def _members(fields: dict[str, Field[Any]], exactly_one: tuple[str, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _field(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required and not field.formerly],
        "additionalProperties": False,
    }
    ways = {name: [{"required": [each]} for each in (name, *field.formerly)] for name, field in fields.items()}
    renamed = []
    for name, field in fields.items():
        if field.formerly:
            former = {**_field(field), "deprecated": True, "description": f"Now called `{name}`."}
            schema["properties"].update(dict.fromkeys(field.formerly, former))
            absent = [] if field.required else [{"not": {"anyOf": ways[name]}}]
            renamed.append({"oneOf": [*ways[name], *absent]})
    if renamed:
        schema["allOf"] = renamed
    if exactly_one:
        schema["oneOf"] = [way for name in exactly_one for way in ways[name]]
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
        return {"anyOf": [_value(field, single), {"type": "array", "items": of, "minItems": 1}]}
    if kind in ("list", "tuple", "map", "record"):
        written = _collection(field, kind)
        return {"anyOf": [written, _WHOLE]} if field.template else written
    if kind == "any":
        return {}
    if kind == "expression":
        return {"type": ["string", "boolean"]}
    literal = _literal(field, kind)
    if not field.template or literal == [_SCALAR]:
        return literal[0] if len(literal) == 1 else {"anyOf": literal}
    return {"anyOf": [*literal, _TEMPLATE]}


def _collection(field: Field[Any], kind: str) -> dict[str, Any]:
    """Give what is written as a list or a map."""
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
    return _members(field.fields, field.exactly_one)


def _literal(field: Field[Any], kind: str) -> list[dict[str, Any]]:
    """Give what a scalar may be that is no template; a text may be written as a number, and a number as a text."""
    if kind == "bool":
        return [{"enum": [True, False, "true", "false"]}]
    if kind == "int":
        signed = rf"-?{_INTEGER}" if field.minimum is None or field.minimum < 0 else _INTEGER
        return [{"type": "integer", **_bounds(field)}, _written(signed, field)]
    if kind == "float":
        return [{"type": "number", **_bounds(field)}, _written(f"{_FLOAT}|{_DURATION}", field)]
    if field.choices:
        return [{"enum": list(field.choices)}]
    if field.pattern:
        return [{"type": ["number", "boolean"]}, {"type": "string", "pattern": f"^({field.pattern})$"}]
    if _bounds(field):
        return [{"type": "number", **_bounds(field)}, _written(_FLOAT, field)]
    return [_SCALAR]
