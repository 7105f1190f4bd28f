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
    """Says what is doubtful of many hosts once, and names some of them."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str], list[str]] = {}

    def add(self, message: str, host: str, hint: str = "") -> None:
        """Note something of a host; `{}` in the message stands for all of which it is so."""
        self._hosts.setdefault((message, hint), []).append(host)

    def add_text(self, message: str, hint: str = "") -> None:
        """Note something as it is."""
        self._hosts.setdefault((message, hint), [])

    def told(self) -> list[tuple[str, str]]:
        """Give all of it."""
        return [(message.replace("{}", some_of(hosts)), hint) for (message, hint), hosts in self._hosts.items()]


def some_of(hosts: Sequence[str]) -> str:
    """Name the first of some hosts, and say how many more there are."""
    named = ", ".join(shown(host) for host in hosts[:_NAMED])
    return named if len(hosts) <= _NAMED else f"{named} and {len(hosts) - _NAMED} more"


def count_of(hosts: Sequence[str]) -> str:
    """Name some hosts, with the verb that goes with them."""
    return f"{'host' if len(hosts) == 1 else 'hosts'} {some_of(hosts)} {'is' if len(hosts) == 1 else 'are'}"
