"""The short way for the templates that most scenarios consist of: text and dotted names, no operators, no filters.

Saves the template engine's import and compilation. Anything unusual (a missing name, a method, a null) is left to
the engine, so that there is one place that decides and complains.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from octogram_tui.template.scope import AgentNames, PortTexts, VisibleVariables
from octogram_tui.template.text import text_of


class Name(NamedTuple):
    """A name of the scope and the steps from it: strings for members, integers for elements."""

    root: str
    steps: tuple[str | int, ...]


_PATH = r"(vars|agent|re|item|res|port)((?:\.[A-Za-z][A-Za-z0-9_]*|\[\d{1,6}\]|\['[^'\\{}]*'\]|\[\"[^\"\\{}]*\"\])*)"
_TAG = re.compile(r"(?<!\{)\{\{ *" + _PATH + r" *\}\}")
_EXPRESSION = re.compile(r"\s*" + _PATH + r"\s*")
_STEP = re.compile(r"\.([A-Za-z][A-Za-z0-9_]*)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
_REST = re.compile(r"\{[{%#]|\r")
_BRACE = re.compile(r"\\[{}]")

Parts = tuple[str | Name, ...]


@functools.lru_cache(1024)
def _name(root: str, path: str) -> Name:
    steps: list[str | int] = []
    for member, index, key in _STEP.findall(path):
        steps.append(int(index) if index else member or key)
    return Name(root, tuple(steps))


def parse(text: str) -> Parts | None:
    """Take a template apart into texts and names; None when it holds more than those."""
    if "\\" in text and _BRACE.search(text):
        return None
    parts: list[str | Name] = []
    end = 0
    for found in _TAG.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        parts.append(_name(found[1], found[2]))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    for part in parts:
        if isinstance(part, str) and type(part) is str and _REST.search(part):
            return None
    return tuple(parts)


def parse_expression(text: str) -> Name | None:
    """Take an expression that is just a name; None when it is more."""
    found = _EXPRESSION.fullmatch(text)
    return None if found is None else _name(found[1], found[2])


def value_of(name: Name, scope: Mapping[str, Any]) -> Any:
    """Give what a name stands for. Raises LookupError when the engine should look at it."""
    value = scope[name.root]
    for step in name.steps:
        kind = type(value)
        if kind is VisibleVariables:
            value = value.values_by_name[step]
        elif kind is dict:
            value = value[step]
        elif kind is list or kind is tuple:
            if type(step) is not int:
                raise LookupError(step)
            value = value[step]
        elif kind is AgentNames and step in ("name", "address", "labels"):
            value = getattr(value, str(step))
        elif kind is PortTexts and type(step) is str:
            value = value[step]
        else:
            raise LookupError(step)
    return value


def render(parts: Parts, scope: Mapping[str, Any]) -> str:
    """Expand. Raises LookupError when the engine should do it."""
    pieces = []
    for part in parts:
        if type(part) is str:
            pieces.append(part)
        else:
            value = value_of(part, scope)  # type: ignore[arg-type]
            if type(value) in (VisibleVariables, AgentNames, PortTexts):
                raise LookupError(part)
            pieces.append(value if type(value) is str else text_of(value))
    return "".join(pieces)
