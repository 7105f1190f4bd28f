"""Two attempts beside each other: what each went by, read, was given, found, wrote and gave. What differs is first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from octogram_tui.model.values import Value
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.origins import Known, is_expression, names_in, texts_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AttemptRow, InstanceRow
from octogram_tui.projection.side_by_side import Pair, align
from octogram_tui.projection.value_text import block, duration, plural, stamp

MOST_LINES = 2000
"""So many lines of what an attempt wrote are compared: its last ones."""
MOST_PEERS = 200
TIMES = frozenset(("duration_s", "started_s", "ended_s"))
"""Members of results that no two attempts have alike."""

ReadOutput = Callable[[InstanceRow, AttemptRow], Sequence[str]]
"""Gives what an attempt wrote."""


class Side(NamedTuple):
    """An attempt to compare, and why it is worth it."""

    row: InstanceRow
    attempt: AttemptRow
    why: str = ""

    @property
    def name(self) -> str:
        """Name it."""
        return f"{self.row.key}#{self.attempt.number}"


class Entry(NamedTuple):
    """One thing that both sides have, or one of them. is_told: it differs as any two attempts, or their agents, do."""

    section: str
    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    is_told: bool = False

    @property
    def is_same(self) -> bool:
        """Whether both have the same."""
        return self.left == self.right

    @property
    def title(self) -> str:
        """Say what it is."""
        section = "how they ended" if self.section == "ended" else self.section
        return f"{section} {self.name}" if self.name else section

    def pairs(self) -> list[Pair]:
        """Put both sides beside each other."""
        return align(self.left, self.right)


class Comparison(NamedTuple):
    """Two attempts, and what there is of them in the order in which one leads to the other."""

    left: Side
    right: Side
    entries: tuple[Entry, ...]

    @property
    def different(self) -> list[Entry]:
        """What differs, the first difference first."""
        return [entry for entry in self.entries if not entry.is_same and not entry.is_told]

    @property
    def same(self) -> list[Entry]:
        """What is the same."""
        return [entry for entry in self.entries if entry.is_same and entry.left]

    @property
    def times(self) -> list[Entry]:
        """What differs with any two attempts: when, how long, where."""
        return [entry for entry in self.entries if entry.is_told]


# With what to compare


def partners(row: InstanceRow, known: Known) -> list[Side]:
    """Give what a row's latest attempt is best compared with, the best first: where it went well, all else alike."""
    latest = row.last
    if latest is None:
        return []
    found = [
        Side(row, each, f"its attempt {each.number}, which ended well") for each in _ended_well(reversed(row.earlier))
    ]
    alike = [each for each in _peers(row) if each.item == row.item]
    others = [each for each in _peers(row) if each.item != row.item]
    for peers, why in ((alike, "the same on {agent}, where it ended well"), (others, "{name}, which ended well")):
        sides = [
            Side(each, each.last, why.format(agent=each.agent, name=each.key))
            for each in peers
            if each.last is not None and each.last.state is State.OK
        ]
        found += sorted(sides, key=lambda side: -_likeness(Side(row, latest), side, known))
    if latest.state is State.OK:  # what did not go well is then the more telling
        bad = [Side(each, each.last, f"the same on {each.agent}") for each in alike if each.last and each.last.failure]
        found = bad + found
    taken = {side.name for side in found}
    rest = [Side(row, each, f"its attempt {each.number}") for each in reversed(row.earlier)]
    rest += [
        Side(
            each, each.last, f"the same on {each.agent}, {'which failed too' if each.last.failure else 'as it stands'}"
        )
        for each in alike
        if each.last is not None
    ]
    return found + [side for side in rest if side.name not in taken]


def _ended_well(attempts: Iterator[AttemptRow]) -> Iterator[AttemptRow]:
    return (each for each in attempts if each.state is State.OK)


def _peers(row: InstanceRow) -> list[InstanceRow]:
    return list(islice((each for each in row.job.below() if each is not row and each.last is not None), MOST_PEERS))


def _likeness(one: Side, other: Side, known: Known) -> int:
    """Say how much two attempts have in common: arguments, text, and the agent."""
    mine, its = (_plain_arguments(side, known) for side in (one, other))
    equal = sum(1 for name, value in mine.items() if its.get(name) == value)
    return 4 * equal + 2 * (one.attempt.text is other.attempt.text) + (one.row.agent == other.row.agent)


def _plain_arguments(side: Side, known: Known) -> dict[str, list[str]]:
    own = _own_words(side, known)
    return {name: _without([repr(value)], own) for name, value in (side.attempt.arguments or {}).items()}


# Comparing


def compare(left: Side, right: Side, known: Known, read_output: ReadOutput | None = None) -> Comparison:
    """Put two attempts beside each other."""
    parts = [dict(_parts(side, known, read_output)) for side in (left, right)]
    _gather_computed(parts)
    names = list(dict.fromkeys((*parts[0], *parts[1])))
    order = {section: place for place, section in enumerate(_ORDER)}
    names.sort(key=lambda name: order[name[0]])
    own = [_own_words(side, known) for side in (left, right)]
    entries = []
    for section, name in names:
        one, other = (tuple(part.get((section, name), ())) for part in parts)
        is_told = section in _TOLD or (one != other and _without(one, own[0]) == _without(other, own[1]))
        entries.append(Entry(section, name, one, other, is_told))
    return Comparison(left, right, tuple(entries))


