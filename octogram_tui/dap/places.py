"""Lines of the scenario as places to stop at: the stage or job that a line belongs to, and where that begins."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from octogram_tui.projection.places import pattern_of
from octogram_tui.projection.rows import Group, Kind
from octogram_tui.projection.source import Source

NOTHING_HERE = "nothing runs here: a breakpoint stands on a stage or a job"


class LinePlace(NamedTuple):
    """What a line is of. line: where that begins; when: at which point of it a breakpoint stops."""

    line: int
    pattern: str
    is_stage: bool


def place_of(source: Source, line: int) -> LinePlace | None:
    """Find what a line belongs to; None above the first stage, and behind the last one."""
    group = source.row_at(line)
    if group is None or not _is_within(source, group, line):
        return None
    return LinePlace(group.line, pattern_of(group), group.kind is Kind.STAGE)


def line_of_pattern(source: Source, pattern: str) -> int:
    """Find where what a pattern means begins now; 0 when there is no such row any more."""
    return next((line for line, group in source.places if pattern_of(group) == pattern), 0)


def lines_between(source: Source, first: int, last: int) -> list[int]:
    """Give the lines of a stretch on which something begins."""
    return sorted({line for line, _ in source.places if first <= line <= last})


def _is_within(source: Source, group: Group, line: int) -> bool:
    """Whether a line is a part of what begins above it: nothing between stands further left than the stages do."""
    lines = source.lines
    if not lines or line > len(lines):
        return not lines  # without a copy of the text nothing more is known of it
    indent = _indent_of_stages(source, source.version)
    return not any(
        _indent(text) < indent or (_indent(text) == indent and not text.lstrip().startswith("-"))
        for text in lines[group.line : line]
        if text.strip() and not text.lstrip().startswith("#")
    )


@lru_cache(maxsize=2)
def _indent_of_stages(source: Source, _version: int) -> int:
    stages = [at for at, each in source.places if each.kind is Kind.STAGE]
    return min((_indent(source.lines[at - 1]) for at in stages if at <= len(source.lines)), default=0)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
