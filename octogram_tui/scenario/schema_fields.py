"""The JSON Schema of procedures: what their fields take, one schema for each kind of field."""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import Any

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.scenario.arguments import is_original
from octogram_tui.scenario.schema_texts import (
    DURATION,
    END,
    FLOAT,
    INTEGER,
    SCRIPT_TEMPLATE,
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
_TEXTS_OF = {"number": ("0", "7", "10", "-1", "1.5", "1e+40", "1" * 40, "1" * 64), "boolean": ("true",)}
"""What numbers and booleans may be as texts: a kind of which no pattern takes one is refused where there is one."""
_WRITTEN = ("string", "array", "object", "number", "boolean")
"""Where nearly all can be written: an editor that offers a name leaves out the `:` behind it when no type is told."""
_WHOLE: Schema = {"type": "string", "pattern": r"^\{\{[\s\S]*\}\}\n?$"}


def described(schema: Schema, text: str) -> Schema:
    """Add what a person reads: the same words as plain text and as Markdown, in which `…` is code."""
    return {**schema, "description": text, "markdownDescription": text.replace("<", "&lt;")} if text else schema


def with_usual(text: str, usual: object) -> str:
    """Add to a description what is taken when nothing is written: editors show no `default` of a schema."""
    if usual in (None, "", [], {}) or not isinstance(usual, (str, int, float)) or "default" in text.lower():
        return text
    written = usual if isinstance(usual, str) else json.dumps(usual).removesuffix(".0")
    return f"{text} By default `{written}`."


def bounds(declared: KeySpec | Field[Any]) -> Schema:
    """Give the limits of a number."""
    limits = {"exclusiveMinimum": declared.above, "minimum": declared.minimum, "maximum": declared.maximum}
    return {name: limit for name, limit in limits.items() if limit is not None}


def number(kind: str, pattern: str, declared: KeySpec | Field[Any], says: str, template: str = "") -> Schema:
    """Give a number, which may stand in quotes: of its limits a pattern knows zero alone."""
    above_zero = declared.above == 0 or (declared.minimum or 0) > 0
    no_less = above_zero or declared.minimum == 0
    signs = (r"(?=.*[1-9a-fA-F])" if above_zero else "") + (r"(?!\s*-.*[1-9])" if no_less else "")
    written = rf"{signs}(?:{pattern}){END}"
    return {**scalar(kind, "string", pattern=written, says=says, template=template), **bounds(declared)}


def procedure_schema(procedure: type[Procedure]) -> Schema:
    """Give what stands below a procedure's name."""
    fields = FieldSchemas(TEMPLATE if is_original(procedure.procedure) else SCRIPT_TEMPLATE)
    whole = fields.members(procedure.fields, procedure.exactly_one)
    doc = cleandoc(procedure.__doc__ or "")
    first = " ".join(doc.split("\n\n")[0].split())
    if procedure.short:
        # Told apart by what is written, so that what is wrong is said of that.
        short = fields.of(procedure.fields[procedure.short])
        short = described(short, f"{first} {short['description']}")
        schema: Schema = {"type": list(_WRITTEN), "if": {"type": "object"}, "then": whole, "else": short}
    else:
        if not whole["required"] and not procedure.exactly_one:
            whole["type"] = ["object", "null"]
        schema = whole
    result = [f"- `res.{name}`: {meaning}" for name, meaning in procedure.result.items()]
    schema = {"title": procedure.procedure, **described(schema, first)}
    schema["markdownDescription"] = doc.replace("<", "&lt;")
    if result:
        schema["markdownDescription"] += "\n\nIts result:\n\n" + "\n".join(result).replace("<", "&lt;")
    return schema


class FieldSchemas:
    """Makes the schemas of the fields of one procedure. template: what makes a text one there."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._computed: Schema = {"type": "string", "pattern": template}

    def of(self, field: Field[Any]) -> Schema:
        """Give what one field takes, and what it is for."""
        schema = described(self._value(field, field.kind), with_usual(field.doc, field.default))
        if isinstance(field.default, str) and "}" in field.default:
            schema["examples"] = [field.default]  # a brace in a default ends what an editor puts in, in an example not
        elif field.default is not None:
            schema["default"] = field.default
        return schema

    def members(self, fields: dict[str, Field[Any]], exactly_one: tuple[str, ...]) -> Schema:
        """Give what a map of known names takes: a record, or the arguments of a procedure."""
        schema: Schema = {
            "type": "object",
            "properties": {name: self.of(field) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.required and not field.formerly],
            "additionalProperties": False,
        }
        ways = {name: [{"required": [each]} for each in (name, *field.formerly)] for name, field in fields.items()}
        renamed = []
        for name, field in fields.items():
            if field.formerly:
                now = f"Now called `{name}`."
                former = {**described(self.of(field), now), "deprecated": True, "doNotSuggest": True}
                schema["properties"].update(dict.fromkeys(field.formerly, former))
                absent = [] if field.required else [{"not": {"anyOf": ways[name]}}]
                renamed.append({"oneOf": [*ways[name], *absent]})
        if renamed:
            schema["allOf"] = renamed
        if exactly_one:
            schema["oneOf"] = [way for name in exactly_one for way in ways[name]]
        return schema

    def _value(self, field: Field[Any], kind: str) -> Schema:
        if kind.endswith("_or_list"):
            single = kind.removesuffix("_or_list")
            of = self.of(field.of) if field.of is not None else self._value(field, single)
            several: Schema = {"type": "array", "items": of, "minItems": 1}
            if field.form == "command":
                several.update(first_word(of))
            return {"anyOf": [self._value(field, single), several]}
        if kind in ("list", "tuple", "map", "record"):
            written = self._collection(field, kind)
            return {"anyOf": [written, _WHOLE]} if field.template else written
        if kind == "any":
            return {"type": [*_WRITTEN, "null"]}
        if kind == "expression":
            return {"type": ["string", "boolean"]}
        schema = self._scalar(field, kind)
        if field.max_bytes is not None:  # fewer signs than bytes, so that nothing is refused which fits
            schema["anyOf"] = [{"maxLength": field.max_bytes}, {"pattern": self._template}]
        return schema

    def _collection(self, field: Field[Any], kind: str) -> Schema:
        """Give what is written as a list or a map."""
        if kind == "list":
            return {"type": "array", "items": self._each(field)}
        if kind == "tuple":
            return {
                "type": "array",
                "prefixItems": [self.of(each) for each in field.of],
                "minItems": len(field.of),
                "maxItems": len(field.of),
            }
        if kind == "map":
            return {"type": "object", "additionalProperties": self._each(field), **names_of(field.form)}
        return self.members(field.fields, field.exactly_one)

    def _each(self, field: Field[Any]) -> Schema:
        return SCALAR if field.of is None else self.of(field.of)

    def _scalar(self, field: Field[Any], kind: str) -> Schema:
        """Give what a scalar may be: a text may stand as a number, a number as a text, all of them as templates."""
        template = self._template if field.template else ""
        if kind == "bool" or (field.choices and kind == "str"):
            literal: Schema = {"enum": list(field.choices) or [True, False, "true", "false"]}
            return {"anyOf": [literal, self._computed]} if template else literal
        if kind == "int":
            signed = rf"-?(?:{INTEGER})" if field.minimum is None or field.minimum < 0 else INTEGER
            return number("integer", signed, field, "Write a whole number.", template)
        if kind == "float":
            return number("number", f"{FLOAT}|{DURATION}", field, "Write a number.", template)
        if field.pattern:
            types = [
                name for name, texts in _TEXTS_OF.items() if any(re.fullmatch(field.pattern, text) for text in texts)
            ]
            says = field.doc.split(". ")[0]
            return scalar("string", *types, pattern=f"(?:{field.pattern}){END}", says=says, template=template)
        if bounds(field):
            return number("number", FLOAT, field, "Write a number.", template)
        return of_uri(field.uri, template) if field.uri else of_form(field.form, template)
