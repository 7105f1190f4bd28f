"""The filters and functions that templates get beyond those of the template engine; several have the original's names.

Plain functions of JSON values; knows nothing of the template engine.
"""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote as quote_for_url
from urllib.parse import quote_plus

from octogram_tui.cuts import quoted
from octogram_tui.template.numbers import boolean, integer
from octogram_tui.template.operators import small
from octogram_tui.template.text import joined, json_text, kind_of, text_of


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


_NOTHING: Any = object()


def to_int(value: Any, default: Any = _NOTHING, base: int = 10) -> Any:
    """Give the whole number of a value: of a text as items read it, of a fraction what is before its point.

    What is no number gives `default`, and is an error without one: a 0 in its place would stay unseen.
    """
    if isinstance(value, (int, float)):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        try:
            return small(integer(text) if base == 10 else int(text, base))
        except ValueError:
            pass
        try:
            return int(float(text))
        except (ValueError, OverflowError):
            pass
    if default is not _NOTHING:
        return default
    raise TypeError(f"{_shown(value)} is no integer: write `int(0)` to have 0 instead")


def to_float(value: Any, default: Any = _NOTHING) -> Any:
    """Give a value as a number with a fraction; what is no number gives `default`, and is an error without one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        if default is not _NOTHING:
            return default
        raise TypeError(f"{_shown(value)} is no number: write `float(0)` to have 0.0 instead") from None


def to_bool(value: Any) -> bool:
    """Give what a value means as true or false: words such as `yes`, `off` and `0`, 1 and 0; null is false."""
    found = value if value is None or isinstance(value, bool) else None
    if isinstance(value, str):
        found = boolean(value)
    elif isinstance(value, (int, float)) and value in (0, 1):
        found = value == 1
    if found is None and value is not None:
        raise TypeError(f"{_shown(value)} is neither true nor false")
    return bool(found)


def _shown(value: Any) -> str:
    return f"the text {quoted(value, 40)}" if isinstance(value, str) else kind_of(value)


def rounded(value: Any, precision: Any = 0, method: str = "common") -> Any:
    """Round a number: `common`, `ceil` or `floor`; the original names the method first."""
    if isinstance(precision, str):
        precision, method = 0, precision
    if method not in ("common", "ceil", "floor") or not isinstance(precision, int) or abs(precision) > 300:
        raise TypeError("round takes a number of digits, and `common`, `ceil` or `floor`")
    if method == "common":
        return round(value, precision)
    factor = 10.0**precision
    return (math.ceil if method == "ceil" else math.floor)(value * factor) / factor


def unchanged(value: Any) -> Any:
    """Do nothing: the original's `safe` kept a value from being escaped, and nothing is escaped here."""
    return value


def join(values: Iterable[Any], separator: Any = "", attribute: str | None = None) -> str:
    """Put texts together with a separator between."""
    between = text_of(separator)
    pieces: list[str] = []
    for value in values:
        if pieces:
            pieces.append(between)
        pieces.append(text_of(value[attribute] if attribute is not None else value))
    return joined(pieces)


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """Replace every occurrence of a text."""
    return text_of(value).replace(text_of(old), text_of(new), -1 if count is None else count)


def escape(value: Any) -> str:
    """Escape for HTML, on request only."""
    import html

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
    margin = " " * width if isinstance(width, int) else width
    lines = text_of(value).splitlines(keepends=True)
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
    "int": to_int,
    "float": to_float,
    "bool": to_bool,
    "round": rounded,
}
"""What replaces or extends the filters of the template engine."""

FUNCTIONS: dict[str, Callable[..., Any]] = {"basename": basename, "hex": hex_of}
"""What may be called by name."""

FILTERS_AS_FUNCTIONS = (
    *("abs", "capitalize", "e", "escape", "float", "int", "last", "length", "list", "lower", "max", "md5", "min"),
    *("reverse", "safe", "sort", "string", "strlen", "sum", "title", "trim", "unique", "upper", "wordcount"),
    *("d", "default", "join", "nth", "round", "split", "truncate"),
    *("replace", "substring"),
    *("bool", "quote", "tojson"),
)
"""Filters that may be called too, as in the original: what is filtered is the last argument, `join(',', values)`."""
