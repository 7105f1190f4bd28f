"""The run: panes, what is looked at in them, and the actions of keymap.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget

from octogram_tui.engine.stimuli import ConfirmRequest, GoRequest, PauseRequest, SkipRequest, StepRequest
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Row
from octogram_tui.tui.event_feed import SharedSource
from octogram_tui.tui.format import plural
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.layout import DOCK_ROWS, layout_of
from octogram_tui.tui.model import Subject, line_of, most_telling, rerun_of, title_of
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.widgets.agent_matrix import AgentMatrix
from octogram_tui.tui.widgets.bars import Banner, KeyBar, StatusBar, Tabs
from octogram_tui.tui.widgets.detail import Detail
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.output_log import OutputLog
from octogram_tui.tui.widgets.plan_tree import PlanTree
from octogram_tui.tui.widgets.variable_list import VariableList

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp


class RunScreen(Screen[None]):
    """One run, live or replayed."""

    BINDINGS = bindings()
    app: ConsoleApp

    def __init__(self, app: ConsoleApp) -> None:
        super().__init__(id="run")
        model, brush = app.model, app.brush
        self.model = model
        self.status = StatusBar(model, brush, scenario=app.scenario_path)
        self.tabs = Tabs(model, brush)
        self.banner = Banner(model, brush)
        self.keys = KeyBar(model, brush)
        self.plan = PlanTree(model, brush)
        self.matrix = AgentMatrix(model, brush)
        self.log_pane = OutputLog(model, brush)
        self.variables = VariableList(model, brush)
        self.detail = Detail(model, brush)
        self.panes: dict[str, LineView] = {
            "plan": self.plan,
            "agents": self.matrix,
            "log": self.log_pane,
            "variables": self.variables,
            "detail": self.detail,
        }
        self.view = "plan"
        self.before_detail = "plan"
        self.is_zoomed = False
        self.is_pinned = False  # log and inspector are about what was chosen in another pane than the plan

    def compose(self) -> ComposeResult:
        """Bars around three columns."""
        yield self.status
        yield self.banner
        yield self.tabs
        with Container(id="body"):
            with Container(id="left"):
                yield self.plan
            with Container(id="middle"):
                yield self.matrix
                yield self.log_pane
            with Container(id="right"):
                yield self.detail
                yield self.variables
        yield self.keys

    def on_mount(self) -> None:
        """Start in the plan."""
        self.set_class(self.app.brush.ascii_only, "-ascii")
        self._lay_out()
        self.plan.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may ask for another layout."""
        self._lay_out()
        self.call_after_refresh(self.sync)

    # Layout

    @property
    def layout_name(self) -> str:
        """single, tabs, pair or columns."""
        return layout_of(self.app.size.width, is_zoomed=self.is_zoomed)

    def _lay_out(self) -> None:
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
        self._lay_out()
        self.panes[view].focus()
        self.call_after_refresh(self.sync)

    @property
    def pane(self) -> str:
        """The name of the pane that has the keys."""
        return next((name for name, pane in self.panes.items() if pane.has_focus), self.view)

    # Keeping up

    def sync(self) -> None:
        """Bring everything that is seen up to date."""
        app = self.app
        is_read_only = app.is_read_only
        self.status.marks = app.marks()
        self.banner.is_read_only = self.keys.is_read_only = is_read_only
        self.keys.pane = self.pane
        for bar in (self.status, self.tabs, self.banner, self.keys):
            bar.sync()
        self.plan.sync()
        if self.plan.is_following and not self.is_pinned and self.plan.selected is not None:
            self.log_pane.look_at(self.model.log_of(self.plan.selected))
            self.detail.look_at(self.plan.selected)
        self.matrix.sync()
        self.variables.sync()
        self.log_pane.sync()
        self.detail.sync()

    def _look_at(self, subject: Subject | None) -> None:
        self.log_pane.look_at(subject)
        self.detail.look_at(subject)

    def on_line_view_cursor_moved(self, message: LineView.CursorMoved) -> None:
        """Log and inspector follow the cursor."""
        message.stop()
        self.is_pinned = message.view is not self.plan
        if message.view is self.plan:
            self._look_at(self.plan.selected)
        elif message.view is self.matrix:
            self._look_at(self.matrix.selected)
        elif message.view is self.variables:
            self.detail.look_at(self.variables.selected)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The keys that are shown are those of the pane."""
        widget = event.widget
        if isinstance(widget, LineView):
            self.view = next(name for name, pane in self.panes.items() if pane is widget)
            if self.layout_name != "tabs" or self.view != "log":
                self._lay_out()
            self.call_after_refresh(self.sync)

    # What the operator asks of the run

    def _row(self) -> Row | None:
        """The row that verbs are about."""
        subject = self.log_pane.subject if self.pane in ("log", "detail") else self.plan.selected
        return subject if isinstance(subject, (Group, InstanceRow)) else None

    def action_toggle_pause(self) -> None:
        """Hold, go on, or answer."""
        board = self.model.board
        stage = next(iter(board.confirmations.values()), None)
        if stage is not None:
            self._confirm(stage)
        else:
            self.app.ask(GoRequest() if board.is_paused else PauseRequest())

    def _confirm(self, stage: Group) -> None:
        answers = [Answer("y", "run it", "yes"), Answer("n", "skip it", "no")]
        text = f"{plural(len(stage.children), 'job')}. The scenario wants an operator's word before this stage."

        def answer(given: str | None) -> None:
            if given:
                self.app.ask(ConfirmRequest(stage.name, given == "yes"))

        if self.app.may_act():
            self.app.open_dialog(Question(self.app.brush, f"Run stage {stage.name}?", [text], answers), answer)

    def action_step(self) -> None:
        """Let one instance through."""
        self.app.ask(StepRequest())

    def action_rerun(self) -> None:
        """Run the row again; many instances only after a question that names their number."""
        row = self._row()
        if row is None:
            self.app.notify("choose a row of the plan first", severity="warning", markup=False)
            return
        stimulus = rerun_of(row)
        if isinstance(row, InstanceRow) or row.total <= 1:
            self.app.ask(stimulus)
            return
        if not self.app.may_act():
            return
        agents = len({instance.agent for instance in row.below()})
        title = f"Rerun {plural(row.total, 'instance')} on {plural(agents or len(row.stage.agents), 'agent')}?"
        lines = [title_of(row), "New attempts, with the variables as they are now. What was done on the agents stays."]
        answers = [Answer("r", "rerun them", "yes")]
        self.app.open_dialog(
            Question(self.app.brush, title, lines, answers), lambda given: self.app.ask(stimulus) if given else None
        )

    def action_skip(self) -> None:
        """Go on as if a failed or held row had succeeded."""
        row = self._row()
        if not isinstance(row, InstanceRow) or row.state not in (State.FAILED, State.HELD, State.LOST):
            row = self.model.board.first_failure if self.plan.is_following else None
        if row is None:
            self.app.notify("choose a row that failed or is held", severity="warning", markup=False)
            return
        self.app.ask(SkipRequest(row.key))

    # What the operator looks at

    def action_view(self, view: str) -> None:
        """Go to a pane."""
        self.show(view)

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane; where only one is seen, to the next view."""
        if self.layout_name in ("single", "tabs"):
            order = [name for name in self.panes if name != "detail" or self.view == "detail"]
        else:
            order = [name for name, pane in self.panes.items() if pane.display and _is_seen(pane)]
        here = order.index(self.pane) if self.pane in order else 0
        self.show(order[(here + by) % len(order)])

    def action_open(self) -> None:
        """Unfold, or look into."""
        if self.pane == "plan" and self.plan.toggle():
            return
        if self.pane == "agents":
            agent, stage = self.matrix.selected, self.matrix.stage
            if agent is not None and stage is not None and self.matrix.is_on_agent:
                found = most_telling(stage, agent.name)
                if found is not None:
                    self.show("plan")
                    self.plan.select(found)
                    return
            self.is_pinned = True
            self._look_at(agent)
        elif self.pane == "variables":
            self.is_pinned = True
            self.detail.look_at(self.variables.selected)
        elif self.pane == "detail":
            return
        self.show("detail")

    def action_back(self) -> None:
        """Undo the latest of: search, zoom, inspector, filter, chosen row."""
        banner = self.banner
        if self.log_pane.clear_search():
            return
        if self.is_zoomed:
            self.action_zoom()
        elif self.view == "detail":
            self.show(self.before_detail)
        elif self.model.outline.failed_only:
            self.action_failed_only()
        elif self.model.board.reload_seq != banner.dismissed_seq:
            banner.dismissed_seq = self.model.board.reload_seq
        else:
            self.plan.is_following = True
            self.is_pinned = False
            self.log_pane.follow()
        self.sync()

    def action_first_failure(self) -> None:
        """Jump to what failed first."""
        failure = self.model.board.first_failure
        agent = self.model.board.first_bad_agent
        if failure is None and agent is None:
            self.app.notify("nothing has failed", markup=False)
            return
        if failure is None:
            self.is_pinned = True
            self.matrix.select(agent)
            self._look_at(agent)
            self.show("detail")
            return
        self.show("plan")
        self.plan.select(failure)

    def action_failed_only(self) -> None:
        """Show only the way to what failed, or everything."""
        self.model.outline.failed_only = not self.model.outline.failed_only
        self.sync()

    def action_zoom(self) -> None:
        """Give the pane the whole screen, or take it back."""
        self.is_zoomed = not self.is_zoomed
        self._lay_out()
        self.call_after_refresh(self.sync)

    def action_copy(self) -> None:
        """Copy what is selected, else what the pane is about."""
        selected = self.get_selected_text()
        if selected:
            text = selected
        elif self.pane == "log":
            text = self.log_pane.text_of_seen()
        elif self.pane == "detail":
            text = self.detail.text_of_all()
        elif self.pane == "variables" and self.variables.selected is not None:
            text = str(self.variables.selected.now.value)
        else:
            row = self.matrix.selected if self.pane == "agents" else self.plan.selected
            text = "" if row is None else row.name if isinstance(row, AgentRow) else row.full_name
        self.app.copy_out(text)

    def action_copy_all(self) -> None:
        """Copy the whole log."""
        self.app.copy_out(self.log_pane.text_of_all())

    def action_find(self) -> None:
        """Ask what to look for, below the panes."""
        from octogram_tui.tui.widgets.find_line import FindLine

        for line in self.query(FindLine):  # asked for twice, by the palette: the one that is there
            line.focus()
            return
        self.mount(FindLine(in_log=self.pane == "log"))

    def find(self, needle: str, *, in_log: bool) -> bool:
        """Look for a row, or a text in the log; False when it is nowhere."""
        if in_log:
            return self.log_pane.search(needle)
        found = self.model.outline.find(needle, self.plan.selected)
        if found is not None:
            self.plan.select(found)
        return found is not None

    def action_edit_variable(self) -> None:
        """Set a variable: the chosen one, where one is."""
        chosen = self.variables.selected if self.pane == "variables" else None
        self.app.edit_variable(chosen, self._row())

    async def action_edit_scenario(self) -> None:
        """Open the scenario at the row's line."""
        await self.app.edit_scenario(line_of(self._row()))

    def action_interrupt(self) -> None:
        """Ctrl-C: copy what is selected, else ask whether to stop; while it stops already: without grace."""
        if self.get_selected_text():
            self.action_copy()
            self.clear_selection()
        else:
            self.app.interrupt()

    def action_leave(self) -> None:
        """Ask how to leave."""
        self.app.leave()

    def action_take_control(self) -> None:
        """Become the console that may act."""
        if isinstance(self.app.source, SharedSource):
            self.app.source.take_control()

    def action_only_watch(self) -> None:
        """Leave control to others."""
        if isinstance(self.app.source, SharedSource):
            self.app.source.only_watch()

    def action_more_of_log(self) -> None:
        """Read what was left out in the log, where it was written."""
        from octogram_tui.tui.screens.log_screen import read_more

        self.run_worker(read_more(self.app, self.log_pane.left_out()))

    def action_help(self) -> None:
        """Show the keys."""
        from octogram_tui.tui.screens.help_screen import HelpScreen

        self.app.push_screen(HelpScreen(self.model, self.app.brush))

    def action_command_palette(self) -> None:
        """Every verb by name."""
        self.app.action_command_palette()


def _is_seen(widget: Widget) -> bool:
    return all(parent.display for parent in widget.ancestors_with_self if isinstance(parent, Widget))
