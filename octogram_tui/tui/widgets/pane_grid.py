"""Where the panes stand: it places them and their titles as layout.py says, and draws the lines between columns."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.layout import Arrangement, Wish, arrange
from octogram_tui.tui.model import Model
from octogram_tui.tui.views import BY_NAME
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.title_line import TitleLine


class PaneGrid(Widget):
    """All panes; those that have no place are not seen, and are not drawn.

    recent: the views that the operator went to, the latest first. A pane that shows nothing gives its room away; one
    that grew keeps its room until something else changes, so that what is read stays where it is.
    """

    def __init__(self, model: Model, brush: Brush, panes: dict[str, LineView]) -> None:
        super().__init__(id="body")
        self.brush = brush
        self.panes = panes
        self.titles = {
            name: TitleLine(model, brush, view=name, name=BY_NAME[name].title, pane=pane)
            for name, pane in panes.items()
        }
        self.recent = ["plan"]
        self.is_zoomed = False
        self.seen = Arrangement(())
        self._lines: dict[str, int] = {}
        self._placed_for: object = None
        self._placing = PlacedPanes()

    @property
    def layout(self) -> Layout:
        """Place by layout.py, whatever the stylesheet says."""
        return self._placing

    def compose(self) -> ComposeResult:
        """Titles and panes in the order of the views."""
        for name, pane in self.panes.items():
            yield self.titles[name]
            yield pane

    def place(self, size: Size) -> Arrangement:
        """Choose a place for each pane that is seen; told by the layout, in the midst of laying out."""
        basis = (size, self.recent[0], self.is_zoomed)
        if basis != self._placed_for:
            self._placed_for = basis
            self._lines = {}
        self._grow()
        self.seen = self._arranged(size)
        focused = next((name for name, pane in self.panes.items() if pane is self.screen.focused), "")
        if focused and focused not in self.seen.views:  # less room than before: what has the keys stays
            self.go_to(focused)
            self.seen = self._arranged(size)
        seen = set(self.seen.views)
        for name, pane in self.panes.items():
            pane.has_place = name in seen
        return self.seen

    def _arranged(self, size: Size) -> Arrangement:
        return arrange(*size, Wish(self.recent, self._lines, self.is_zoomed))

    def _grow(self) -> None:
        for name, pane in self.panes.items():
            wanted = pane.wanted_lines()
            self._lines[name] = max(self._lines.get(name, 0), wanted) if wanted else 0

    def go_to(self, view: str) -> None:
        """Make it the latest that the operator went to."""
        self.recent = [view, *(other for other in self.recent if other != view)]

    def sync(self) -> None:
        """Place the panes anew when there is a reason, and bring the titles up to date."""
        self._grow()
        if self._arranged(self.size) != self.seen:
            self._ask_to_be_arranged()
        for view in self.seen.views:
            self.titles[view].sync()

    def place_anew(self) -> None:
        """Something else was chosen."""
        self.place(self.size)
        self._ask_to_be_arranged()

    def _ask_to_be_arranged(self) -> None:
        self.refresh()
        # A child has to ask: the library keeps the places of children until one of them wants another.
        next(iter(self.titles.values())).refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        """Draw what no pane covers: the lines between the columns."""
        width = self.size.width
        line = [" "] * width
        for x, top, rows in self.seen.rules:
            if top <= y < top + rows and x < width:
                line[x] = self.brush.pick("│", "|")
        return self.brush.strip([("".join(line), "edge")], width).apply_style(self.rich_style)


class PlacedPanes(Layout):
    """Puts titles and panes where the grid says."""

    name = "placed-panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Place what is seen, and nothing else."""
        assert isinstance(parent, PaneGrid)
        return list(_placements(parent, size))


def _placements(grid: PaneGrid, size: Size) -> Iterable[WidgetPlacement]:
    for slot in grid.place(size).slots:
        title = int(slot.has_title)
        regions = (
            (grid.titles[slot.view], Region(slot.x, slot.y, slot.width, title)),
            (grid.panes[slot.view], Region(slot.x, slot.y + title, slot.width, slot.height - title)),
        )
        for widget, region in regions:
            if region:
                yield WidgetPlacement(region, NULL_OFFSET, NULL_SPACING, widget)
