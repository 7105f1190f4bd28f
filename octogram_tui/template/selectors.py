"""Which agents a stage's expressions choose, and what they capture: names in, names and captures out."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from octogram_agentd.patterns.search import Patience, Pattern
from octogram_agentd.patterns.syntax import PatternFault
from octogram_tui.cuts import beginning
from octogram_tui.errors import TemplateError
from octogram_tui.template.environment import expand
from octogram_tui.template.text import kind_of, text_of


class PatternError(TemplateError):
    """A regular expression that cannot be used."""


def expand_texts(texts: Iterable[str], scope: Mapping[str, Any], key: str) -> list[str]:
    """Expand what a stage chooses by; a template that is a whole value may give a list. Raises TemplateError."""
    found: list[str] = []
    for text in texts:
        value = expand(text, scope)
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, (str, bool, int, float)):
                raise TemplateError(f"`{key}` takes a text or a list of texts, not {kind_of(each)}: {text}")
            found.append(text_of(each))
    return found


def select_agents(patterns: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Give the chosen agents, in byte order of their names, each with its captures (`re`).

    The first expression that is found somewhere in a name chooses that agent. Raises PatternError.
    """
    compiled = [(compile_pattern(pattern), _quick(pattern)) for pattern in patterns]
    chosen: dict[str, list[str]] = {}
    patience = Patience()
    for name in sorted(names, key=str.encode):
        is_plain = name.isascii() and name.isprintable()
        for pattern, quick in compiled:
            try:
                if quick is not None and is_plain:
                    if found := _captures_quickly(quick, name):  # of each match at least its text, be it empty
                        chosen[name] = found
                        break
                elif pattern.is_in(name, patience):
                    chosen[name] = captures(pattern, name, patience)
                    break
            except PatternFault as fault:
                raise wrong(pattern.source, fault) from None
    return chosen


def is_found(pattern: str, names: Iterable[str]) -> bool:
    """Tell whether an expression chooses any of the names. Raises PatternError."""
    patience = Patience()
    try:
        return any(compile_pattern(pattern).is_in(name, patience) for name in names)
    except PatternFault as fault:
        raise wrong(pattern, fault) from None


def captures(pattern: Pattern, name: str, patience: Patience | None = None) -> list[str]:
    """Give all groups of all successive matches, flattened; a group that took no part is empty."""
    result: list[str] = []
    for match in pattern.find_all(name, patience):
        result.append(match.text)
        result.extend(group or "" for group in match.groups)
    return result


# Signs, sets of them, groups and alternatives, none of them repeated but one sign: `re` cannot take long over such an
# expression, and gives the same; ours is made for texts of any length and takes twenty times as long over a name.
_SIGN = r"(?:[\w .-]|\\[dw]|\[(?:[A-Za-z0-9]-[A-Za-z0-9]|\w)+\])(?:[*+]|\{[0-9]\})?"
_SIGNS = re.compile(rf"\^?(?:{_SIGN}|[()|])*\$?", re.ASCII)
_MOST_ALTERNATIVES = 4
_EMPTY = re.compile(r"[(|][|)]|^\^?\||\|\$?$")


@functools.lru_cache(256)
def _quick(pattern: str) -> re.Pattern[str] | None:
    """Give a simple expression as `re` has it; None for others."""
    is_short = pattern.count("*") + pattern.count("+") <= 1 and pattern.count("|") <= _MOST_ALTERNATIVES
    if not (is_short and _SIGNS.fullmatch(pattern)) or _EMPTY.search(pattern):
        return None
    quick = re.compile(pattern)
    # Where nothing is found first, `re` tries the other alternatives at the same place again; ours goes on.
    return None if "|" in pattern and quick.fullmatch("") is not None else quick


def _captures_quickly(pattern: re.Pattern[str], name: str) -> list[str]:
    result: list[str] = []
    end = -1
    for found in pattern.finditer(name):
        if found.end() != end:  # what is empty, right behind the match before, is none
            result += (found[0], *(group or "" for group in found.groups()))
        end = found.end()
    return result


@functools.lru_cache(256)
def compile_pattern(pattern: str) -> Pattern:
    """Make an expression ready. Raises PatternError, saying where it is wrong."""
    try:
        return Pattern(pattern)
    except PatternFault as fault:
        raise wrong(pattern, fault) from None


def wrong(pattern: str, fault: PatternFault) -> PatternError:
    """Say what is wrong with an expression, as a person is told."""
    shown = beginning(pattern, 61)
    hint = fault.hint or "a literal `*`, `+`, `(` or `[` is written with a backslash before it"
    if pattern.startswith("*"):
        hint = "anything is `.*`, not `*`; " + hint
    return PatternError(f"`{shown}` is not a regular expression: {fault}", hint=hint)
