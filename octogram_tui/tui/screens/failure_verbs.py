"""Finding what matters in a plan that is too long to read: what failed, cause by cause, and what a filter takes."""

from __future__ import annotations

from octogram_tui.projection.filter import Filter
from octogram_tui.projection.rows import AgentRow, InstanceRow
from octogram_tui.projection.walk import Walk
from octogram_tui.tui.screens.pane_screen import PaneScreen
from octogram_tui.tui.widgets.filter_line import FilterLine

TOAST_S = 4.0


class FailureVerbs(PaneScreen):
    """The actions of keymap.py that go to failures, and narrow what is shown."""

    walk: Walk | None = None

    def action_first_failure(self) -> None:
        """Go to what failed: the next cause each time, also those that were dealt with."""
        if self.walk is None or self.walk.board is not self.model.board:
            self.walk = Walk(self.model.board)
        row = self.plan.selected
        chosen = row.key if isinstance(row, InstanceRow) and not self.is_pinned else None
        # From another pane one first wants to see the failure that the plan points at already.
        is_elsewhere = self.pane != "plan" and self.plan.is_following
        found = self.walk.next(chosen, stays=is_elsewhere)
        if found is None:
            self.app.notify("nothing has failed", markup=False)
            return
        stop, number, count = found
        self.go_to(stop.subject)
        said = f"{stop.who}: {stop.cause}" if not stop.fate else f"{stop.who}, {stop.fate}: {stop.cause}"
        text = self.app.brush.text(f"{number} of {count}: {said}", limit=240)
        self.app.clear_notifications()
        self.app.notify(text, markup=False, timeout=TOAST_S)

    def go_to(self, subject: InstanceRow | AgentRow) -> None:
        """Show what failed, in the plan, or of an agent all there is to know."""
        if isinstance(subject, AgentRow):
            self.is_pinned = True
            self.matrix.select(subject)
            self.look_at(subject)
            self.show("detail")
            return
        self.show("plan")
        self.plan.select(subject)

    def action_show_cause(self) -> None:
        """Go to what the banner tells of."""
        board = self.model.board
        subject = board.first_failure or board.first_bad_agent
        if subject is not None:
            self.go_to(subject)

    def action_failed_only(self) -> None:
        """Show only the way to what failed, or everything."""
        outline = self.model.outline
        outline.failed_only = not outline.failed_only
        self.sync()

    def action_filter(self) -> None:
        """Ask what to show, below the panes."""
        for line in self.query(FilterLine):
            self.set_focus(line)
            return
        self.app.open_line(FilterLine(self.model.outline.filtered_by.text, pane=self.pane))

    def narrow(self, by: Filter) -> None:
        """Show only what a filter takes."""
        self.model.outline.narrow(by)
        self.sync()

    def show_all(self) -> None:
        """Show everything again."""
        self.model.outline.failed_only = False
        self.narrow(Filter())
