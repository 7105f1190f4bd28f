"""Which agents a stage's expressions choose, and what they capture. Pure text: names in, names and captures out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from octogram_agentd.patterns.search import Patience, Pattern
from octogram_agentd.patterns.syntax import PatternFault
from octogram_tui.errors import TemplateError


class PatternError(TemplateError):
    """A regular expression that cannot be used."""


def select_agents(patterns: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Give the chosen agents, in byte order of their names, each with its captures (`re`).

    The first expression that is found somewhere in a name chooses that agent. Raises PatternError.
    """
    compiled = [compile_pattern(pattern) for pattern in patterns]
    chosen: dict[str, list[str]] = {}
    patience = Patience()
    for name in sorted(names, key=str.encode):
        for pattern in compiled:
            try:
                if pattern.is_in(name, patience):
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


@functools.lru_cache(256)
def compile_pattern(pattern: str) -> Pattern:
    """Make an expression ready. Raises PatternError, saying where it is wrong."""
    try:
        return Pattern(pattern)
    except PatternFault as fault:
        raise wrong(pattern, fault) from None


def wrong(pattern: str, fault: PatternFault) -> PatternError:
    """Say what is wrong with an expression, as a person is told."""
    shown = f"{pattern[:60]}…" if len(pattern) > 61 else pattern
    hint = fault.hint or "a literal `*`, `+`, `(` or `[` is written with a backslash before it"
    return PatternError(f"`{shown}` is not a regular expression: {fault}", hint=hint)
