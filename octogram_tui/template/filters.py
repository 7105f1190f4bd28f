"""The filters and functions that templates get beyond those of the template engine; several have the original's names.

Plain functions of JSON values; knows nothing of the template engine.
"""

from __future__ import annotations

import hashlib
import html
import shlex
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote as quote_for_url
from urllib.parse import quote_plus

from octogram_tui.template.limits import check_chars, check_replace, concatenate, kind_of
from octogram_tui.template.text import json_text, text_of


def basename(path: Any) -> str:
    """Give the last component of a path; `/` for the root and `.` for nothing, as the original."""
    text = text_of(path)
    if not text:
        return "."
    return text.rstrip("/").rpartition("/")[2] or "/"


def hex_of(value: Any) -> str:
    """Give the lower-case hexadecimal of a text's bytes."""
    return text_of(value).encode("utf-8", "surrogateescape").hex()


def quote(value: Any) -> str:
    """Quote for the shell: one word whatever the value; a list becomes several words."""
    if isinstance(value, (list, tuple)):
        return " ".join(shlex.quote(text_of(element)) for element in value)
    return shlex.quote(text_of(value))


def strlen(value: Any) -> int:
    """Give the number of characters."""
    return len(text_of(value))


def substring(value: Any, start: int, count: int) -> str:
    """Give `count` characters from position `start` on."""
    return text_of(value)[start : start + count] if start >= 0 and count >= 0 else ""


def nth(value: Any, index: int) -> Any:
    """Give the element at a position, counted from 0. Raises IndexError."""
    values = value if isinstance(value, (list, tuple, str)) else list(value)
    if not 0 <= index < len(values):
        raise IndexError(f"there is no element {index} in {kind_of(value)} of {len(values)}")
    return values[index]


def split(value: Any, separator: str = " ") -> list[str]:
    """Cut a text at each separator; empty parts at the ends are left out, as in the original."""
    text = text_of(value)
    parts = text.split(separator) if separator else list(text)
    start, end = 0, len(parts)
    while start < end and not parts[start]:
        start += 1
    while end > start and not parts[end - 1]:
        end -= 1
    return parts[start:end]


def md5(value: Any) -> str:
    """Give the MD5 of a text, in hexadecimal (a name for something, never a protection)."""
    return hashlib.md5(text_of(value).encode(), usedforsecurity=False).hexdigest()


def as_text(value: Any) -> str:
    """Give the text of a value."""
    return text_of(value)


def unchanged(value: Any) -> Any:
    """Do nothing: the original's `safe` kept a value from being escaped, and nothing is escaped here."""
    return value


def join(values: Iterable[Any], separator: Any = "", attribute: str | None = None) -> str:
    """Put texts together with a separator between."""
    between = text_of(separator)
    pieces: list[Any] = []
    for value in values:
        if pieces:
            pieces.append(between)
        pieces.append(value[attribute] if attribute is not None else value)
        check_chars(len(pieces))
    return concatenate(pieces)


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """Replace every occurrence of a text."""
    text, before, after = text_of(value), text_of(old), text_of(new)
    check_replace(text, before, after)
    return text.replace(before, after, -1 if count is None else count)


def escape(value: Any) -> str:
    """Escape for HTML, on request only."""
    return html.escape(text_of(value))


def urlencode(value: Any) -> str:
    """Write a text so that it can stand in a path of a URL, or a map (or pairs) as its query."""
    if not isinstance(value, (dict, list, tuple)):
        return quote_for_url(text_of(value), safe="/", errors="surrogateescape")
    pairs = value.items() if isinstance(value, dict) else value
    return "&".join("=".join(quote_plus(text_of(part), errors="surrogateescape") for part in pair) for pair in pairs)


def to_json(value: Any, indent: int | None = None) -> str:
    """Give a value as JSON."""
    return json_text(value, None if indent is None else min(indent, 16))


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Move every line but the first to the right."""
    if isinstance(width, int):
        check_chars(width)
    margin = " " * width if isinstance(width, int) else width
    lines = text_of(value).splitlines(keepends=True)
    check_chars(sum(map(len, lines)) + len(lines) * len(margin))
    moved = [
        margin + line if (number or first) and (blank or line.strip()) else line for number, line in enumerate(lines)
    ]
    return "".join(moved)


OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "basename": basename,
    "hex": hex_of,
    "quote": quote,
    "strlen": strlen,
    "substring": substring,
    "nth": nth,
    "split": split,
    "md5": md5,
    "string": as_text,
    "safe": unchanged,
    "join": join,
    "replace": replace,
    "escape": escape,
    "e": escape,
    "tojson": to_json,
    "urlencode": urlencode,
    "indent": indent,
}
"""What replaces or extends the filters of the template engine."""

FUNCTIONS: dict[str, Callable[..., Any]] = {"basename": basename, "hex": hex_of}
"""What may be called by name."""
