"""How a value reads once it stands in a text: the original's way for scalars, JSON for what it did not know.

Knows nothing of templates. Every way from a value to text goes through here, so that a boolean is `true` everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from octogram_tui.template.scope import AgentNames

MAX_TEXT_CHARS = 4 << 20
MAX_JSON_PIECES = 400_000


class TooMuch(Exception):
    """A template that would need more than its share of memory or time; the text says of what."""


def text_of(value: Any) -> str:
    """Give the text of a value: booleans lower-case, null empty, lists and maps as JSON.

    Raises TooMuch when the text would be longer than MAX_TEXT_CHARS.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return ""
    if kind is int or kind is float:
        return str(value)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "values_by_name"):
        return json_text(dict(value.values_by_name))
    if hasattr(value, "__iter__"):
        return json_text(value)
    raise TypeError(f"a {type(value).__name__} is no value that can stand in a text")


def joined(pieces: Iterable[str]) -> str:
    """Put texts together, and stop as soon as they are too many. Raises TooMuch."""
    kept = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_TEXT_CHARS:
            raise TooMuch(f"a text would be longer than {MAX_TEXT_CHARS} characters")
        kept.append(piece)
    return "".join(kept)


def json_text(value: Any, indent: int | None = None) -> str:
    """Give a value as JSON, bounded while it is made: a list that holds itself twice may be 2^40 long."""
    pieces: list[str] = []
    size = 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, indent=indent, default=_plain).iterencode(value):
            size += len(piece)
            if size > MAX_TEXT_CHARS or len(pieces) > MAX_JSON_PIECES:
                raise TooMuch("a value is too large to be written as JSON")
            pieces.append(piece)
    except RecursionError:
        raise TooMuch("a value is nested too deeply to be written as JSON") from None
    return "".join(pieces)


def _plain(value: Any) -> Any:
    return list(value) if hasattr(value, "__iter__") else text_of(value)


def kind_of(value: Any) -> str:
    """Name the kind of a value for a person."""
    if value is None:
        return "null"
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    ((list, tuple, range), "a list"),
    (dict, "a map"),
    (AgentNames, "`agent`"),
)
