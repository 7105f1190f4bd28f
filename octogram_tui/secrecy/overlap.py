"""Finds where a text holds the beginning of another directly before some places: about linear, whatever they hold.

A job may print what begins like a secret as often as it likes, and a secret may begin over and over within itself: no
sign is compared much more often than once for either (as Knuth, Morris and Pratt do it, over long pieces at a time).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from octogram_tui.secrecy.names import SHORTEST

_GLANCE = 8
"""Signs that are compared at first; then twice as many each time."""
_MOST_AT_ONCE = 1024

Borders = Sequence[int]
"""Of each length, how long the longest shorter beginning is that ends there as well; nothing where none counts."""


def borders_of(begin: str) -> Borders:
    """Find where a text begins again within itself."""
    if begin.find(begin[:SHORTEST], 1) < 0:
        return ()
    found = [0] * (len(begin) + 1)
    size = 0
    for end in range(1, len(begin)):
        sign = begin[end]
        while size and begin[size] != sign:
            size = found[size]
        if begin[size] == sign:
            size += 1
        found[end + 1] = size
    return found


def endings(
    text: str, begin: str, cuts: Sequence[tuple[int, int]], borders: Callable[[str], Borders] = borders_of
) -> Iterator[tuple[int, int]]:
    """Give where `begin` begins and goes on to a cut: the cut's place, and how much of it is there.

    cuts: in order, each with how many signs count there, SHORTEST or more. Of cuts within the same piece only the last
    is given; each other one is within what is given.
    """
    head, number = begin[:SHORTEST], 0
    at = text.find(head, max(0, cuts[0][0] - len(begin))) if cuts else -1
    size = SHORTEST
    known: Borders | None = None
    while at >= 0:
        size = _common(text, at, begin, size)
        reach, last = at + size, -1
        while number < len(cuts) and cuts[number][0] <= reach:
            end, shortest = cuts[number]
            if end - at >= shortest:
                last = end
            number += 1
        if last >= 0:
            yield last, last - at
        if number == len(cuts):
            return
        if known is None:
            known = borders(begin)
        size = known[size] if known else 0
        while size >= SHORTEST and text[reach] != begin[size]:
            size = known[size]
        if size >= SHORTEST:
            at = reach - size
        else:
            at = text.find(head, max(reach - SHORTEST + 1, cuts[number][0] - len(begin)))
            size = SHORTEST


def _common(text: str, at: int, begin: str, size: int) -> int:
    """Give how many signs of a text, from a place on, are those that the other begins with; `size` of them are."""
    step, grows = _GLANCE, True
    while step and size < len(begin):
        piece = begin[size : size + step]
        if _goes_on(text, at + size, piece):
            size += len(piece)
            step = min(2 * step, _MOST_AT_ONCE) if grows else step // 2
        else:
            step, grows = step // 2, False
    return size


def _goes_on(text: str, at: int, piece: str) -> bool:
    return text.startswith(piece, at)
