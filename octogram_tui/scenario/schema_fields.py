"""The JSON Schema of procedures: what their fields take, one schema for each kind of field."""

from __future__ import annotations

import re
from typing import Any

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.scenario.schema_texts import (
    DURATION,
    END,
    FLOAT,
    INTEGER,
    TEMPLATE,
    Schema,
    first_word,
    names_of,
    of_form,
    of_uri,
    scalar,
)
from octogram_tui.scenario.shapes import KeySpec

SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_WHOLE: Schema = {"type": "string", "pattern": r"^\{\{[\s\S]*\}\}\n?$"}


def described(schema: Schema, text: str) -> Schema:
    """Add what a person reads: the same words as plain text and as Markdown, in which `…` is code."""
    return {**schema, "description": text, "markdownDescription": text.replace("<", "&lt;")} if text else schema


def bounds(declared: KeySpec | Field[Any]) -> Schema:
    """Give the limits of a number."""
    limits = {"exclusiveMinimum": declared.above, "minimum": declared.minimum, "maximum": declared.maximum}
    return {name: limit for name, limit in limits.items() if limit is not None}


def number(kind: str, pattern: str, declared: KeySpec | Field[Any], says: str, *, may_be_template: bool) -> Schema:
    """Give a number, which may stand in quotes: of its limits a pattern can only say that it is not zero."""
    above_zero = declared.above == 0 or (declared.minimum or 0) > 0
    written = rf"{'(?=.*[1-9a-fA-F])' if above_zero else ''}(?:{pattern}){END}"
    return {**scalar(kind, "string", pattern=written, says=says, may_be_template=may_be_template), **bounds(declared)}


def procedure_schema(procedure: type[Procedure]) -> Schema:
    """Give what stands below a procedure's name."""
    whole = _members(procedure.fields, procedure.exactly_one)
    doc = " ".join((procedure.__doc__ or "").strip().split("\n\n")[0].split())
    if procedure.short:
        short = _field(procedure.fields[procedure.short])
        schema: Schema = {"anyOf": [short, whole]}
    else:
        if not whole["required"] and not procedure.exactly_one:
            whole["type"] = ["object", "null"]
        schema = whole
    result = [f"- `res.{name}`: {meaning}" for name, meaning in procedure.result.items()]
    schema = described(schema, doc)
    if result:
        schema["markdownDescription"] += "\n\nIts result:\n\n" + "\n".join(result).replace("<", "&lt;")
    return schema


def _members(fields: dict[str, Field[Any]], exactly_one: tuple[str, ...]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: _field(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required and not field.formerly],
        "additionalProperties": False,
    }
    ways = {name: [{"required": [each]} for each in (name, *field.formerly)] for name, field in fields.items()}
    renamed = []
    for name, field in fields.items():
        if field.formerly:
            now = f"Now called `{name}`."
            former = {**described(_field(field), now), "deprecated": True, "deprecationMessage": now}
            schema["properties"].update(dict.fromkeys(field.formerly, former))
            absent = [] if field.required else [{"not": {"anyOf": ways[name]}}]
            renamed.append({"oneOf": [*ways[name], *absent]})
    if renamed:
        schema["allOf"] = renamed
    if exactly_one:
        schema["oneOf"] = [way for name in exactly_one for way in ways[name]]
    return schema


def _field(field: Field[Any]) -> Schema:
    schema = described(_value(field, field.kind), field.doc)
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _value(field: Field[Any], kind: str) -> Schema:
    if kind.endswith("_or_list"):
        single = kind.removesuffix("_or_list")
        of = _field(field.of) if field.of is not None else _value(field, single)
        several: Schema = {"type": "array", "items": of, "minItems": 1}
        if field.form == "command":
            several.update(first_word(of))
        return {"anyOf": [_value(field, single), several]}
    if kind in ("list", "tuple", "map", "record"):
        written = _collection(field, kind)
        return {"anyOf": [written, _WHOLE]} if field.template else written
    if kind == "any":
        return {}
    if kind == "expression":
        return {"type": ["string", "boolean"]}
    schema = _scalar(field, kind)
    if field.max_bytes is not None:  # fewer signs than bytes, so that nothing is refused which fits
        schema["anyOf"] = [{"maxLength": field.max_bytes}, {"pattern": TEMPLATE}]
    return schema


def _collection(field: Field[Any], kind: str) -> Schema:
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
        names = names_of(field.form)
        return {"type": "object", "additionalProperties": {} if field.of is None else _field(field.of), **names}
    return _members(field.fields, field.exactly_one)


def _scalar(field: Field[Any], kind: str) -> Schema:
    """Give what a scalar may be: a text may be written as a number, a number as a text, all of them as templates."""
    is_template = field.template
    if kind == "bool":
        literal: Schema = {"enum": [True, False, "true", "false"]}
        return {"anyOf": [literal, {"type": "string", "pattern": TEMPLATE}]} if is_template else literal
    if kind == "int":
        signed = rf"-?(?:{INTEGER})" if field.minimum is None or field.minimum < 0 else INTEGER
        return number("integer", signed, field, "Write a whole number.", may_be_template=is_template)
    if kind == "float":
        return number("number", f"{FLOAT}|{DURATION}", field, "Write a number.", may_be_template=is_template)
    if field.choices:
        literal = {"enum": list(field.choices)}
        return {"anyOf": [literal, {"type": "string", "pattern": TEMPLATE}]} if is_template else literal
    if field.pattern:
        says = field.doc.split(". ")[0]
        pattern = f"(?:{field.pattern}){END}"
        types = ["number", *(["boolean"] if re.match(pattern, "true") or re.match(pattern, "false") else [])]
        return scalar("string", *types, pattern=pattern, says=says, may_be_template=is_template)
    if bounds(field):
        return number("number", FLOAT, field, "Write a number.", may_be_template=is_template)
    if field.uri:
        return of_uri(field.uri)
    return of_form(field.form)
