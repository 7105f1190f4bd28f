"""How deep a line of YAML is nested, told from its text alone.

The parser looks ahead on a line, up to 1024 characters, before it reports the first bracket of them: what it gives up
on there (newer ones have a limit of their own on nesting) is known to it before it is known to whoever counts its
reports. So when it gives up, what it had looked at already is counted here, and the limit that answers is ours.
"""

from __future__ import annotations

import re

_BLOCK = re.compile(
    r"""
      (?P<space> \s+ | [-?:](?=\s) | [&!][^\s]* | (?<!\S)\#[^\n]* )
    | (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^']|'')*' )
    | (?P<open> [\[{] )
    | (?P<plain> (?: (?!:\s|\s\#) [^\n] )+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Outside of brackets: a bracket inside of a plain text is a letter of it."""

_FLOW = re.compile(
    r"""
      (?P<space> [\s,:?]+ | [&!][^\s,\[\]{}]* | (?<!\S)\#[^\n]* )
    | (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^']|'')*' )
    | (?P<open> [\[{] )
    | (?P<close> [\]}] )
    | (?P<plain> (?: (?!\s\#) [^\n,\[\]{}] )+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Inside of brackets, where a bracket ends a plain text."""


def too_deep(text: str, start: int, end: int, depth: int, brackets: int, limit: int) -> int | None:
    """Give the position of the first bracket from `start` to `end`, both included, that passes the limit.

    At `start`, so many levels are open, and so many of them with brackets.
    """
    position = start
    while position <= end:
        found = (_FLOW if brackets else _BLOCK).match(text, position)
        if found is None:
            return None
        if found.lastgroup == "open":
            depth, brackets = depth + 1, brackets + 1
            if depth > limit:
                return position
        elif found.lastgroup == "close":
            depth, brackets = depth - 1, brackets - 1
        position = found.end()
    return None
