"""The frame of a run: bars and panes, which of them are seen, and what they look at."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen

from octogram_tui.projection.rows import Group, InstanceRow, Row
from octogram_tui.tui.frame_compositor import FrameCompositor
from octogram_tui.tui.key_order import ScreenManners
from octogram_tui.tui.layout import layout_of
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.views import VIEWS, View
from octogram_tui.tui.widgets.agent_matrix import AgentMatrix
from octogram_tui.tui.widgets.banner import Banner
from octogram_tui.tui.widgets.bar import Bar
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.detail import Detail
from octogram_tui.tui.widgets.hint_line import HintLine
from octogram_tui.tui.widgets.key_bar import KeyBar
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.output_log import OutputLog
from octogram_tui.tui.widgets.pane_grid import PaneGrid
from octogram_tui.tui.widgets.plan_tree import PlanTree
from octogram_tui.tui.widgets.source_view import SourceView
from octogram_tui.tui.widgets.status_bar import StatusBar
from octogram_tui.tui.widgets.tabs import Tabs
from octogram_tui.tui.widgets.time_bar import TimeBar
from octogram_tui.tui.widgets.variable_list import VariableList

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp

SHORT_ROWS = 16
"""On fewer rows the banner has one line, and there are no tabs."""
TINY_ROWS = 8
"""On fewer rows there are no keys either."""

PaneType = TypeVar("PaneType", bound=LineView)


class PaneScreen(ScreenManners, Screen[None]):
    """Panes from the table of views, and bars around them. run_verbs.py and look_verbs.py have what can be done."""

    app: ConsoleApp

    def __init__(self, app: ConsoleApp) -> None:
        super().__init__(id="run")
        self._compositor = FrameCompositor()
        model, brush = app.model, app.brush
        self.model = model
        self.status = StatusBar(model, brush, scenario=app.scenario_path)
        self.tabs = Tabs(model, brush)
        self.time_bar = TimeBar(model, brush)
        self.banner = Banner(model, brush)
        self.hint = HintLine(model, brush)
        self.keys = KeyBar(model, brush)
        self.panes = {view.name: pane_of(view, model, brush) for view in VIEWS}
        self.plan = self._pane(PlanTree)
        self.matrix = self._pane(AgentMatrix)
        self.log_pane = self._pane(OutputLog)
        self.variables = self._pane(VariableList)
        self.detail = self._pane(Detail)
        self.grid = PaneGrid(model, brush, self.panes)
        self.before_detail = "plan"
        self.is_pinned = False  # the panes are about what was chosen in another one than the plan
        self._keys_of: tuple[object, object] = (None, None)  # pane and keys that `_keys` is for
        self._keys: list[tuple[DOMNode, BindingsMap]] = []

    def _pane(self, kind: type[PaneType]) -> PaneType:
        return next(pane for pane in self.panes.values() if isinstance(pane, kind))

    def compose(self) -> ComposeResult:
        """Bars around the panes."""
        yield self.status
        yield self.time_bar
        yield self.banner
        yield self.tabs
        yield self.grid
        yield self.hint
        yield self.keys

    def on_mount(self) -> None:
        """Start in the plan."""
        self.set_class(self.app.brush.ascii_only, "-ascii")
        self._fit_bars()
        self.focus_pane("plan")

    async def first_look(self) -> None:
        """Wait for the run, or for its end, and until it is drawn: by then every pane has its place."""
        await self.app.knows_run.wait()
        for _ in range(2):  # what a pane has to show gives it its place, and that is drawn next
            await self.wait_for_refresh()
            self.sync()

    @property
    def _binding_chain(self) -> list[tuple[DOMNode, BindingsMap]]:
        """What keys mean now: worked out once for a pane, for the library does it several times for each key."""
        pane, keys = self.focused, self.app._keymap
        if not isinstance(pane, LineView):
            return super()._binding_chain
        if self._keys_of[0] is not pane or self._keys_of[1] is not keys:
            self._keys_of, self._keys = (pane, keys), super()._binding_chain
        return self._keys

    def _on_timer_update(self) -> None:
        """Draw a frame; what that costs is counted."""
        with self.app.pace.drawing():
            super()._on_timer_update()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may ask for another layout."""
        self._fit_bars()
        self.call_after_refresh(self.sync)

    # Which panes are seen

    @property
    def layout_name(self) -> str:
        """single, tabs, pair or columns."""
        return layout_of(self.app.size.width, is_zoomed=self.grid.is_zoomed)

    @property
    def view(self) -> str:
        """The view that the operator went to last."""
        return self.grid.recent[0]

    @property
    def pane(self) -> str:
        """The name of the pane that has the keys."""
        return next((name for name, pane in self.panes.items() if pane is self.focused), self.view)

    def _fit_bars(self) -> None:
        """On few rows the panes come first."""
        height = self.app.size.height
        self.set_class(height < SHORT_ROWS, "-short")
        self.set_class(height < TINY_ROWS, "-tiny")

    def lay_out(self) -> None:
        """Arrange the panes for what is chosen."""
        self.grid.place_anew()
        self.call_after_refresh(self.sync)

    def show(self, view: str) -> None:
        """Show a pane and give it the keys."""
        if view == "detail" and self.pane != "detail":
            self.before_detail = self.pane
        self.grid.go_to(view)
        self.focus_pane(view)
        self.lay_out()

    def focus_pane(self, view: str) -> None:
        """Give the keys to a pane; the others stay where they are, if it is seen already."""
        pane = self.panes[view]
        pane.has_place = True  # or will be: what has the keys is given a place
        self.set_focus(pane)  # at once, so that a pane that loses its place has no focus to pass on

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The keys that are shown are those of the pane."""
        if isinstance(event.widget, LineView):
            self.call_after_refresh(self.sync)

    async def perform(self, action: str) -> None:
        """Do an action for the pane that has the keys, as its key would."""
        name = action.partition("(")[0]
        for target in (self.panes[self.pane], self, self.app):
            if hasattr(target, f"action_{name}"):
                await self.app.run_action(action, target)
                return

    async def on_bar_clicked(self, message: Bar.Clicked) -> None:
        """What is written in a bar can be clicked."""
        message.stop()
        await self.perform(message.action)

    # Keeping up

    def sync(self) -> None:
        """Bring everything that is seen up to date."""
        if self.focused is None and self.is_current:
            self.focus_pane(self.view)  # what had the keys went away
        if self.focused is None and self.app.app_focus and self.is_current:
            # The pane that had the keys lost its place while the terminal was not looked at: they are never nobody's.
            self.focus_pane(self.view)
        self.status.marks = self.app.marks()
        self.banner.is_read_only = self.keys.is_read_only = self.hint.is_read_only = (
            self.app.is_read_only or self.model.is_back  # what is long over can be looked at, and no more
        )
        self.keys.pane = self.banner.pane = self.pane
        self.keys.is_searching = bool(self.log_pane.needle)
        self.keys.is_following = self.log_pane.is_following
        self.tabs.view = self.pane
        self.tabs.seen = self.grid.seen.views
        for bar in (self.status, self.time_bar, self.tabs, self.banner, self.hint, self.keys):
            self.app.bring_up_to_date(bar)
        self.set_class(bool(self.hint.lines), "-hinted")  # what is told in passing stands above the hint
        self.app.bring_up_to_date(self.plan)  # first, for the others look at its row
        if self.plan.is_following and not self.is_pinned and self.plan.selected is not None:
            self.look_at(self.plan.selected, but=self.log_pane)
            with self.app.guarding(self.log_pane):
                self.log_pane.look_at(self.model.log_of(self.plan.selected))
        self.detail.has_log = self.log_pane.has_place and self.log_pane.subject is self.detail.subject
        for pane in self.panes.values():
            if pane is not self.plan:
                self.app.bring_up_to_date(pane)
        self.grid.sync()

    def look_at(self, subject: Subject | None, *, but: LineView | None = None) -> None:
        """Let every pane that tells of what is chosen elsewhere tell of this."""
        for pane in self.panes.values():
            if pane is not but:
                with self.app.guarding(pane):
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

    def place(self) -> Row | None:
        """The row that the cursor stands on: in the source that of its line, whatever of it is chosen."""
        source = self.panes["source"]
        if self.pane == "source" and isinstance(source, SourceView):
            return self.model.source.row_at(source.line)
        return self.row()


def pane_of(view: View, model: Model, brush: Brush) -> LineView:
    """Make the pane of a view."""
    module, _, name = view.pane.rpartition(".")
    pane: LineView = getattr(import_module(f"octogram_tui.tui.widgets.{module}"), name)(model, brush)
    return pane
