"""Draws a frame of what changed, and touches nothing else.

The library's own way goes through every line of every widget that the changes lie around, and cuts each at the edges of
all others. Here it is known for each row of the screen who is seen where, as long as nobody moves, and a line that is
seen whole goes to the terminal as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.widgets.line_view import LineView


class Seen(NamedTuple):
    """A widget, and the cells of a row of the screen where it and nothing else is seen."""

    begin: int
    end: int
    widget: Widget
    region: Region


class Part(NamedTuple):
    """What is drawn of a row of the screen: from and to which cell, whose it is, and which row of that one."""

    y: int
    begin: int
    end: int
    seen: Seen
    row: int


class FrameUpdate(CompositorUpdate):
    """What goes to the terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: Console) -> str:
        """Give it."""
        return self._text


class FrameCompositor(Compositor):
    """The library's compositor, but for frames of which only a part is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, list[Seen]] = {}  # who is seen where, by the rows of the screen
        self._rows_of: object = None  # the widgets that this is true of

    def render_partial_update(self) -> CompositorUpdate | None:  # type: ignore[override]
        """Draw the regions that changed."""
        screen = self.size.region
        regions = [found for region in self._dirty_regions if (found := region.intersection(screen))]
        self._dirty_regions.clear()
        if not regions or self.root is None:
            return None
        parts = list(self._parts(self._regions_to_spans(regions)))
        console = self.root.app.console
        texts = self._texts_of(parts, console)
        strips = self._strips_of([part for part in parts if (part.seen, part.row) not in texts])
        out: list[str] = []
        for part in parts:
            text = texts.get((part.seen, part.row))
            if text is None:
                x = part.seen.region.x
                text = strips[part.seen.widget][part.row].crop(part.begin - x, part.end - x).render(console)
            out.append(f"\x1b[{part.y + 1};{part.begin + 1}H{text}")
        return FrameUpdate("".join(out))

    def _parts(self, spans: Iterable[tuple[int, int, int]]) -> Iterable[Part]:
        for y, x1, x2 in spans:
            for seen in self._seen_on(y):
                begin, end = max(x1, seen.begin), min(x2, seen.end)
                if begin < end:
                    yield Part(y, begin, end, seen, y - seen.region.y)

    @staticmethod
    def _texts_of(parts: list[Part], console: Console) -> dict[tuple[Seen, int], str]:
        """Have those that are made of lines give them as they are, where they are seen whole."""
        rows: dict[Seen, list[int]] = {}
        for part in parts:
            seen = part.seen
            if isinstance(seen.widget, LineView) and part.begin == seen.region.x and part.end == seen.end:
                rows.setdefault(seen, []).append(part.row)
        found: dict[tuple[Seen, int], str] = {}
        for seen, wanted in rows.items():
            assert isinstance(seen.widget, LineView)
            for row, text in seen.widget.row_texts(wanted, seen.end - seen.begin, console).items():
                found[seen, row] = text
        return found

    @staticmethod
    def _strips_of(parts: list[Part]) -> dict[Widget, dict[int, Strip]]:
        """Have the others draw their lines: neighbours at once."""
        rows: dict[Widget, tuple[Region, list[int]]] = {}
        for part in parts:
            rows.setdefault(part.seen.widget, (part.seen.region, []))[1].append(part.row)
        found: dict[Widget, dict[int, Strip]] = {}
        for widget, (region, wanted) in rows.items():
            lines: dict[int, Strip] = {}
            found[widget] = lines
            for first, last in _runs(wanted):
                strips = widget.render_lines(Region(0, first, region.width, last - first + 1))
                lines.update(enumerate(strips, first))
        return found

    def _seen_on(self, y: int) -> list[Seen]:
        """Say who is seen on a row of the screen, from the left to the right."""
        widgets = self.visible_widgets
        if widgets is not self._rows_of:
            self._rows_of = widgets
            self._rows.clear()
        found = self._rows.get(y)
        if found is None:
            found = self._rows[y] = []
            here = [
                (part.x, part.right, widget, region)
                for widget, (region, clip) in widgets.items()
                if (part := region.intersection(clip)) and part.y <= y < part.bottom
            ]
            edges = sorted({edge for x, right, *_ in here for edge in (x, right)})
            for begin, end in pairwise(edges):
                top = next(((w, r) for x, right, w, r in here if x <= begin and end <= right), None)
                if top is None:
                    continue
                if found and found[-1].widget is top[0] and found[-1].end == begin:
                    found[-1] = found[-1]._replace(end=end)
                else:
                    found.append(Seen(begin, end, *top))
        return found


def _runs(rows: list[int]) -> Iterable[tuple[int, int]]:
    """Put rows that follow each other together: the first and the last of each run."""
    first = last = rows[0]
    for row in rows[1:]:
        if row > last + 1:
            yield first, last
            first = row
        last = row
    yield first, last
