"""Arguments that an operator gives by hand: values as the agent gets them, held to the procedure's declaration.

No text in them is a template. Whoever edits what was sent gives a URI back as it was resolved: that is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.field_values import Resolve, Resolved, fit
from octogram_tui.scenario.fields import Make, text_maker, value_maker
from octogram_tui.scenario.findings import kind_of, suggestion
from octogram_tui.template.analysis import uses
from octogram_tui.template.source import is_template
from octogram_tui.template.text import text_of

_RESOLVED = frozenset(("owned", "remote", "path"))


class Replacement(NamedTuple):
    """What takes the places of arguments. gone: those that are left out now; makers: for what is known at the start."""

    values: dict[str, Any]
    makers: dict[str, Make]
    gone: frozenset[str]


def read_given(
    procedure: type[Procedure], given: Mapping[str, Any], there: Mapping[str, Any], *, braces: bool
) -> Replacement:
    """Check arguments. null leaves one out, where that can be. there: what the job has. Raises TemplateError."""
    fields = procedure.fields
    values: dict[str, Any] = {}
    makers: dict[str, Make] = {}
    gone: set[str] = set()
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            known = ", ".join(fields) or "none"
            message = f"`{procedure.procedure}` has no argument `{name}`{suggestion(name, fields)}"
            raise TemplateError(message, hint=f"they are {known}")
        if value is None and field.kind != "any":
            if field.required:
                raise TemplateError(f"`{name}` cannot be left out", hint=field.doc)
            gone.add(name)
            value = field.default
            if value is None:
                continue
            if isinstance(value, str) and is_template(value, braces=braces):
                values[name] = value
                makers[name] = (text_maker if field.kind == "str" else value_maker)(field, value, name, braces)
                continue
        values[name] = _fitted(field, value, name, _as_written)
        if _has_uri(field):
            makers[name] = _maker(field, value, name)
    group = procedure.exactly_one
    if any(name in values for name in group):
        gone.update(name for name in group if name not in values)
    left = [name for name in group if name in values or (name in there and name not in gone)]
    if group and len(left) != 1:
        raise TemplateError(f"`{procedure.procedure}` takes exactly one of {', '.join(f'`{name}`' for name in group)}")
    watched = procedure.watched
    if watched and (watched in left or watched in values) != (there.get(watched) is not None):
        raise TemplateError(f"`{watched}` says who carries the job out", hint="edit the file for that")
    return Replacement(values, makers, frozenset(gone))


def _as_written(kind: str, uri: str) -> Any:
    return uri


def _maker(field: Field[Any], value: Any, name: str) -> Make:
    return lambda _, resolve: _fitted(field, value, name, resolve)


def _has_uri(field: Field[Any]) -> bool:
    """Tell whether any part of a field names something of an agent."""
    within = [*field.fields.values(), *(field.of if isinstance(field.of, tuple) else [field.of])]
    return bool(field.uri) or any(_has_uri(part) for part in within if isinstance(part, Field))


def _fitted(field: Field[Any], value: Any, path: str, resolve: Resolve) -> Any:
    """Give a value as its field wants it: what `fit` does, and what no template gives."""
    if field.kind.startswith("expression"):
        return _expressions(field, value, path)
    return fit(field, _marked(value) if _has_uri(field) else value, path, resolve)


def _marked(value: Any) -> Any:
    """Mark what looks like a URI that was resolved; where none stands, it is a map like any other."""
    if isinstance(value, list):
        return [_marked(element) for element in value]
    if not isinstance(value, dict):
        return value
    is_resolved = value and set(value) <= _RESOLVED and all(isinstance(part, str) for part in value.values())
    return Resolved(value) if is_resolved else {name: _marked(element) for name, element in value.items()}


def _expressions(field: Field[Any], value: Any, path: str) -> Any:
    """Take conditions, which stay expressions."""
    if isinstance(value, list) and field.kind.endswith("_or_list") and value:
        return [_expressions(field, each, f"{path}[{i}]") for i, each in enumerate(value)]
    if isinstance(value, bool):
        return text_of(value)
    if not isinstance(value, str):
        raise TemplateError(f"`{path}` takes an expression that is true or false, not {kind_of(value)}")
    found = uses(value, expression=True)
    if found.problem:
        raise TemplateError(f"`{path}`: {found.problem}", hint=found.hint)
    return value
