"""The page that puts two attempts beside each other; on narrow panes above each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from octogram_tui.projection.compare import Comparison, Entry, Side
from octogram_tui.projection.side_by_side import Pair, Span
from octogram_tui.tui.format import LOOKS, duration, plural
from octogram_tui.tui.look.pieces import Text, hanging, hint
from octogram_tui.tui.widgets.brush import Brush, cells_of

BESIDE_CELLS = 100
"""From so many cells on the two stand beside each other."""


def compared(found: Comparison, brush: Brush, width: int) -> list[Text]:
    """Tell of a comparison: whom, where they first differ, each difference, and what is the same by name."""
    page = _Page(brush, width)
    lines = page.heads(found)
    different = found.different
    first = f"they first differ in {different[0].title}" if different else "they do not differ, but in times and places"
    lines += [[("", "")], [(brush.text(first), "strong")]]
    for entry in different:
        lines += page.entry(entry)
    if found.times:
        lines += [[("", "")], [("as any two attempts, or their agents, differ", "dim")]]
        for entry in found.times:
            if not entry.is_same:
                lines += page.entry(entry, is_quiet=True)
    if found.same:
        names = ", ".join(entry.title for entry in found.same)
        lines += [[("", "")], [("the same  ", "dim"), (brush.text(names, limit=4096), "dim")]]
    return lines


class _Page:
    """Draws pairs in the room that there is."""

    def __init__(self, brush: Brush, width: int) -> None:
        self.brush = brush
        self.is_beside = width >= BESIDE_CELLS
        self.cells = (width - 3) // 2 if self.is_beside else max(10, width - 4)
        self.rule = brush.pick(" │ ", " | ")

    def heads(self, found: Comparison) -> list[Text]:
        left, right = (self._head(side) for side in (found.left, found.right))
        why: list[Text] = [hint(found.right.why, self.brush)] if found.right.why else []
        if self.is_beside:
            return [*self._beside(left, right), *why]
        return [[("< ", "key"), *left], [("> ", "key"), *right], *why]

    def _head(self, side: Side) -> Text:
        look = LOOKS[side.attempt.state]
        took = duration(side.attempt.duration_s)
        return [
            (self.brush.text(side.name), "strong"),
            (f"  {self.brush.sign(look)} {look.word}", look.style),
            (f"  {took}", "dim"),
        ]

    def entry(self, entry: Entry, *, is_quiet: bool = False) -> list[Text]:
        """Draw one thing that differs."""
        lines: list[Text] = [] if is_quiet else [[("", "")], [(self.brush.text(entry.title), "accent")]]
        label: Text = [(f"{self.brush.text(entry.title)}: ", "dim")] if is_quiet else []
        for pair in entry.pairs():
            lines += self._pair(pair, label)
            label = []
        return lines

    def _pair(self, pair: Pair, label: Text) -> Iterator[Text]:
        if pair.skipped:
            yield [(f"    {plural(pair.skipped, 'line')} more", "faint")]
            return
        left, right = (self._spans(side) for side in (pair.left, pair.right))
        if self.is_beside:
            yield from self._beside([*label, *left], [*label, *right])
        elif pair.is_same:
            yield [("  ", ""), *left]
        else:
            if pair.left is not None:
                yield [("< ", "key"), *label, *left]
            if pair.right is not None:
                yield [("> ", "key"), *label, *right]

    def _spans(self, spans: Sequence[Span] | None) -> Text:
        return [(self.brush.text(text, limit=4096), "changed" if differs else "") for text, differs in spans or ()]

    def _beside(self, left: Text, right: Text) -> Iterator[Text]:
        """Lay two lines beside each other, over as many as the longer takes."""
        ones, others = hanging(left, self.cells, 0), hanging(right, self.cells, 0)
        for index in range(max(len(ones), len(others))):
            one = ones[index] if index < len(ones) else []
            other = others[index] if index < len(others) else []
            filled = [*one, (" " * (self.cells - cells_of(one)), "")]
            yield [*filled, (self.rule, "faint"), *other]
