"""Texts that are typed or pasted: what cannot be shown in a field as itself is written as a program would write it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from octogram_tui.errors import OctogramError
from octogram_tui.projection.text import MOST_MARKS, is_plain, is_unseen

_IN_QUOTES = {ord('"'): '\\"', ord("\\"): "\\\\", 10: "\\n", 9: "\\t", 13: "\\r"}
_NEWLINES = re.compile(r"\r\n?")


def is_shown(character: str) -> bool:
    """Whether a field shows a character as itself: no control, no mark of direction, nothing invisible."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn") and not is_unseen(character)


def escaped(text: str) -> str:
    """Write what a field cannot show as in a text in double quotes, also marks that pile up; lines and tabs stay."""
    text = _NEWLINES.sub("\n", text)
    if is_plain(text):
        return text
    parts: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        is_itself = character in "\n\t" or (is_shown(character) and marks <= MOST_MARKS)
        parts.append(character if is_itself else _escape(character))
    return "".join(parts)


def one_line(text: str) -> str:
    """Write a text in one line; a newline at its end is only how it was copied."""
    return escaped(text).rstrip("\n").replace("\n", "\\n").replace("\t", "\\t")


def pasted_value(text: str) -> str:
    """Write a pasted value so that it is read as what was copied, also where it cannot be shown as itself."""
    text = _NEWLINES.sub("\n", text)
    if text.count("\n") == 1:
        text = text.rstrip("\n")
    shown = escaped(text)
    return shown if shown == text else _quoted(text)


def written(given: Any) -> str:
    """Write a value so that it is read back as the same; only a text has several lines."""
    if isinstance(given, str) and given and escaped(given) == given and reads_as(given, given):
        return given
    if isinstance(given, str):
        return _quoted(given)
    return escaped(json.dumps(given, ensure_ascii=False))


def reads_as(text: str, value: Any) -> bool:
    """Whether a text, typed as a value, means a value."""
    from octogram_tui.scenario.assignments import parse_assignment

    try:
        read = parse_assignment(f"x={text}")[1]
    except OctogramError:
        return False
    return type(read) is type(value) and bool(read == value)


def _quoted(text: str) -> str:
    """Write a text in double quotes, in one line."""
    return f'"{escaped(text.translate(_IN_QUOTES))}"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
