"""The filter of the plan and of the agents: a line of words that are looked for, and of fields that have to hold.

    agent:node_7 label:group=web state:failed,held !job:"copy params" sync

All that is written has to hold. A word is looked for in every name; `!` turns a term round; `*` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow

Pattern = re.Pattern[str]


class FilterError(ValueError):
    """A filter that cannot be read: one line that says where and what to write."""


STATES: dict[str, frozenset[State]] = {
    "failed": frozenset({State.FAILED, State.LOST}),
    "running": frozenset({State.RUNNING, State.RETRYING}),
    "ended": frozenset(State) - {State.PENDING, State.HELD, State.RUNNING, State.RETRYING},
    **{state.name.lower(): frozenset({state}) for state in State if state not in (State.FAILED, State.RUNNING)},
}
_AGENT_STATES: dict[str, frozenset[AgentState]] = {
    "failed": frozenset({AgentState.FAILED, AgentState.LOST, AgentState.UNCLEAN}),
    "lost": frozenset({AgentState.LOST}),
}


class Term(NamedTuple):
    """One thing that has to hold. field: empty for a word that any name may hold."""

    field: str
    patterns: tuple[Pattern, ...]
    states: frozenset[State]
    words: tuple[str, ...]
    is_not: bool

    def found_in(self, texts: Iterable[str]) -> bool:
        """Whether one of the texts holds one of the patterns."""
        return any(pattern.search(text) for text in texts for pattern in self.patterns)


_TEXTS: dict[str, Callable[[InstanceRow], tuple[str, ...]]] = {
    "": lambda row: (row.key.stage, row.key.job, row.key.agent, row.key.item or ""),
    "stage": lambda row: (row.key.stage,),
    "job": lambda row: (row.key.job,),
    "agent": lambda row: (row.key.agent,),
    "item": lambda row: (row.key.item or "",),
    "cause": lambda row: (row.message,) if row.cause is not None else (),
}
FIELDS = (*(name for name in _TEXTS if name), "label", "state")
HELP = "words, agent: label: job: stage: item: state: cause:, ! is not, all hold"


LabelsOf = Callable[[str], tuple[str, ...]]


class Filter:
    """A filter that was read. An empty one takes everything. labels_of: of an agent, as `site=lab`."""

    def __init__(self, text: str = "", terms: tuple[Term, ...] = (), labels_of: LabelsOf = lambda _: ()) -> None:
        self.text = text
        self.terms = terms
        self._labels_of = labels_of

    def __bool__(self) -> bool:
        return bool(self.terms)

    def takes(self, row: InstanceRow) -> bool:
        """Whether an instance passes."""
        return all(self._holds(term, row) is not term.is_not for term in self.terms)

    def takes_group(self, group: Group) -> bool:
        """Whether a stage or a job passes of which no instance is there yet."""
        names = {"": tuple(map(str, group.key)), "stage": (group.stage.name,), "job": tuple(map(str, group.key[1:2]))}
        for term in self.terms:
            if term.field == "state":
                is_so = group.state in term.states
            else:
                is_so = term.found_in(names.get(term.field, ()))
            if is_so is term.is_not:
                return False
        return True

    def _holds(self, term: Term, row: InstanceRow) -> bool:
        if term.field == "state":
            return row.state in term.states
        if term.field == "label":
            return term.found_in(self._labels_of(row.agent))
        return term.found_in(_TEXTS[term.field](row))

    def takes_agent(self, agent: AgentRow, rows: Callable[[], Iterable[InstanceRow]]) -> bool:
        """Whether an agent passes: by itself, or by one of its instances, which are asked for only then."""
        by_itself = True
        for term in self.terms:
            if term.field in ("", "agent"):
                is_so = term.found_in((agent.name,))
            elif term.field == "state":
                is_so = any(agent.state in _AGENT_STATES.get(word, ()) for word in term.words)
            elif term.field == "cause":
                is_so = term.found_in((agent.message,))
            elif term.field == "label":
                is_so = term.found_in(self._labels_of(agent.name))
            else:
                is_so = False
            if is_so is term.is_not:
                by_itself = False
                break
        return by_itself or any(self.takes(row) for row in rows())


_TERM = re.compile(r'\s*(?P<not>!?)(?:(?P<field>[A-Za-z]+):)?(?P<value>(?:"[^"]*"|[^\s"])*)(?P<open>"?)')


def parse(text: str, labels_of: LabelsOf = lambda _: ()) -> Filter:
    """Read a filter. labels_of: of an agent, as `site=lab`. Raises FilterError."""
    terms: list[Term] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TERM.match(text, at)
        assert found is not None, "everything may be empty"
        if found["open"]:
            raise FilterError(f"a quotation mark is not closed: {beginning(text[found.start('open') :], 40)}")
        at = found.end()
        terms.append(_term(found["field"], found["value"], is_not=bool(found["not"])))
    return Filter(text.strip(), tuple(terms), labels_of)


def _term(field: str | None, value: str, *, is_not: bool) -> Term:
    name = (field or "").lower()
    if field is not None and name not in FIELDS:
        close = get_close_matches(name, FIELDS, 1)
        meant = f"; did you mean `{close[0]}:`?" if close else ""
        raise FilterError(f"there is no `{field}:` (there are {', '.join(FIELDS)}){meant}")
    words = tuple(word for word in (_unquoted(part) for part in _alternatives(value)) if word)
    if not words:
        shown = f"`{'!' if is_not else ''}{f'{name}:' if name else ''}`"
        raise FilterError(f"{shown} says nothing: write what is looked for behind it")
    states: set[State] = set()
    if name == "state":
        for word in words:
            if word.lower() not in STATES:
                close = get_close_matches(word.lower(), STATES, 1)
                meant = f"; did you mean `{close[0]}`?" if close else ""
                raise FilterError(f"there is no state `{beginning(word, 40)}` (there are {', '.join(STATES)}){meant}")
            states |= STATES[word.lower()]
    return Term(name, tuple(map(_pattern, words)), frozenset(states), tuple(word.lower() for word in words), is_not)


def _alternatives(value: str) -> list[str]:
    """Part a value at the commas that no quotation marks hold."""
    return re.findall(r'(?:"[^"]*"|[^,"])+', value)


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _pattern(word: str) -> Pattern:
    """Look for a word anywhere in a name, but never for a part of a number: node_1 is not node_10."""
    body = ".*".join(map(re.escape, word.split("*")))
    before = r"(?<!\d)" if word[0].isdigit() else ""
    after = r"(?!\d)" if word[-1].isdigit() else ""
    return re.compile(f"{before}{body}{after}", re.IGNORECASE)
