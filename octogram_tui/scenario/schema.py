"""The JSON Schema of the language, for editors: made from the declarations that the checks are made from."""

from __future__ import annotations

import re

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY
from octogram_tui import __version__
from octogram_tui.scenario.own import OWN_MODULE
from octogram_tui.scenario.schema_fields import SCALAR, described, number, procedure_schema, with_usual
from octogram_tui.scenario.schema_reach import reach
from octogram_tui.scenario.schema_slurm import asked
from octogram_tui.scenario.schema_texts import (
    AGENT_NAME,
    DURATION,
    END,
    INTEGER,
    ITEM,
    MERGE,
    NAME,
    OF_AGENTS,
    TEMPLATE,
    Schema,
    first_word,
    names_of,
    of_form,
    scalar,
)
from octogram_tui.scenario.shapes import (
    AGENT,
    AGENTS,
    BINARY,
    EXAMPLES,
    JOB,
    MEANINGS,
    RESERVED_NAMES,
    SCENARIO,
    SECRET,
    SLURM,
    SNIPPETS,
    STAGE,
    UPDATE,
    KeySpec,
)
from octogram_tui.secrecy.names import NAME as SECRET_NAME

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:uuid:5f0d4c4e-6f6b-5f0a-9c53-0c7e3c1f6a52"
"""Names this schema and is no address: nobody serves it, and an editor that wants to load it needs the file."""

_WORDS: Schema = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}
_ITEM: Schema = {
    "type": ["string", "number", "boolean", "null"],
    "pattern": ITEM,
    "patternErrorMessage": "An item ends in no line break: take it off with `| trim`.",
}
_ITEM_LIST: Schema = {"anyOf": [_ITEM, {"type": "array", "items": _ITEM}]}
_UPDATED: Schema = {"type": ["string", "number", "boolean", "null"]}
_SOURCE = r"^((env|file|command):\s*\S|keyring:\s*\S.*/\S)"
_NAMED = {"pattern": NAME, "patternErrorMessage": "A name has something that can be seen."}
_SIMPLE: dict[str, Schema] = {
    "string": SCALAR,
    "word": SCALAR,
    "boolean": {"enum": [True, False, "true", "false"]},
    "expression": {"type": ["string", "boolean"]},
    "agent_name": {**AGENT_NAME, "not": {"enum": list(RESERVED_NAMES)}},
    "strings": _WORDS,
    "words": _WORDS,
    "files": _WORDS,
    "string_map": {"type": "object", "additionalProperties": SCALAR},
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
        "propertyNames": {
            "pattern": f"^(?:{SECRET_NAME.pattern}|{MERGE}){END}",
            "patternErrorMessage": "A secret's name has up to 64 letters, digits and `_`, and no digit in front.",
        },
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
    "slurm": {"$ref": "#/$defs/slurm"},
    "defaults": {"$ref": "#/$defs/defaults"},
    "agents": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/agent"}}, {"$ref": "#/$defs/agents"}]},
    "stages": {"type": "array", "items": {"$ref": "#/$defs/stage"}},
    "jobs": {"type": "array", "items": {"$ref": "#/$defs/job"}},
    "items": {
        "anyOf": [
            *_ITEM_LIST["anyOf"],
            {
                "type": "object",
                "properties": {
                    "product": described(
                        {"type": "array", "items": _ITEM_LIST},
                        "Lists and ranges: the job runs once for each way to take one of each, and an item is a list.",
                    )
                },
                "required": ["product"],
                "additionalProperties": False,
            },
        ]
    },
    "updates": {
        "type": "object",
        "propertyNames": {"minLength": 1},
        "additionalProperties": {"anyOf": [_UPDATED, {"$ref": "#/$defs/update"}]},
    },
}


def json_schema() -> Schema:
    """Give the schema of a whole scenario, with every procedure of this installation."""
    load_all()
    agent = _agent(AGENT)
    return {
        "$schema": DIALECT,
        "$id": ID,
        "$comment": f"Made by `octogram-tui schema` of octogram-tui {__version__}.",
        "title": "Scenario of octogram-tui",
        **described({}, "A scenario: agents, variables, and stages of jobs."),
        **_shape(SCENARIO),
        "allOf": reach(),
        "$defs": {
            "agent": {**agent, "defaultSnippets": SNIPPETS["agent"]},
            "agents": _shape(AGENTS),
            "defaults": _agent({key: spec._replace(required=False) for key, spec in AGENT.items() if key != "name"}),
            "binary": _binary(),
            "secret": _secret(),
            "slurm": asked(_shape(SLURM)),
            "stage": _named(_shape(STAGE), "stage"),
            "job": _named(_job(), "job"),
            "update": _update(),
        },
    }


