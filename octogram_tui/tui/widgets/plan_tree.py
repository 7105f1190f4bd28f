"""The plan: stages, jobs, agents and items as lines that unfold, each with its state, its count and its time."""

from __future__ import annotations

from collections.abc import Hashable

from textual.events import Click
from textual.geometry import Size

from octogram_tui.projection.bunches import Bunch
from octogram_tui.projection.filter import Filter
from octogram_tui.projection.outline import Line
from octogram_tui.projection.rows import Group, InstanceRow, Kind, Row
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.format import duration
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.plan_lines import PlanLines, sign_cells

LEAST_AROUND = 3
"""How many lines are kept before and after the row where the action is."""


class PlanTree(LineView):
    """Follows the run until the operator moves the cursor."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="plan")
        self._is_following = True
        self._is_scrolled = False  # by the wheel: where the action is may be out of sight
        self._lines = PlanLines(model, brush)
        self._chosen: Line | None = None
        self._sought: Row | None = None  # what was chosen, while a filter hides it
        self._foothold = Foothold(model)
        self._narrowed: object = None
        self._room = 0

    @property
    def is_following(self) -> bool:
        """Whether the cursor goes where the action is."""
        return self._is_following

    @is_following.setter
    def is_following(self, follows: bool) -> None:
        self._is_following = follows
        self._is_scrolled = False

    def on_mouse_scroll_down(self) -> None:
        """Leave the lines where the wheel puts them, until a key says where to go."""
        self._is_scrolled = True

    def on_mouse_scroll_up(self) -> None:
        """Leave the lines where the wheel puts them, until a key says where to go."""
        self._is_scrolled = True

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        return self.model.outline.line(self.cursor)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor; of many in one line, what stands for them."""
        line = self.line
        return line.row if line is not None else None

    @property
    def bunch(self) -> Bunch | None:
        """The many under the cursor, when the line stands for many."""
        line = self.line
        return line.head if line is not None else None

    def text_of_selected(self) -> str:
        """Give the row's name."""
        return self.selected.full_name if self.selected is not None else ""

    def wanted_lines(self) -> int:
        """As many as there are when all stages are open, so that they can be where that fits."""
        stages = self.model.board.stages
        return max(super().wanted_lines(), sum(1 + len(stage.children) for stage in stages))

    def count(self) -> int:
        """Say how many rows are unfolded."""
        return len(self.model.outline.lines)

    def sync(self) -> None:
        """Bring the list up to date, and keep the cursor on its row, or on where the action is."""
        outline = self.model.outline
        outline.room = self.visible_lines
        if self.is_following:
            self._follow()
        elif outline.refresh():
            self._keep()
        self._chosen = self.line
        super().sync()

    def moment_changed(self) -> None:
        """List the rows of then; the cursor stays on its own, and that where it is on the screen."""
        super().moment_changed()
        outline, line = self.model.outline, self._chosen
        outline.refresh()
        if self.is_following or line is None:
            return
        was_bridged = self._foothold.is_bridged
        row = self._foothold.again(line.row)
        index = outline.index_of(line)
        if index is None or was_bridged or self._foothold.is_bridged:
            index = outline.place(row) if isinstance(row, (Group, InstanceRow)) else 0
        index = index or 0
        top = self.scroll_offset.y
        moved, self.cursor = index - self.cursor, index
        self._measure()
        self.scroll_line(max(0, top + moved))
        self._chosen = self.line
        self._foothold.stand_in(self.selected)

    def _follow(self) -> None:
        outline = self.model.outline
        focus = self.model.focus_row()
        outline.point_at(focus if self.model.board.is_paused else None)
        changed = outline.refresh()
        if focus is None:
            return
        index = outline.place(focus)
        changed = changed or self._room != outline.room  # the banner came or went
        self._room = outline.room
        if index is not None and (changed or index != self.cursor):
            self.cursor = index
            self._measure()
            if not self._is_scrolled:
                self._centre(index)

    def _keep(self) -> None:
        """The list is another: the cursor stays on its line, and that stays where it is on the screen."""
        outline = self.model.outline
        if self._chosen is None:
            return
        index = outline.index_of(self._chosen) if self._sought is None else None
        if index is None:
            row = self._sought or self._chosen.row
            index = outline.place(row)
            self._sought = row if outline.hides(row) else None
            if self._sought is not None:  # whoever filters looks for an instance, not for the stage that holds it
                found = [at for at, line in enumerate(outline.lines) if isinstance(line.row, InstanceRow)]
                index = next((at for at in found if at > (index or 0)), found[0] if found else index)
        top = self.scroll_offset.y
        was_seen = top <= self.cursor < top + self.visible_lines
        moved = 0 if index is None else index - self.cursor
        self.cursor = max(0, min(self.cursor if index is None else index, self.count() - 1))
        self._measure()
        narrowed = (outline.failed_only, outline.filtered_by.text)
        if moved:
            self.scroll_line(max(0, top + moved))
        if was_seen or narrowed != self._narrowed:
            self.show_line(self.cursor)
        self._narrowed = narrowed
        if self.selected is not self._chosen.row:  # that is hidden or gone: the others tell of the one there now
            self.post_message(self.CursorMoved(self))

    def _measure(self) -> None:
        size = Size(self.size.width, self.count())
        if self.size and size != self.virtual_size:
            self.virtual_size = size

    def _centre(self, index: int) -> None:
        """Scroll so that what comes before and after a line is seen too: to the middle, once it nears an edge."""
        visible = self.visible_lines
        around = min(LEAST_AROUND, (visible - 1) // 2)
        top = self.scroll_offset.y
        if index < visible - around:  # there is no need to leave the beginning
            self.scroll_line(0)
        elif not top + around <= index < top + visible - around:
            self.scroll_line(max(0, min(index - visible // 2, self.count() - visible)))

    def select(self, row: Row) -> None:
        """Put the cursor on a row, unfolding what holds it; the run is no longer followed.

        What hides the row, a filter or `failed only`, is taken away: whoever asks for a row wants to see it.
        """
        outline = self.model.outline
        if outline.hides(row):
            outline.failed_only = False
            outline.narrow(Filter())
        outline.show(row)
        outline.refresh()
        index = outline.place(row)
        if index is not None:
            self._measure()
            self.move_to(index)
            self._centre(index)
            self.moved()

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; the run is no longer followed."""
        self.is_following = False
        self._chosen = self._sought = None
        super().move_to(index)

    def moved(self) -> None:
        """The operator chose: the cursor stays."""
        self._sought = None
        self._chosen = self.line
        super().moved()

    def action_sideways(self, by: int) -> None:
        """Unfold, or fold; what cannot be folded leads to what holds it."""
        line = self.line
        outline = self.model.outline
        if line is None:
            return
        shown = line.head or line.row
        if by > 0 and outline.has_rows_below(shown):
            if outline.is_unfolded(shown):
                self.action_move(1)
                return
            outline.unfold(shown)
        elif by < 0 and outline.has_rows_below(shown) and outline.is_unfolded(shown):
            outline.fold(shown)
        elif by < 0:
            above = next((at for at in range(self.cursor - 1, -1, -1) if outline.lines[at].depth < line.depth), None)
            if above is not None:
                self.move_to(above)
                self.moved()
            return
        self.is_following = False
        self._chosen = line
        self.sync()

    def open(self) -> bool:
        """Fold or unfold the row; False when it has nothing below."""
        line = self.line
        if line is None or not self.model.outline.has_rows_below(line.head or line.row):
            return False
        if line.head is not None and line.head.cluster is not None:
            return False  # one looks at what stands for them all
        self._fold_or_unfold()
        return True

    def _fold_or_unfold(self) -> None:
        line = self.line
        if line is None or not self.model.outline.has_rows_below(line.head or line.row):
            return
        self.action_sideways(-1 if self.model.outline.is_unfolded(line.head or line.row) else 1)

    def on_click(self, event: Click) -> None:
        """Choose the row; on its sign, fold or unfold it; twice, look into it."""
        event.prevent_default()  # what every pane does with a click is done here
        index = self.scroll_offset.y + event.y - self.gutter.top
        if not 0 <= index < self.count():
            return
        line = self.model.outline.lines[index]
        self.move_to(index)
        self.moved()
        if event.x - self.gutter.left < sign_cells(line):
            self._fold_or_unfold()
        elif event.chain == 2:
            self.app.call_later(self.screen.run_action, "view('detail')")

    def line_key(self, index: int) -> Hashable:
        """A row's version, its fold, and its time while that runs."""
        line = self.model.outline.lines[index]
        row = line.row
        bunch = line.head
        shown = bunch or row
        version: Hashable = row.version if bunch is None else (bunch.job.version, len(bunch), row.key)
        if bunch is None and isinstance(row, Group) and row.kind is Kind.STAGE:
            version = (row.version, self.model.board.number_of(row))
        return (
            line.key,
            version,
            self.model.outline.is_unfolded(shown),
            duration(row.duration_s(self.model.now_s)) if bunch is None else "",
            self._lines.is_confirming(row),
            row is self.model.held,
            self.model.board.stops.breakpoints.version,
        )

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        outline = self.model.outline
        if outline.filtered_by:
            return [
                (f"nothing passes the filter {self.brush.text(outline.filtered_by.text, limit=60)}", "held"),
                (f"{self.brush.way('back')} shows everything again", "dim"),
            ]
        if outline.failed_only:
            return [("nothing stands failed", "ok"), (f"{self.brush.way('failed only')} shows everything again", "dim")]
        return [("waiting for the run ...", "dim")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line."""
        return self._lines.paint(self.model.outline.lines[index], width)
