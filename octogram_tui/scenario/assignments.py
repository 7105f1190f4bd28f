"""Variables of the command line and of the console's form: `NAME=VALUE`, with the value typed as in YAML.

A value is what YAML makes of one that stands alone in a line: a scalar, `[..]`, `{..}` or a text in quotes. What would
be a list or a map only by its layout (`- a`, `a: 1`) stays the text that was typed: `error: no such file` is no map.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from octogram_tui.errors import Problem, UsageError
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.scalars import read_plain
from octogram_tui.scenario.tree import Document, plain

_BY_LAYOUT = re.compile(r"-\s|[\w.-]+:\s|\w[\w.-]*:$")


class Assignment(NamedTuple):
    """A variable that was given a value, and what is doubtful about that."""

    name: str
    value: Any
    warnings: tuple[Problem, ...] = ()


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read `NAME=VALUE`, without what is doubtful about it. Raises UsageError."""
    return read_assignment(text)[:2]


def read_assignment(text: str) -> Assignment:
    """Read `NAME=VALUE`. Raises UsageError."""
    name, separator, value = text.partition("=")
    name = name.strip()
    if not separator or not name:
        raise UsageError(f"`{text}` is not NAME=VALUE", hint="write for instance --var network=sandbox")
    if not value.startswith(("[", "{", '"', "'")):
        return _plain(name, value)
    from octogram_tui.scenario.yaml_reader import read_yaml

    document = read_yaml("--var", value)
    if document.errors:
        problem = document.errors[0].message
        raise UsageError(f"the value of `{name}` is not YAML: {problem}", hint="quote it for the shell")
    return Assignment(name, plain(document.root), tuple(_doubts(document)))


def _plain(name: str, value: str) -> Assignment:
    """Read what neither quotes nor brackets begin."""
    if not value:
        return Assignment(name, "")
    if _BY_LAYOUT.match(value):
        message = f"the value of `{name}` is the text `{value}`: neither a list nor a map"
        hint = f"write '{name}=[a, b]' for a list, '{name}={{a: 1}}' for a map, or the text in double quotes"
        return Assignment(name, value, (_warning(message, hint),))
    reading = read_plain(value)
    if not reading.warning and (not reading.is_respelled or isinstance(reading.value, bool)):
        return Assignment(name, reading.value)
    message = reading.warning or f"`{value}` is read as {'null' if reading.value is None else reading.value}"
    return Assignment(name, reading.value, (_warning(message, f"write '{name}=\"{value}\"' for a text"),))


def _doubts(document: Document) -> list[Problem]:
    """Give what is doubtful about a value of YAML, without places: it is one line."""
    problems: list[Problem] = []
    findings = Findings(document, problems)
    findings.warn_of_variable(document.root, document.place)
    return [_warning(problem.message, problem.hint) for problem in problems]


def _warning(message: str, hint: str) -> Problem:
    return Problem("--var", 0, 0, message, hint, is_warning=True)
