"""Which agents a stage's expressions choose, and what they capture. Pure text: names in, names and captures out."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from octogram_tui.errors import TemplateError


class PatternError(TemplateError):
    """A regular expression that cannot be used."""


def select_agents(patterns: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Give the chosen agents, in byte order of their names, each with its captures (`re`).

    The first expression that is found somewhere in a name chooses that agent. Raises PatternError.
    """
    compiled = [compile_pattern(pattern) for pattern in patterns]
    chosen: dict[str, list[str]] = {}
    for name in sorted(names, key=str.encode):
        for pattern in compiled:
            if pattern.search(name):
                chosen[name] = captures(pattern, name)
                break
    return chosen


def captures(pattern: re.Pattern[str], name: str) -> list[str]:
    """Give all groups of all successive matches, flattened; a group that took no part is empty."""
    result: list[str] = []
    end = -1
    for match in pattern.finditer(name):
        # An empty match right at the end of the match before it is not one, for the original.
        if match.end() == match.start() == end:
            continue
        result.append(match.group())
        result.extend(group or "" for group in match.groups())
        end = match.end() if match.end() > match.start() else -1
    return result


@functools.lru_cache(1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile an expression of the original's dialect. Raises PatternError, saying where."""
    if len(pattern) > 2000:
        raise PatternError(f"the expression has {len(pattern)} characters; at most 2000 are allowed")
    try:
        return re.compile(translate(pattern))
    except re.error as error:
        place = f" at character {error.pos + 1}" if error.pos is not None and translate(pattern) == pattern else ""
        raise PatternError(
            f"`{pattern}` is not a regular expression: {error.msg}{place}",
            hint="a literal `*`, `+`, `(` or `[` is written with a backslash before it",
        ) from None
    except (OverflowError, RecursionError):
        raise PatternError(f"`{pattern[:60]}` is not a regular expression: it is too large") from None


_REFUSED = {
    "?=": "looking ahead",
    "?!": "looking ahead",
    "?<=": "looking behind",
    "?<!": "looking behind",
    "?P=": "a reference to a group",
    "?(": "a condition",
    "?#": "a comment",
    "?>": "an atomic group",
}


def translate(pattern: str) -> str:
    """Rewrite the original's dialect (Perl's, without look-around, references and flags) as Python's.

    Raises PatternError for what the dialect does not have.
    """
    out: list[str] = []
    position = 0
    in_set = False
    while position < len(pattern):
        char = pattern[position]
        two = pattern[position : position + 2]
        if two == r"\Q":
            end = pattern.find(r"\E", position)
            literal = pattern[position + 2 :] if end < 0 else pattern[position + 2 : end]
            out.append(re.escape(literal))
            position = len(pattern) if end < 0 else end + 2
            continue
        if char == "\\":
            out.append(_escape(pattern, two))
            position += len(two)
            continue
        if in_set:
            in_set = char != "]" or _is_first_in_set(out)
            out.append("\\[" if char == "[" else char)
        elif char == "[":
            in_set = True
            out.append(char)
        elif pattern.startswith("(?", position):
            text, taken = _group(pattern, position)
            out.append(text)
            position += taken
            continue
        else:
            out.append(char)
        position += 1
    return "".join(out)


def _is_first_in_set(out: list[str]) -> bool:
    return out[-1] == "[" or out[-2:] == ["[", "^"]


def _escape(pattern: str, two: str) -> str:
    if len(two) == 1:
        raise PatternError(f"`{pattern}` is not a regular expression: it ends with a backslash")
    if two[1] in "123456789":
        raise PatternError(
            f"`{pattern}`: a reference to a group ({two}) is not part of the language", hint="captures are in `re`"
        )
    if two == r"\z":
        return r"\Z"
    if two == r"\Z":
        return r"(?=\n?\Z)"
    if two == r"\E":
        return ""
    return two


def _group(pattern: str, position: int) -> tuple[str, int]:
    rest = pattern[position + 1 :]
    if rest.startswith("?:"):
        return "(?:", 3
    named = re.match(r"\?P?<([A-Za-z_]\w*)>", rest)
    if named:
        return f"(?P<{named[1]}>", 1 + named.end()
    for start, what in _REFUSED.items():
        if rest.startswith(start):
            raise PatternError(f"`{pattern}`: {what} is not part of the language")
    raise PatternError(
        f"`{pattern}`: `(?` must be followed by `:` or `<name>`", hint="flags such as (?i) are not part of the language"
    )
