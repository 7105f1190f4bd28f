"""JSON to a tree with places. Knows nothing of scenarios.

A parser of its own, since the YAML parser reads some JSON differently (surrogate pairs, long keys) and the library's
own JSON parser keeps no places and the last of two equal keys.
"""

from __future__ import annotations

import json
import re
from json import decoder
from typing import Any

from octogram_tui.scenario.tree import MAX_DEPTH, NOWHERE, Document, Flaw, Lines, ListNode, MapNode, Place
from octogram_tui.template.text import text_of

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # the other lone surrogates stand for bytes that are not UTF-8
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}


class Wrong(Exception):
    """Not JSON, at a position."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class JsonParser:
    """Parses one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.errors: list[Flaw] = []
        self.spellings: dict[tuple[int, int], str] = {}
        self.starts = Lines(text).starts
        self.line = 0
        self.depth = 0

    def place(self, position: int) -> Place:
        """Give line and column of a position; positions mostly grow, so that the search is a step."""
        starts = self.starts
        line = self.line
        while line + 1 < len(starts) and starts[line + 1] <= position:
            line += 1
        while starts[line] > position:
            line -= 1
        self.line = line
        return Place(line + 1, position - starts[line] + 1)

    def skip(self, position: int) -> int:
        """Go over white space."""
        found = _SPACE.match(self.text, position)
        return found.end() if found else position

    def value(self, position: int) -> tuple[Any, int]:
        """Parse the value at a position; gives it and the position after it. Raises Wrong."""
        text = self.text
        char = text[position : position + 1]
        if char == '"':
            return self.string(position)
        if char in ("{", "["):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise Wrong(f"this is nested more than {MAX_DEPTH} levels deep", position)
            result: tuple[Any, int] = self.map(position) if char == "{" else self.list(position)
            self.depth -= 1
            return result
        for word, value in _WORDS.items():
            if text.startswith(word, position):
                return value, position + len(word)
        found = _NUMBER.match(text, position)
        if found:
            written = found.group()
            number = float(written) if found[1] or found[2] or len(written) > 400 else int(written)
            if text_of(number) != written:
                place = self.place(position)
                self.spellings[place.line, place.column] = written
            return number, found.end()
        raise Wrong("a value is expected here" if char else "the file ends too early", position)

    def string(self, position: int) -> tuple[str, int]:
        """Parse a string."""
        try:
            value, end = decoder.scanstring(self.text, position + 1, True)  # type: ignore[attr-defined]
        except json.JSONDecodeError as error:
            raise Wrong(error.msg[:1].lower() + error.msg[1:].removesuffix(" at"), error.pos) from None
        if _HALF.search(value):
            raise Wrong("this text holds half of a character: a surrogate without the other one", position)
        return value, end

    def map(self, position: int) -> tuple[MapNode, int]:
        """Parse an object; a key given twice is an error, at the second place."""
        node = MapNode.at(self.place(position))
        position = self.skip(position + 1)
        if self.text[position : position + 1] == "}":
            return node, position + 1
        while True:
            if self.text[position : position + 1] != '"':
                raise Wrong("a key in double quotes is expected here", position)
            key_place = self.place(position)
            key, position = self.string(position)
            position = self.skip(position)
            if self.text[position : position + 1] != ":":
                raise Wrong("a `:` is missing after this key", position)
            position = self.skip(position + 1)
            value_place = self.place(position)
            value, position = self.value(position)
            if key in node:
                hint = f"it is in line {node.key_place(key).line} already; keep one of them"
                self.errors.append(Flaw(key_place, f"`{key}` is given twice", hint))
            else:
                node[key] = value
                node.marks[key] = (key_place, value_place)
            position = self.skip(position)
            char = self.text[position : position + 1]
            if char == "}":
                return node, position + 1
            if char != ",":
                raise Wrong("a `,` or `}` is missing", position)
            position = self.skip(position + 1)

    def list(self, position: int) -> tuple[ListNode, int]:
        """Parse an array."""
        node = ListNode.at(self.place(position))
        position = self.skip(position + 1)
        if self.text[position : position + 1] == "]":
            return node, position + 1
        while True:
            node.marks.append(self.place(position))
            value, position = self.value(position)
            node.append(value)
            position = self.skip(position)
            char = self.text[position : position + 1]
            if char == "]":
                return node, position + 1
            if char != ",":
                raise Wrong("a `,` or `]` is missing", position)
            position = self.skip(position + 1)


def read_json(file: str, text: str) -> Document:
    """Read a JSON document. Never raises: what is wrong is in `errors`."""
    parser = JsonParser(text)
    root, place = None, NOWHERE
    try:
        start = parser.skip(0)
        if start == len(text):
            raise Wrong("the file is empty", 0)
        place = parser.place(start)
        root, end = parser.value(start)
        end = parser.skip(end)
        if end < len(text):
            raise Wrong("nothing may follow the end of the document", end)
    except Wrong as wrong:
        parser.errors.append(Flaw(parser.place(min(wrong.position, max(len(text) - 1, 0))), str(wrong)))
    return Document(file, root, place, text, parser.errors, [], parser.spellings)
