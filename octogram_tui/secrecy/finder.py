"""Finds the texts of secrets in other texts, also where one is spread over lines, or cut off at an end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from octogram_tui.secrecy.names import SHORTEST, SHORTEST_LINE

LONG = 1000
"""A text from so many signs on may be the end of a longer one."""

_GLANCE = 64
"""Signs that are compared before all of a long text is."""

_CUT = re.compile(r"…|\.\.\.")
_BREAK = re.compile(r"\r?\n")


class Needle(NamedTuple):
    """A text to be found. code: the secret's name, and how the text is made of it."""

    text: str
    code: str


class Span(NamedTuple):
    """A place of a text that holds a needle from sign `first` to `last`. is_more: it goes on what ended before it."""

    start: int
    end: int
    needle: Needle
    first: int
    last: int
    is_more: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all of the needle is there."""
        return self.first == 0 and self.last == len(self.needle.text)


class Finder:
    """Looks for some needles. Nobody changes one: whoever learns of more makes another."""

    def __init__(self, needles: Iterable[Needle] = ()) -> None:
        self.needles = tuple(sorted(needles, key=lambda needle: -len(needle.text)))
        self.longest = len(self.needles[0].text) if self.needles else 0
        self._begin = frozenset(needle.text[:SHORTEST] for needle in self.needles)
        self._end = frozenset(needle.text[-SHORTEST:] for needle in self.needles)
        self._broken = tuple(needle for needle in self.needles if "\n" in needle.text)

    def is_possible(self, text: str, *, is_cut: bool) -> bool:
        """Tell quickly of most texts that nothing is in them."""
        return self._has_one(text, self._begin) or (is_cut and self._has_one(text[: self.longest], self._end))

    def _has_one(self, text: str, wanted: frozenset[str]) -> bool:
        if 2 * len(text) < len(wanted):
            return any(text[at : at + SHORTEST] in wanted for at in range(len(text) - SHORTEST + 1))
        return any(each in text for each in wanted)

    def spans(
        self, texts: Sequence[str], *, before: str = "", is_open: bool = False, is_cut: bool = False
    ) -> list[list[Span]] | None:
        """Give the places of each text, in order; None where nothing is found.

        before: what came directly before the texts; where it held the beginning of a needle, its end is found.
        is_open: more may follow. is_cut: what came before is not known.
        """
        pieces = [(number, *piece) for number, text in enumerate(texts) for piece in _pieces(text)]
        joined = before + "".join(texts[number][start:end] for number, start, end in pieces)
        is_cut = (is_cut or len(joined) >= LONG) and not before
        if not self.is_possible(joined, is_cut=is_cut):
            return None
        cuts = [(found.start(), SHORTEST) for found in _CUT.finditer(joined)]
        at = len(before)
        for number, start, end in pieces:
            at += end - start
            if end == len(texts[number]):
                cuts.append((at, SHORTEST_LINE))
        if is_open:
            cuts.append((at, SHORTEST))
        found = _apart(self._occurrences(joined, len(before), cuts, is_cut=is_cut))
        result: list[list[Span]] = [[] for _ in texts]
        at = len(before)
        for number, start, end in pieces:
            length = end - start
            result[number] += [span for each in found if (span := _within(each, at, length, start)) is not None]
            at += length
        for number, text in enumerate(texts):
            whole = [span for needle in self._broken for span in _of(needle, text)]
            if whole:
                result[number] = _apart([*whole, *result[number]])
        return result if any(result) else None

    def _occurrences(self, joined: str, first: int, cuts: Sequence[tuple[int, int]], *, is_cut: bool) -> Iterator[Span]:
        """Give all that is there, with what is cut off; what ends before `first` was seen before.

        cuts: where a text may have been cut off, and how many signs of a needle tell that it was.
        """
        for needle in self.needles:
            length = len(needle.text)
            if needle.text[:SHORTEST] in joined:
                yield from (span for span in _of(needle, joined) if span.end > first)
                for end, shortest in cuts:
                    held = _overlap(joined[max(0, end - length + 1) : end], needle.text)
                    if held >= shortest and end > first:
                        yield Span(end - held, end, needle, 0, held)
            if is_cut and needle.text[-SHORTEST:] in joined:
                held = _overlap(needle.text, joined[: length - 1])
                if held >= SHORTEST:
                    yield Span(0, held, needle, length - held, length)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Give where a text's lines begin and end."""
    if "\n" not in text:
        return [(0, len(text))]
    found = []
    start = 0
    for end in _BREAK.finditer(text):
        found.append((start, end.start()))
        start = end.end()
    return [*found, (start, len(text))]


def _within(span: Span, at: int, length: int, start: int) -> Span | None:
    """Give the part of a place that lies in a piece, which begins at `at`, as a place of the piece's text."""
    first, end = max(span.start, at), min(span.end, at + length)
    if first >= end:
        return None
    skipped = span.first + first - span.start
    return Span(start + first - at, start + end - at, span.needle, skipped, skipped + end - first, span.is_more)


def _of(needle: Needle, text: str) -> Iterator[Span]:
    length = len(needle.text)
    at = text.find(needle.text)
    while at >= 0:
        yield Span(at, at + length, needle, 0, length)
        at = text.find(needle.text, at + length)


def _overlap(head: str, tail: str) -> int:
    """Give how many signs at the end of one text begin the other, at most; 0 for fewer than count."""
    begin = tail[:SHORTEST]
    at = head.find(begin, max(0, len(head) - len(tail)))
    while at >= 0:
        if tail.startswith(head[at : at + _GLANCE]) and tail.startswith(head[at:]):
            return len(head) - at
        at = head.find(begin, at + 1)
    return 0


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Put places in order, and let none begin before the one before it ends."""
    result: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, len(span.needle.code))):
        if span.end <= end:
            continue
        if span.start < end:
            span = span._replace(start=end, first=span.first + end - span.start, is_more=True)
        result.append(span)
        end = span.end
    return result
