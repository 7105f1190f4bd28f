"""What a field's scalars must be: their kind, and the limits, choices and patterns of its declaration."""

from __future__ import annotations

import functools
import re
from typing import Any

from octogram_agentd.patterns.search import Pattern
from octogram_agentd.patterns.syntax import PatternFault
from octogram_agentd.procedures.base import Field
from octogram_tui.scenario.findings import kind_of, suggestion
from octogram_tui.scenario.scalars import is_finite, read_duration_s
from octogram_tui.template.numbers import integer

WANTED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


@functools.lru_cache(4096)
def takes_any_text(field: Field[Any]) -> bool:
    """Tell whether a field takes every text without a template as it is."""
    return field.kind in ("str", "str_or_list") and not (field.uri or field.form or is_limited(field))


def coerce(field: Field[Any], value: Any) -> Any:
    """Give a value as its field wants it. Raises ValueError: what it takes, and what it got."""
    result: Any = None
    if field.kind == "bool":
        if isinstance(value, bool):
            result = value
        elif value in ("true", "false"):
            result = value == "true"
    elif field.kind == "int":
        result = _integer(value)
    else:
        result = _number(value)
    if result is None:
        raise ValueError(f"takes {WANTED[field.kind]}, not {kind_of(value)}")
    refusal = refuse(field, result)
    if refusal is not None:
        raise ValueError(refusal)
    return result


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        try:
            return integer(value)
        except ValueError:
            return None
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return read_duration_s(value)
        value = int(value) if value.is_integer() else value
    return value if is_finite(value) else None


@functools.lru_cache(4096)
def is_limited(field: Field[Any]) -> bool:
    """Tell whether a field refuses anything of its kind."""
    return bool(field.choices or field.pattern or field.is_pattern or field.max_bytes is not None or has_bounds(field))


def refuse(field: Field[Any], value: Any) -> str | None:
    """Say why a field refuses an expanded value; None when it does not."""
    if not is_limited(field):
        return None
    if field.choices and value not in field.choices:
        like = suggestion(str(value), field.choices)
        return f"must be one of {', '.join(field.choices)}, not {kind_of(value)}{like}"
    if isinstance(value, str) and has_bounds(field) and _number(value) is None:
        return f"takes a number, not {kind_of(value)}"
    if field.above is not None and _size(value) <= field.above:
        absent = f" (left out, it is {field.default:g})" if isinstance(field.default, (int, float)) else ""
        return f"must be more than {field.above:g}, not {kind_of(value)}{absent}"
    if field.minimum is not None and _size(value) < field.minimum:
        return f"must be at least {field.minimum:g}, not {kind_of(value)}"
    if field.maximum is not None and _size(value) > field.maximum:
        return f"must be at most {field.maximum:g}, not {kind_of(value)}"
    if field.max_bytes is not None and isinstance(value, str) and len(value.encode()) > field.max_bytes:
        return f"has {len(value.encode())} bytes; at most {field.max_bytes} are allowed"
    if field.pattern and isinstance(value, str) and not re.fullmatch(field.pattern, value):
        meaning = field.doc.split(". ")[0].rstrip(".")
        return f"must match {field.pattern}, which {kind_of(value)} does not{f' ({meaning})' if meaning else ''}"
    if field.is_pattern and isinstance(value, str):
        try:
            Pattern(value)
        except PatternFault as fault:
            return f"is not a regular expression: {fault}{f'; {fault.hint}' if fault.hint else ''}"
    return None


def has_bounds(field: Field[Any]) -> bool:
    """Tell whether a field's values are numbers, whatever they are written as."""
    return field.above is not None or field.minimum is not None or field.maximum is not None


def _size(value: Any) -> float:
    """Give the number that limits apply to: of a text, what it reads as (ports are texts in the original)."""
    if isinstance(value, str):
        return _number(value) or 0
    return float(value) if isinstance(value, float) else int(value)
