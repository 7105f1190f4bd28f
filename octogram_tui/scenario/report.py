"""Problems for people and for machines: text with the line and a caret, JSON, annotations for GitHub. Pure text."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial

from octogram_tui.errors import Problem
from octogram_tui.model.values import without_nan

MAX_SOURCE_CHARS = 160
MAX_ANNOTATIONS = 10


def as_text(problems: Sequence[Problem]) -> str:
    """Give every problem with its place, its line, and what to do; last the counts."""
    blocks = [_block(problem) for problem in problems]
    errors = sum(not problem.is_warning for problem in problems)
    warnings = len(problems) - errors
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    if len(problems) > 1:
        blocks.append(", ".join(counts))
    return "\n".join(blocks)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _block(problem: Problem) -> str:
    kind = "warning" if problem.is_warning else "error"
    place = problem.file
    if problem.line:
        place += f":{problem.line}:{problem.column}"
    lines = [f"{printable(place)}: {kind}: {printable(problem.message)}"]
    margin = " " * (len(str(problem.line)) if problem.line else 0)
    if problem.line and problem.source.strip():
        source, column = _window(problem.source.expandtabs(1), problem.column)
        shown = printable(source)
        lines.append(f"  {problem.line} | {shown}")
        lines.append(f"  {margin} | {' ' * _cells(printable(source[: max(column - 1, 0)]))}^")
    if problem.hint:
        lines.append(f"  {margin} = {printable(problem.hint)}")
    return "\n".join(lines)


def _window(source: str, column: int) -> tuple[str, int]:
    """Cut a long line so that the column stays in sight."""
    if len(source) <= MAX_SOURCE_CHARS:
        return source, column
    start = max(0, min(column - MAX_SOURCE_CHARS // 2, len(source) - MAX_SOURCE_CHARS))
    cut = source[start : start + MAX_SOURCE_CHARS]
    shift = 0
    if start:
        cut, shift = "…" + cut, 1
    if start + MAX_SOURCE_CHARS < len(source):
        cut += "…"
    return cut, column - start + shift


def printable(text: str) -> str:
    """Replace what would steer a terminal: control, direction and invisible characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == " " else "·" for c in text)


def _cells(text: str) -> int:
    """Give how many columns a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def as_json(problems: Iterable[Problem]) -> str:
    """Give one JSON document: a list of objects, in order of place."""
    listed = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "severity": "warning" if problem.is_warning else "error",
            "message": problem.message,
            "hint": problem.hint,
            "source": problem.source,
        }
        for problem in problems
    ]
    return json_text({"v": 1, "problems": listed}, indent=2)


def json_text(document: object, *, indent: int | None = None, compact: bool = False) -> str:
    """Give a document as JSON that every reader takes: letters as they are, what would steer a terminal as its number.

    Numbers that JSON has not are texts, and halves of a pair, which strict readers refuse, are replaced.
    compact: without blanks
    """
    separators = (",", ":") if compact else None
    write = partial(json.dumps, ensure_ascii=False, indent=indent, separators=separators, allow_nan=False, default=str)
    try:
        text = write(document)
    except ValueError:
        text = write(without_nan(document))
    if text.isascii() and "\x7f" not in text:
        return text
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def as_github(problems: Sequence[Problem]) -> str:
    """Give workflow commands that annotate the lines; GitHub shows ten of a kind, so the rest is counted."""
    lines: list[str] = []
    for kind in ("error", "warning"):
        of_kind = [problem for problem in problems if problem.is_warning == (kind == "warning")]
        shown = of_kind if len(of_kind) <= MAX_ANNOTATIONS else of_kind[: MAX_ANNOTATIONS - 1]
        lines.extend(_annotation(kind, problem) for problem in shown)
        left = len(of_kind) - len(shown)
        if left:
            lines.append(f"::{kind}::{escape_data(f'and {left} more; run `octogram-tui check` to see them')}")
    return "\n".join(lines)


def _annotation(kind: str, problem: Problem) -> str:
    place = f"file={escape_property(printable(problem.file))}"
    if problem.line:
        place += f",line={problem.line},col={problem.column}"
    text = "\n".join(printable(line) for line in f"{problem.message}\n{problem.hint}".strip("\n").split("\n"))
    return f"::{kind} {place}::{escape_data(text)}"


def escape_data(text: str) -> str:
    """Escape what stands behind the second `::` of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape the value of its property, which ends with a comma or with `::`."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
