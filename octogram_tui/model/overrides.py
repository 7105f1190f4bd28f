"""Agents that are held, or go, whatever the gate is for all: one rule each, or for many by a text with `*`.

The engine and whoever folds its events keep one each, and make the same of the same words.
"""

from __future__ import annotations

from functools import lru_cache

from octogram_tui.model.wildcard import Wildcard

Word = str | None
"""Of an agent: why it is held; empty when it goes; None when it is with it as with all."""


@lru_cache(maxsize=256)
def _wildcard(text: str) -> Wildcard:
    return Wildcard(text.split("*"))


def fits(text: str, agent: str) -> bool:
    """Whether an agent is meant by a name, or by a text with `*`."""
    return text == agent or ("*" in text and _wildcard(text).fits(agent))


class Overrides:
    """The rules, of which the latest that fits an agent counts; so they are for agents too that come later."""

    def __init__(self) -> None:
        self._rules: dict[str, Word] = {}
        self._found: dict[str, Word] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def set(self, agents: str, word: Word) -> None:
        """Say how it is with agents from now on."""
        self._rules = {text: old for text, old in self._rules.items() if not fits(agents, text)}
        if self._rules or word is not None:
            self._rules[agents] = word
        if all(word is None for word in self._rules.values()):
            self._rules = {}
        self._found = {}

    def of(self, agent: str) -> Word:
        """Say how it is with an agent."""
        if not self._rules:
            return None
        if agent not in self._found:
            self._found[agent] = next(
                (word for text, word in reversed(self._rules.items()) if fits(text, agent)),
                None,
            )
        return self._found[agent]

    def rule_of(self, agent: str) -> str:
        """Give the text of the rule that counts for an agent; empty when there is none."""
        return next((text for text in reversed(self._rules) if fits(text, agent)), "")

    def all_with(self, *words: Word) -> list[str]:
        """Give the texts of the rules that say one of these."""
        return [text for text, word in self._rules.items() if word in words]

    def held(self) -> dict[str, str]:
        """Give the texts of the rules by which agents are held, and why."""
        return {text: word for text, word in self._rules.items() if word}
