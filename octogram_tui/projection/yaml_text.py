"""Which part of a line of YAML is what: enough to colour it, never to read it. JSON passes for YAML.

Works line by line on text that is safe to show; only block scalars reach over lines, and `block_lines` finds those.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

PartKind = Literal["key", "string", "comment", "template", "mark", "text"]


class Part(NamedTuple):
    """A piece of a line, and what it is."""

    text: str
    kind: PartKind


# A string without an end reaches to the end of the line, so that no text has to be read twice.
_BLOCK = re.compile(r"(?:^|[:-])\s+(?:[!&]\S+\s+)?[|>][-+1-9]{0,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"{\[,|>&*!%@`-][^#{}\[\],]*?|-[^\s#:]+)(:)(?=\s|$)""")
_TEMPLATE = re.compile(r"\{\{(?:[^{}]|\}(?!\})|\{(?!\{))*\}\}|\{%(?:[^{}%]|%(?!\}))*%\}")
_SCALAR = re.compile(
    rf"""(?P<comment>(?:(?<=\s)|^)\#.*)
      | (?P<template>{_TEMPLATE.pattern})
      | (?P<string>(?<![^\s\[{{,:(])(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?))
      | (?P<mark>[{{}}\[\],])""",
    re.VERBOSE,
)
_DASHES = re.compile(r"(\s*)((?:- +|-$)*)")


def block_lines(lines: Sequence[str]) -> frozenset[int]:
    """Give the indices of the lines that are the text of a block scalar: what looks like a key there is none."""
    found: set[int] = set()
    inside: int | None = None  # the indent of the line that opened it
    for index, line in enumerate(lines):
        if inside is not None:
            if not line.strip() or len(line) - len(line.lstrip()) > inside:
                found.add(index)
                continue
            inside = None
        if ("|" in line or ">" in line) and not line.lstrip().startswith("#") and _BLOCK.search(line):
            # A key after dashes is indented by them: its text is deeper than the key, not only than the dash.
            dashes = _DASHES.match(line)
            inside = dashes.end() if dashes is not None and ":" in line else len(line) - len(line.lstrip())
    return frozenset(found)


def parts(line: str, *, in_block: bool = False) -> list[Part]:
    """Take a line apart. The texts of the parts, put together, are the line."""
    if in_block:
        return _with_templates(line, "text")
    head = _DASHES.match(line)
    begin = head.end() if head is not None else 0
    found: list[Part] = []
    if head is not None and begin:
        found += [Part(head[1], "text"), Part(head[2], "mark")]
    key = _KEY.match(line, begin)
    if key is not None:
        found += [*_with_templates(key[1], "key"), Part(key[2], "mark")]
        begin = key.end()
    for match in _SCALAR.finditer(line, begin):
        if match.start() > begin:
            found.append(Part(line[begin : match.start()], "text"))
        kind = match.lastgroup
        if kind == "string":
            found += _with_templates(match[0], "string")
        else:
            found.append(Part(match[0], "comment" if kind == "comment" else "mark" if kind == "mark" else "template"))
        begin = match.end()
    if begin < len(line):
        found.append(Part(line[begin:], "text"))
    return [part for part in found if part.text]


def templates_in(text: str) -> list[str]:
    """Give what is replaced in a text."""
    return _TEMPLATE.findall(text)


def _with_templates(text: str, kind: PartKind) -> list[Part]:
    found: list[Part] = []
    begin = 0
    for match in _TEMPLATE.finditer(text):
        found += [Part(text[begin : match.start()], kind), Part(match[0], "template")]
        begin = match.end()
    found.append(Part(text[begin:], kind))
    return [part for part in found if part.text]


_PATH_KEY = re.compile(r"""^(\s*(?:- +)*)(?:"([^"]*)"|'([^']*)'|([^\s#'"{\[][^#]*?)):(?:\s|$)""")


def key_path(lines: Sequence[str], index: int, top: int) -> list[str]:
    """Give the keys that lead to a line, the outermost first, as far as the line `top`; empty where there is no key.

    By indentation, as people read it: flow mappings and block scalars have no paths.
    """
    path: list[str] = []
    limit: int | None = None
    for number in range(index, top - 1, -1):
        match = _PATH_KEY.match(lines[number])
        if match is None:
            if number == index:
                return []
            continue
        indent = len(match[1])
        if limit is None or indent < limit:
            path.insert(0, next(name for name in match.groups()[1:] if name is not None).strip())
            limit = indent
    return path
