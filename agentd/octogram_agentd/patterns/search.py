"""Searching with a regular expression, in one pass over the text and with a bounded memory.

Whether there is a match is told by an automaton that is made while it is used; where its groups are, by a second pass
that follows all ways at once, the better ones first: the leftmost match, and of those the one that Perl and Python
give. Both passes can be left and continued, so that whoever searches long texts can do other things meanwhile.
"""

from __future__ import annotations

from itertools import chain

from octogram_agentd.patterns.program import CHAR, SAVE, SPLIT, WHERE, Program
from octogram_agentd.patterns.syntax import (
    END,
    LAST_LINE_END,
    LINE_END,
    LINE_START,
    NO_WORD_EDGE,
    START,
    WORD_EDGE,
    PatternFault,
    is_word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Generator, Iterator, List, Optional, Tuple, TypeVar

    Found = TypeVar("Found")
    Slots = Tuple[int, ...]

PAUSE_WORK = 20_000
"""How many instructions are followed between two pauses: some ten milliseconds."""
KEPT_WEIGHT = 200_000
_LAST_NEWLINE = "end"
"""What stands for the newline that a text ends with: `$` may stand before it."""
_OTHER, _WORD, _NEWLINE, _NOTHING = range(4)


class Match:
    """A match: where it begins and ends, and the text of each group (None for one that took no part)."""

    def __init__(self, text: str, slots: Slots) -> None:
        self.start, self.end = slots[0], slots[1]
        self.text = text[self.start : self.end]
        self.groups: List[Optional[str]] = [
            text[slots[at] : slots[at + 1]] if slots[at] >= 0 and slots[at + 1] >= 0 else None
            for at in range(2, len(slots), 2)
        ]


class _State:
    """Instructions that wait for the next character, and the kind of the one before."""

    __slots__ = ("kind", "moves", "waiting")

    def __init__(self, waiting: FrozenSet[int], kind: int) -> None:
        self.waiting = waiting
        self.kind = kind
        self.moves: Dict[str, Optional[_State]] = {}  # None: the match is complete


class Pattern:
    """A regular expression, ready to be searched for. Raises PatternFault when it is none, or too large."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._program = Program(source)
        self.groups = self._program.groups
        self._forget()

    def _forget(self) -> None:
        self._states: Dict[Tuple[FrozenSet[int], int], _State] = {}
        self._weight = 0
        self._first = self._state(frozenset((0,)), _NOTHING)

    def looking(self, text: str) -> Generator[None, None, bool]:
        """Tell whether it is found in a text; yields now and then."""
        if self._program.literal not in text:
            return False
        state = self._first
        work = 0
        steps = chain(text[:-1], (_LAST_NEWLINE, "")) if text.endswith("\n") else chain(text, ("",))
        for char in steps:
            following = state.moves.get(char, state)
            if following is state and char not in state.moves:
                work += len(state.waiting) + 1
                following = self._move(state, char)
                if work > PAUSE_WORK:
                    work = 0
                    yield
            if following is None:
                return True
            state = following
        return False

    def finding(self, text: str, start: int = 0) -> Generator[None, None, Optional[Match]]:
        """Give the first match from a place on, or None; yields now and then."""
        if start == 0 and not (yield from self.looking(text)):
            return None
        nothing: Slots = (-1,) * (2 + 2 * self.groups)
        threads: List[Tuple[int, Slots]] = []
        best: Optional[Slots] = None
        kind = _kind(text[start - 1]) if start else _NOTHING
        work = 0
        for at in range(start, len(text) + 1):
            if best is None:
                threads.append((0, (at, *nothing[1:])))
            elif not threads:
                break
            char = text[at : at + 1]
            threads, done, followed = self._follow(threads, kind, char, at, at + 1 == len(text))
            best = done or best
            kind = _kind(char)
            work += followed
            if work > PAUSE_WORK:
                work = 0
                yield
        return Match(text, best) if best is not None else None

    def is_in(self, text: str, patience: Optional[Patience] = None) -> bool:
        """Tell whether it is found in a text. Raises PatternFault when the patience ends."""
        return (patience or Patience()).wait(self.looking(text))

    def find(self, text: str, start: int = 0, patience: Optional[Patience] = None) -> Optional[Match]:
        """Give the first match from a place on. Raises PatternFault when the patience ends."""
        return (patience or Patience()).wait(self.finding(text, start))

    def find_all(self, text: str, patience: Optional[Patience] = None) -> Iterator[Match]:
        """Give all successive matches; an empty one right after another is none, as in the original."""
        at, end = 0, -1
        while at <= len(text):
            found = self.find(text, at, patience)
            if found is None:
                return
            is_empty = found.start == found.end
            if not is_empty or found.start != end:
                yield found
            end = -1 if is_empty else found.end
            at = found.end + is_empty

    def _state(self, waiting: FrozenSet[int], kind: int) -> _State:
        key = (waiting, kind)
        state = self._states.get(key)
        if state is None:
            self._weight += len(waiting)
            state = self._states[key] = _State(waiting, kind)
        return state

    def _move(self, state: _State, char: str) -> Optional[_State]:
        """Find where a character leads, and remember it."""
        if self._weight > KEPT_WEIGHT:
            self._forget()
        self._weight += 1
        is_last = char == _LAST_NEWLINE
        following = state.moves[char] = self._reached(state, "\n" if is_last else char, is_last)
        return following

    def _reached(self, state: _State, char: str, is_last: bool) -> Optional[_State]:
        operations, operands = self._program.operations, self._program.operands
        reached = {0}
        seen = set()
        stack = list(state.waiting)
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            operation = operations[at]
            if operation == CHAR:
                if char and operands[at](char):
                    reached.add(at + 1)
            elif operation == SPLIT:
                stack.extend(operands[at])
            elif operation == SAVE:
                stack.append(at + 1)
            elif operation == WHERE:
                if _is_there(operands[at], state.kind, char, is_last):
                    stack.append(at + 1)
            else:
                return None
        return self._state(frozenset(reached), _kind(char))

    def _follow(
        self, threads: List[Tuple[int, Slots]], kind: int, char: str, place: int, is_last: bool
    ) -> Tuple[List[Tuple[int, Slots]], Optional[Slots], int]:
        """Take all ways one character further; those worse than a match are given up."""
        operations, operands = self._program.operations, self._program.operands
        following: List[Tuple[int, Slots]] = []
        seen = set()
        threads.reverse()
        while threads:
            at, slots = threads.pop()
            if at in seen:
                continue
            seen.add(at)
            operation = operations[at]
            if operation == CHAR:
                if char and operands[at](char):
                    following.append((at + 1, slots))
            elif operation == SPLIT:
                threads.extend((way, slots) for way in reversed(operands[at]))
            elif operation == SAVE:
                slot = operands[at]
                threads.append((at + 1, (*slots[:slot], place, *slots[slot + 1 :])))
            elif operation == WHERE:
                if _is_there(operands[at], kind, char, is_last):
                    threads.append((at + 1, slots))
            else:
                return following, (slots[0], place, *slots[2:]), len(seen)
        return following, None, len(seen)


class Patience:
    """How long all searches of one question may take together, counted in pauses."""

    def __init__(self, pauses: int = 100) -> None:
        self._pauses = pauses

    def wait(self, search: Generator[None, None, Found]) -> Found:
        """Give what a search finds. Raises PatternFault when that takes too long."""
        while True:
            try:
                next(search)
            except StopIteration as stop:
                found: Found = stop.value
                return found
            self._pauses -= 1
            if self._pauses < 0:
                search.close()
                raise PatternFault("it takes too long to search for", hint="repeat less, or less often")


def _kind(char: str) -> int:
    return _NOTHING if not char else _NEWLINE if char == "\n" else _WORD if is_word(char) else _OTHER


def _is_there(where: int, before: int, char: str, is_last: bool) -> bool:
    """Tell whether a place between two characters is what an anchor asks for."""
    if where == START:
        return before == _NOTHING
    if where == END:
        return not char
    if where == LINE_START:
        return before in (_NOTHING, _NEWLINE)
    if where == LINE_END:
        return char in ("", "\n")
    if where == LAST_LINE_END:
        return not char or (char == "\n" and is_last)
    is_edge = (before == _WORD) != (_kind(char) == _WORD)
    assert where in (WORD_EDGE, NO_WORD_EDGE)
    return is_edge == (where == WORD_EDGE)
