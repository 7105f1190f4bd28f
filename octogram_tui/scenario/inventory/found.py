"""What was found in an inventory: agents as our language has them, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from octogram_tui.scenario.forms import shown

_NAMED = 3


class Unclear(Exception):
    """A listing that nothing can be made of: what is wrong, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Found(NamedTuple):
    """Entries of `agents`, and what to warn of: a message, and what to do."""

    agents: list[Any]
    doubts: list[tuple[str, str]]


class Doubts:
    """Says once what is doubtful of many hosts and many of their variables, and names some of them."""

    def __init__(self) -> None:
        self._doubts: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}

    def add(self, variable: str, what: str, host: str, hint: str = "") -> None:
        """Note what becomes of a variable of a host, or of the host itself where `variable` is empty."""
        key = (what, hint)
        variables, hosts = self._doubts.setdefault(key, ({}, {}))
        variables[variable] = None
        hosts[host] = None

    def told(self) -> list[tuple[str, str]]:
        """Give all of it: messages, and what to do."""
        return [
            (f"{_subject(list(variables), list(hosts))} {what}", hint)
            for (what, hint), (variables, hosts) in self._doubts.items()
        ]


def _subject(variables: Sequence[str], hosts: Sequence[str]) -> str:
    """Name what a sentence is about, with its verb."""
    if variables == [""]:
        return count_of(hosts)
    named = ", ".join(f"`{shown(name)}`" for name in variables[:_NAMED])
    more = f" and {len(variables) - _NAMED} more" if len(variables) > _NAMED else ""
    return f"{named}{more} of {some_of(hosts)} {'is' if len(variables) == 1 else 'are'}"


def some_of(hosts: Sequence[str]) -> str:
    """Name the first of some hosts, and say how many more there are."""
    named = ", ".join(shown(host) for host in hosts[:_NAMED])
    return named if len(hosts) <= _NAMED else f"{named} and {len(hosts) - _NAMED} more"


def count_of(hosts: Sequence[str]) -> str:
    """Name some hosts, with the verb that goes with them."""
    return f"{'host' if len(hosts) == 1 else 'hosts'} {some_of(hosts)} {'is' if len(hosts) == 1 else 'are'}"