def _gather_computed(parts: list[dict[tuple[str, str], Sequence[str]]]) -> None:
    """Put variables that only one side has beside those that only the other has: their names are computed."""
    left, right = ({name for name in part if name[0] == "variable"} for part in parts)
    for part, names in zip(parts, (left - right, right - left), strict=True):
        lines: list[str] = []
        for name in sorted(names):
            first, *rest = part.pop(name)
            lines += [f"{name[1]}: {first}", *rest]
        if lines:
            part["variable", "with a computed name"] = lines


_TOLD = ("agent", "times")


def _own_words(side: Side, known: Known) -> list[str]:
    """Give the words that stand for a side's agent and item: what differs in these only is no news."""
    agent = known.board.agents.get(side.row.agent)
    words = [side.row.agent, side.row.key.item or ""]
    words += [agent.home, agent.address, agent.login, agent.host] if agent is not None else []
    return sorted({word for word in words if word}, key=len, reverse=True)


def _without(lines: Sequence[str], words: Sequence[str]) -> list[str]:
    if not words:
        return list(lines)
    found = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    return [found.sub("\0", line) for line in lines[:MOST_LINES]]


_ORDER = ("text", "variable", "argument", "environment", "output", "result", "ended", "agent", "times")


def _parts(side: Side, known: Known, read_output: ReadOutput | None) -> Iterator[tuple[tuple[str, str], Sequence[str]]]:
    """Give all that there is of a side, by section and name."""
    row, attempt = side.row, side.attempt
    texts = texts_of(row, attempt, known)
    for place, text in texts.items():
        yield ("text", place.removeprefix("arguments.")), text.split("\n")
    seq = attempt.reading.seen or attempt.seq - 1
    names = {
        n for p, t in texts.items() for n in names_in(t, expression=is_expression(p, t), reads=attempt.reading.reads)
    }
    for name in sorted(names):
        variable = known.variables.by_name.get(name)
        change = variable.at(seq) if variable is not None else None
        if change is not None and not change.removed:
            yield ("variable", name), block(change.value)
    if row.item is not None:
        yield ("argument", "item"), block(row.item)
    for name, value in (attempt.arguments or {}).items():
        yield ("argument", name), block(value)
    yield from _environment(row, known)
    lines = read_output(row, attempt) if read_output is not None else ()
    if lines:
        yield ("output", ""), list(lines)[-MOST_LINES:]
    if attempt.result is not None:
        yield ("result", ""), block(timeless(attempt.result))
    how = [attempt.state.name.lower()]
    if attempt.failure is not None:
        cause = cause_of(attempt.failure)
        how = [line for line in (f"failed: {cause.text}", cause.status) if line]
    yield ("ended", ""), how
    yield ("times", "started"), [stamp(attempt.started_s)]
    yield ("times", "took"), [duration(attempt.duration_s) if attempt.state is not State.RUNNING else "runs"]
    yield ("times", "attempt"), [f"{attempt.number}, {attempt.why}"]


def timeless(given: Value) -> Value:
    """Give a result without what it says of times: no two attempts have them alike."""
    return {name: value for name, value in given.items() if name not in TIMES} if isinstance(given, dict) else given


def _environment(row: InstanceRow, known: Known) -> Iterator[tuple[tuple[str, str], Sequence[str]]]:
    agent = known.board.agents.get(row.agent)
    if agent is None:
        return
    yield ("environment", "python"), [agent.python] if agent.python else []
    yield ("environment", "transport"), [agent.transport] if agent.transport else []
    yield ("environment", "state"), [agent.state.name.lower()]
    kinds = sorted(
        f"{service.kind} {service.state}" for key, service in known.board.services.items() if key[0] == row.agent
    )
    if kinds:
        yield ("environment", "services"), kinds
    for name in ("host", "address", "home"):
        if getattr(agent, name):
            yield ("agent", name), [str(getattr(agent, name))]


def compare_lines(comparison: Comparison, *, most: int = 400) -> list[str]:
    """Write a comparison in plain lines: what differs, the first difference first, then what is the same, by name."""
    return list(islice(_lines(comparison), most))


def _lines(comparison: Comparison) -> Iterator[str]:
    left, right = comparison.left, comparison.right
    yield f"< {left.name}"
    yield f"> {right.name}{f'  ({right.why})' if right.why else ''}"
    different = comparison.different
    yield f"they first differ in {different[0].title}" if different else "they do not differ"
    for entry in (*different, *comparison.times):
        if entry.is_same:
            continue
        if len(entry.left) <= 1 and len(entry.right) <= 1:
            sides = [side[0] if side else "nothing" for side in (entry.left, entry.right)]
            yield f"{entry.title}: < {sides[0]}  > {sides[1]}"
            continue
        yield f"{entry.title}:"
        for pair in entry.pairs():
            if pair.skipped:
                yield f"    ({plural(pair.skipped, 'line')} more)"
            elif pair.is_same:
                yield f"    {_whole(pair.left)}"
            else:
                if pair.left is not None:
                    yield f"  < {_whole(pair.left)}"
                if pair.right is not None:
                    yield f"  > {_whole(pair.right)}"
    if comparison.same:
        yield "the same: " + ", ".join(entry.title for entry in comparison.same)


def _whole(spans: Sequence[tuple[str, bool]] | None) -> str:
    return "".join(text for text, _ in spans or ())
