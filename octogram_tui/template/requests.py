"""What is asked of the process that evaluates apart, and what it answers: as bytes, and back.

A request has of the scope what the template may look at, as far as that can be seen in it.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from octogram_tui.errors import TemplateError
from octogram_tui.template.scope import AgentNames, Lookup, PortTexts, VisibleVariables

Kind = Literal["text", "value", "condition"]
"""What comes of a template: a text; of an expression: a value, or whether it holds."""


Bound = Literal["time", "memory", "stopped", "broken"]
"""Why an evaluation ended without an answer. stopped: nobody wants it any more."""


class Request(NamedTuple):
    """One evaluation. cpu_s: how much it may take."""

    kind: Kind
    text: str
    braces: bool
    cpu_s: float
    scope: dict[str, Any]


def encode(request: Request) -> bytes:
    """Give the bytes of a request."""
    kind, text, braces, cpu_s, scope = request
    from octogram_tui.template.analysis import uses

    used = uses(text, braces=braces) if kind == "text" else uses(text, expression=True)
    given = {name: _sent(value, used.variables, used.is_computed) for name, value in scope.items() if name != "var"}
    try:
        return marshal.dumps((kind, text, braces, cpu_s, given))
    except ValueError:  # texts and lists that are more than that
        return marshal.dumps((kind, text, braces, cpu_s, _bare(given)))


def decode(data: bytes) -> Request:
    """Give the request of some bytes."""
    kind, text, braces, cpu_s, given = marshal.loads(data)
    scope = {name: _received(value) for name, value in given.items()}
    if "vars" in scope:
        scope["var"] = Lookup(scope["vars"])
    return Request(kind, text, braces, cpu_s, scope)


def _sent(value: Any, names: frozenset[str], is_computed: bool) -> tuple[str, Any]:
    if isinstance(value, VisibleVariables):
        values = value.values_by_name
        return "vars", {**values} if is_computed else {name: values[name] for name in names if name in values}
    if isinstance(value, AgentNames):
        return "agent", (value.name, value.address, value.labels)
    return ("port", value.mark) if isinstance(value, PortTexts) else ("", value)


def _received(sent: tuple[str, Any]) -> Any:
    match sent:
        case "vars", values:
            return VisibleVariables(values)
        case "agent", (name, address, labels):
            return AgentNames(name, address, labels)
        case "port", mark:
            return PortTexts(mark)
        case _, value:
            return value


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_bare(key): _bare(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_bare(inner) for inner in value)
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


def encode_value(value: Any) -> bytes:
    """Give the bytes of an answer."""
    return json.dumps({"value": value}).encode()


def encode_error(error: TemplateError) -> bytes:
    """Give those of an error."""
    return json.dumps({"error": [error.message, error.hint or "", error.name]}).encode()


def encode_missing(what: str, name: str) -> bytes:
    """Give those of a name that is not there: which is meant instead, only who asked can tell.

    what: `name` for one of the scope, `variable`.
    """
    return json.dumps({"missing": [what, name]}).encode()


def answered(data: bytes) -> dict[str, Any]:
    """Give an answer: {value}, {error: [message, hint, name]} or {missing: [what, name]}."""
    return json.loads(data)  # type: ignore[no-any-return]
