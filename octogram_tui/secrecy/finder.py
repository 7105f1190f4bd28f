"""Finds the texts of secrets in other texts, also where one is spread over lines, coloured in part, or cut off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from octogram_tui.secrecy.names import SHORTEST, SHORTEST_LINE
from octogram_tui.secrecy.overlap import Borders, borders_of, endings
from octogram_tui.secrecy.views import COLOURLESS, PLAIN, View, further_views, is_broken

LONG = 1000
"""A text from so many signs on may be the end of a longer one."""

_CUT_OFF = re.compile(r"…|\.\.\.")
_CUT_AHEAD = re.compile(r"…|\.\.\.(?!\.)")


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
        self._broken = tuple(needle for needle in self.needles if is_broken(needle.text))
        self._borders: dict[str, Borders] = {}

    def may_hold(self, text: str) -> bool:
        """Tell quickly of most texts that nothing is in them."""
        has_breaks = is_broken(text)
        if has_breaks and any(needle.text in text for needle in self._broken):
            return True
        if self._is_possible(PLAIN.bare(text) if has_breaks else text):
            return True
        return any(self._is_possible(view.bare(text)) for view in further_views((text,)))

    def _is_possible(self, bare: str, *, is_cut: bool = False) -> bool:
        if self._has_one(bare, self._begin):
            return True
        if "…" in bare or "..." in bare:
            return self._has_one(bare, self._end)
        return (is_cut or len(bare) >= LONG) and self._has_one(bare[: self.longest], self._end)

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
        result: list[list[Span]] = [[] for _ in texts]
        found = [
            self._seen(view, texts, result, before, is_open=is_open, is_cut=is_cut)
            for view in (PLAIN, *further_views(texts))
        ]
        for number, text in enumerate(texts) if self._broken else ():
            if is_broken(text):
                whole = [span for needle in self._broken for span in _of(needle, text)]
                result[number] += whole
                found.append(bool(whole))
        if not any(found):
            return None
        return [_apart(each) if len(each) > 1 else each for each in result]

    def _seen(
        self, view: View, texts: Sequence[str], result: list[list[Span]], before: str, *, is_open: bool, is_cut: bool
    ) -> bool:
        """Add what one look at texts shows; tells whether there was anything."""
        pieces = view.pieces(texts)
        joined = before + "".join(texts[number][start:end] for number, start, end in pieces)
        is_cut = (is_cut or len(joined) >= LONG) and not before
        if not self._is_possible(joined, is_cut=is_cut):
            return False
        cuts = {found.start(): SHORTEST for found in _CUT_OFF.finditer(joined)}
        at = len(before)
        for number, start, end in pieces:
            at += end - start
            if end == len(texts[number]):
                cuts.setdefault(at, SHORTEST_LINE)
        if is_open:
            cuts[at] = SHORTEST
        behind = [found.end() for found in _CUT_AHEAD.finditer(joined)]
        if is_cut:
            behind.append(0)
        spans = _apart(self._occurrences(joined, len(before), cuts, behind))
        at = len(before)
        number = 0  # of the first place that ends behind where the piece begins
        for piece in pieces:
            length = piece.end - piece.start
            while number < len(spans) and spans[number].end <= at:
                number += 1
            for span in _until(spans, number, at + length):
                part = _within(span, at, length, piece.start)
                if part is not None:
                    result[piece.number].append(part)
            at += length
        return bool(spans)

    def _occurrences(self, joined: str, first: int, cuts: dict[int, int], behind: Sequence[int]) -> Iterator[Span]:
        """Give all that is there, with what is cut off; what ends before `first` was seen before.

        cuts: where a text may have been cut off, and how many signs of a needle tell that it was. behind: where one may
        begin whose beginning was cut off.
        """
        ends = sorted(cut for cut in cuts.items() if cut[0] > first)
        length = len(joined)
        turned = joined[::-1] if behind else ""
        starts = sorted((length - start, SHORTEST) for start in behind)
        begun = {begin for begin in self._begin if begin in joined}
        ended = {end for end in self._end if end in joined} if behind else set()
        heads: dict[int, Span] = {}  # by where they end: the longest is all of the others
        tails: dict[int, Span] = {}
        for needle in self.needles:
            whole = len(needle.text)
            if needle.text[:SHORTEST] in begun:
                yield from (span for span in _of(needle, joined) if span.end > first)
                for end, held in endings(joined, needle.text, ends, self._borders_of):
                    _keep_longest(heads, end, Span(end - held, end, needle, 0, held))
            if needle.text[-SHORTEST:] in ended:
                for end, held in endings(turned, needle.text[::-1], starts, self._borders_of):
                    start = length - end
                    if start + held > first:
                        _keep_longest(tails, start, Span(start, start + held, needle, whole - held, whole))
        yield from heads.values()
        yield from tails.values()

    def _borders_of(self, begin: str) -> Borders:
        known = self._borders.get(begin)
        if known is None:
            known = self._borders[begin] = borders_of(begin)
        return known

    def tail(self, before: str, texts: Sequence[str]) -> str:
        """Give what of texts, and of what came before them, has to be known to find what goes on behind them.

        That is the longest beginning of a needle at their end, or what is too short to be one.
        """
        text = "\n".join(texts)
        best = (before + COLOURLESS.bare(text))[1 - SHORTEST :]
        for view in (PLAIN, *further_views((text,))):
            joined = (before + view.bare(text))[-self.longest :]
            if not self._has_one(joined, self._begin):
                continue
            for needle in self.needles:
                if len(needle.text) > len(best) and needle.text[:SHORTEST] in joined:
                    cut = [(len(joined), SHORTEST)]
                    held = max((held for _, held in endings(joined, needle.text, cut, self._borders_of)), default=0)
                    if held > len(best):
                        best = needle.text[:held]
        return best


def _keep_longest(found: dict[int, Span], place: int, span: Span) -> None:
    known = found.get(place)
    size = span.last - span.first
    if known is None or (size, -len(span.needle.code)) > (known.last - known.first, -len(known.needle.code)):
        found[place] = span


def _until(spans: Sequence[Span], number: int, end: int) -> Iterator[Span]:
    """Give places, from one on, that begin before a sign."""
    while number < len(spans) and spans[number].start < end:
        yield spans[number]
        number += 1


def _within(span: Span, at: int, length: int, start: int) -> Span | None:
    """Give the part of a place that lies in a piece, which begins at `at`, as a place of the piece's text."""
    first, end = max(span.start, at), min(span.end, at + length)
    if first >= end:
        return None
    skipped = span.first + first - span.start
    return Span(start + first - at, start + end - at, span.needle, skipped, skipped + end - first, span.is_more)


def _of(needle: Needle, text: str) -> Iterator[Span]:
    """Give places that hold the whole needle: of those that overlap, as few as cover all of them."""
    length = len(needle.text)
    at = text.find(needle.text)
    while at >= 0:
        yield Span(at, at + length, needle, 0, length)
        furthest = text.rfind(needle.text, at + 1, at + 2 * length)
        at = furthest if furthest >= 0 else text.find(needle.text, at + length)


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
