"""The frame of a run: bars and panes, which of them are seen, and what they look at."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from octogram_tui.projection.rows import Group, InstanceRow, Row
from octogram_tui.tui.layout import DOCK_ROWS, layout_of
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.views import VIEWS, View
from octogram_tui.tui.widgets.agent_matrix import AgentMatrix
from octogram_tui.tui.widgets.banner import Banner
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.detail import Detail
from octogram_tui.tui.widgets.key_bar import KeyBar
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.output_log import OutputLog
from octogram_tui.tui.widgets.plan_tree import PlanTree
from octogram_tui.tui.widgets.status_bar import StatusBar
from octogram_tui.tui.widgets.tabs import Tabs
from octogram_tui.tui.widgets.variable_list import VariableList

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp

PaneType = TypeVar("PaneType", bound=LineView)


class PaneScreen(Screen[None]):
    """Panes from the table of views, and bars around them. run_verbs.py and look_verbs.py have what can be done."""

    app: ConsoleApp

    def __init__(self, app: ConsoleApp) -> None:
        super().__init__(id="run")
        model, brush = app.model, app.brush
        self.model = model
        self.status = StatusBar(model, brush, scenario=app.scenario_path)
        self.tabs = Tabs(model, brush)
        self.banner = Banner(model, brush)
        self.keys = KeyBar(model, brush)
        self.panes = {view.name: pane_of(view, model, brush) for view in VIEWS}
        self.plan = self._pane(PlanTree)
        self.matrix = self._pane(AgentMatrix)
        self.log_pane = self._pane(OutputLog)
        self.variables = self._pane(VariableList)
        self.detail = self._pane(Detail)
        self.view = "plan"
        self.before_detail = "plan"
        self.is_zoomed = False
        self.is_pinned = False  # the panes are about what was chosen in another one than the plan

    def _pane(self, kind: type[PaneType]) -> PaneType:
        return next(pane for pane in self.panes.values() if isinstance(pane, kind))

    def compose(self) -> ComposeResult:
        """Bars around three columns."""
        yield self.status
        yield self.banner
        yield self.tabs
        with Container(id="body"):
            for column in ("left", "middle", "right"):
                with Container(id=column):
                    yield from self._panes_of(column)
        yield self.keys

    def _panes_of(self, column: str) -> Iterator[LineView]:
        return (self.panes[view.name] for view in VIEWS if view.column == column)

    def on_mount(self) -> None:
        """Start in the plan."""
        self.set_class(self.app.brush.ascii_only, "-ascii")
        self.lay_out()
        self.plan.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may ask for another layout."""
        self.lay_out()
        self.call_after_refresh(self.sync)

    # Which panes are seen

    @property
    def layout_name(self) -> str:
        """single, tabs, pair or columns."""
        return layout_of(self.app.size.width, is_zoomed=self.is_zoomed)

    def lay_out(self) -> None:
        """Arrange the panes for the size and what is chosen."""
        layout = self.layout_name
        for name in ("single", "tabs", "pair", "columns"):
            self.set_class(name == layout, f"-{name}")
        for name in self.panes:
            self.set_class(name == self.view, f"-view-{name}")
        is_alone = self.view in ("log", "detail") or self.app.size.height < DOCK_ROWS
        has_dock = layout == "tabs" and not is_alone
        self.set_class(has_dock, "-dock")
        self.tabs.view = self.view
        self.tabs.display = layout in ("single", "tabs")

    def show(self, view: str) -> None:
        """Show a pane and give it the keys."""
        if view == "detail" and self.view != "detail":
            self.before_detail = self.view
        self.view = view
        self.lay_out()
        self.panes[view].focus()
        self.call_after_refresh(self.sync)

    @property
    def pane(self) -> str:
        """The name of the pane that has the keys."""
        return next((name for name, pane in self.panes.items() if pane.has_focus), self.view)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The keys that are shown are those of the pane."""
        widget = event.widget
        if isinstance(widget, LineView):
            self.view = next(name for name, pane in self.panes.items() if pane is widget)
            if self.layout_name != "tabs" or self.view != "log":
                self.lay_out()
            self.call_after_refresh(self.sync)

    # Keeping up

    def sync(self) -> None:
        """Bring everything that is seen up to date."""
        self.status.marks = self.app.marks()
        self.banner.is_read_only = self.keys.is_read_only = self.app.is_read_only
        self.keys.pane = self.pane
        for bar in (self.status, self.tabs, self.banner, self.keys):
            bar.sync()
        self.plan.sync()  # first, for the others look at its row
        if self.plan.is_following and not self.is_pinned and self.plan.selected is not None:
            self.look_at(self.plan.selected, but=self.log_pane)
            self.log_pane.look_at(self.model.log_of(self.plan.selected))
        for pane in self.panes.values():
            if pane is not self.plan:
                pane.sync()

    def look_at(self, subject: Subject | None, *, but: LineView | None = None) -> None:
        """Let every pane that tells of what is chosen elsewhere tell of this."""
        for pane in self.panes.values():
            if pane is not but:
                pane.look_at(subject)

    def on_line_view_cursor_moved(self, message: LineView.CursorMoved) -> None:
        """Log, inspector and the like follow the cursor."""
        message.stop()
        row = message.view.selected
        if message.view.leads and isinstance(row, (Group, InstanceRow)):
            self.plan.select(row)  # which moves its cursor, and is told of here again
            return
        self.is_pinned = message.view is not self.plan
        if message.view.selected is not None:
            self.look_at(message.view.selected, but=message.view)

    def row(self) -> Row | None:
        """The row that verbs are about."""
        subject = self.log_pane.subject if self.pane in ("log", "detail") else self.plan.selected
        return subject if isinstance(subject, (Group, InstanceRow)) else None


def pane_of(view: View, model: Model, brush: Brush) -> LineView:
    """Make the pane of a view."""
    module, _, name = view.pane.rpartition(".")
    pane: LineView = getattr(import_module(f"octogram_tui.tui.widgets.{module}"), name)(model, brush)
    return pane
