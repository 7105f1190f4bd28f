"""Two texts beside each other: lines that belong together, and within them what differs. Bounded, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

Span = tuple[str, bool]
"""A part of a line, and whether it differs."""

MOST_ALIGNED = 400
"""So many lines of each side are aligned; the rest is taken as it comes."""
MOST_CELLS = 400
AROUND = 2
"""So many equal lines are shown before and after what differs."""
MOST_PAIRS = 60


class Pair(NamedTuple):
    """Two lines that stand beside each other; None where one side has none. skipped: it stands for equal lines."""

    left: tuple[Span, ...] | None
    right: tuple[Span, ...] | None
    skipped: int = 0

    @property
    def is_same(self) -> bool:
        """Whether both sides have the same."""
        return bool(self.skipped) or (self.left is not None and self.left == self.right)


def align(left: Sequence[str], right: Sequence[str], *, most: int = MOST_PAIRS) -> list[Pair]:
    """Put two texts beside each other; long runs of equal lines are left out, and so is what is beyond `most`."""
    pairs = list(_with_gaps(list(_aligned(left, right))))
    return pairs if len(pairs) <= most else [*pairs[:most], Pair(None, None, len(pairs) - most)]


def _aligned(left: Sequence[str], right: Sequence[str]) -> Iterator[Pair]:
    same = _common(left, right)
    for line in left[:same]:
        yield _equal(line)
    left, right = left[same:], right[same:]
    tail = _common(left[::-1], right[::-1])
    end = (left[len(left) - tail :], right[len(right) - tail :])
    left, right = left[: len(left) - tail], right[: len(right) - tail]
    near = SequenceMatcher(None, left[:MOST_ALIGNED], right[:MOST_ALIGNED], autojunk=False)
    for tag, first, last, begin, stop in near.get_opcodes():
        if tag == "equal":
            yield from (_equal(line) for line in left[first:last])
        else:
            yield from _beside(left[first:last], right[begin:stop])
    yield from _beside(left[MOST_ALIGNED:], right[MOST_ALIGNED:])
    yield from (_equal(line) for line in end[0])


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _equal(line: str) -> Pair:
    span = ((line[:MOST_CELLS], False),)
    return Pair(span, span)


def _beside(left: Sequence[str], right: Sequence[str]) -> Iterator[Pair]:
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else None
        other = right[index] if index < len(right) else None
        if one is None or other is None:
            whole = (((one if one is not None else other) or "")[:MOST_CELLS], True)
            yield Pair((whole,) if one is not None else None, (whole,) if other is not None else None)
        else:
            yield Pair(*marked(one, other))


def marked(left: str, right: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Mark within two lines what lies between what they begin and end with alike."""
    head = _common(left, right)
    tail = min(_common(left[::-1], right[::-1]), min(len(left), len(right)) - head)
    return _spans(left, head, tail), _spans(right, head, tail)


def _spans(line: str, head: int, tail: int) -> tuple[Span, ...]:
    if head > MOST_CELLS // 2:  # what differs is seen, however far to the right it is
        line, head = f"...{line[head - 40 :]}", 43
    middle = line[head : len(line) - tail]
    spans = [(line[:head], False), (middle[:MOST_CELLS], True), (line[len(line) - tail :][:MOST_CELLS], False)]
    return tuple(span for span in spans if span[0]) or (("", True),)


def _with_gaps(pairs: Sequence[Pair]) -> Iterator[Pair]:
    differing = [index for index, pair in enumerate(pairs) if not pair.is_same]
    wanted = {near for index in differing for near in range(index - AROUND, index + AROUND + 1)}
    skipped = 0
    for index, pair in enumerate(pairs):
        if index in wanted:
            if skipped:
                yield Pair(None, None, skipped)
            skipped = 0
            yield pair
        else:
            skipped += 1
    if skipped:
        yield Pair(None, None, skipped)