def _shape(keys: dict[str, KeySpec]) -> Schema:
    return {
        "type": "object",
        "properties": {name: _key(name, key) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
    }


def _named(schema: Schema, what: str) -> Schema:
    schema["properties"]["name"].update(_NAMED)
    return {**schema, "defaultSnippets": SNIPPETS[what]}


def _job() -> Schema:
    procedures = {
        name: procedure
        for name, procedure in sorted(REGISTRY.items())
        if not name.startswith("internals.") and not procedure.__module__.startswith(OWN_MODULE)
    }
    job = _shape(JOB)
    job["properties"].update({name: procedure_schema(procedure) for name, procedure in procedures.items()})
    job["properties"]["register"].update({"minLength": 1})
    # A procedure of the scenario's own file has a name that no schema can know; but its family is none of ours.
    families = "|".join(sorted({re.escape(name.split(".")[0]) for name in procedures} | {"internals"}))
    job["patternProperties"] = {rf"^(?!({families})\.)[^.]+\.": {}}
    # One thing: beside a procedure stand keys of jobs only; and where these stand alone, it is missing.
    job["dependentSchemas"] = {
        name: {"propertyNames": {"enum": [*JOB, name, MERGE], "errorMessage": f"This job does one thing: `{name}`."}}
        for name in procedures
    }
    missing = "This job does nothing: give it a procedure, such as `builtins.shell: make test`."
    job["if"] = {"propertyNames": {"enum": list(JOB)}}
    job["then"] = {"required": ["builtins.shell"], "errorMessage": missing}
    return job


def _agent(keys: dict[str, KeySpec]) -> Schema:
    """Give what an agent may have, or `defaults`; whether it can be reached is seen where both are: see `reach`."""
    schema = _shape(keys)
    members = schema["properties"]
    for key, (pattern, says) in OF_AGENTS.items():
        text = scalar("string", "number", "boolean", pattern=pattern, says=says)
        if key in ("address", "data_address", "user"):
            text["minimum"] = 0  # as texts, numbers below it begin with `-`
        members[key].pop("type", None)
        if keys[key].kind == "words":
            members[key]["anyOf"] = [text, {"type": "array", "items": text}]
        else:
            members[key].update(text)
    argv: Schema = {"type": "array", "items": of_form("word")}
    nothing: Schema = {"enum": [None, ""]}
    members["command"]["anyOf"] = [
        nothing,
        of_form("command"),
        {**argv, **first_word(argv["items"]), "minItems": 0},
    ]
    members["env"].update({**names_of("variables"), "additionalProperties": of_form("word")})
    return schema


def _binary() -> Schema:
    """Give the way to the daemon: one of three, or an empty map for what is installed."""
    schema = _shape(BINARY)
    members = schema["properties"]
    members["pull"].update({"type": "string", "pattern": "^https?://"})
    members["sha256"].update(
        {"type": ["string", "integer"], "minimum": 10**63, "maximum": 10**64, "pattern": f"^[0-9a-fA-F]{{64}}{END}"}
    )
    members["installed"].pop("type")
    members["installed"]["anyOf"] = [SCALAR, {"type": "object", "maxProperties": 0}]
    kinds = [{"required": [kind]} for kind in ("push", "pull", "installed")]
    schema["oneOf"] = [*kinds, {"maxProperties": 0}]
    return schema


def _secret() -> Schema:
    """Give where the value of a secret comes from: one of four, each a text or a list of texts."""
    schema = _shape(SECRET)
    text = {**SCALAR, "minLength": 1}
    pair = {"type": "array", "items": text, "minItems": 2, "maxItems": 2}
    for kind, member in schema["properties"].items():
        del member["type" if "type" in member else "anyOf"]
        several: Schema = {"type": "array", "items": text, "minItems": 1}
        if kind == "keyring":
            one = scalar("string", pattern=r"[\s\S]+/[\s\S]", says="Write SERVICE/USER.")
            joined: Schema = {"type": "array", "items": one, "minItems": 1, "maxItems": 1}
            member["anyOf"] = [one, pair, joined]
        else:
            member["anyOf"] = [text, several if kind == "command" else {**several, "maxItems": 1}]
    return {**schema, "minProperties": 1, "maxProperties": 1}


def _update() -> Schema:
    """Give what a variable becomes: the text that `as` makes a number or a boolean of has to read as one."""
    whole = scalar(
        "string", "integer", pattern=rf"\s*-?(?:{INTEGER})\s*{END}", says="Write a whole number.", template=TEMPLATE
    )
    truth = scalar(
        "string", "boolean", pattern=f"(?:true|false){END}", says="Write `true` or `false`.", template=TEMPLATE
    )
    casts = [
        {
            "if": {"properties": {"as": {"const": name}}, "required": ["as"]},
            "then": {"properties": {"value": value}},
        }
        for name, value in (("int", whole), ("bool", truth))
    ]
    return {**_shape(UPDATE), "allOf": casts}


def _key(name: str, key: KeySpec) -> Schema:
    if key.kind == "choice":
        meanings = [MEANINGS[choice] for choice in key.choices]
        schema: Schema = {"enum": list(key.choices), "markdownEnumDescriptions": meanings, "enumDescriptions": meanings}
    elif key.kind == "integer":
        schema = number("integer", INTEGER, key, "Write a whole number.")
    elif key.kind == "duration":
        says = "Write a duration: `30`, `30s`, `5m`, `1h`."
        schema = number("number", DURATION, key, says)
        schema = {"minimum": 0, **schema}
    else:
        schema = dict(_SIMPLE[key.kind])
    if key.usual is not None:
        schema["default"] = key.usual
    if name in EXAMPLES:
        schema["examples"] = EXAMPLES[name]
    return described(schema, with_usual(key.doc, key.usual))
