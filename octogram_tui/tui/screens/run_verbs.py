"""What the operator asks of the run. Nothing changes here: what comes of it comes as events."""

from __future__ import annotations

from collections.abc import Callable

from octogram_tui.engine.stimuli import (
    ConfirmRequest,
    GoRequest,
    PauseRequest,
    RerunAllRequest,
    SkipRequest,
    Stimulus,
)
from octogram_tui.projection.bunches import Bunch
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow
from octogram_tui.tui.event_feed import SharedSource
from octogram_tui.tui.format import plural
from octogram_tui.tui.model import line_of, rerun_of, title_of
from octogram_tui.tui.screens.break_verbs import BreakVerbs
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.widgets.source_view import SourceView

NEW_ATTEMPTS = "New attempts, with the variables as they are now. "


class RunVerbs(BreakVerbs):
    """The actions of keymap.py that ask something of the run."""

    def action_toggle_pause(self) -> None:
        """Hold, go on, or answer."""
        board = self.model.board
        stage = next(iter(board.confirmations.values()), None)
        if stage is not None:
            self._confirm(stage)
        elif self.is_held():
            self.ask_each(GoRequest)
        else:
            self.ask_each(PauseRequest)

    def _confirm(self, stage: Group) -> None:
        board = self.model.board

        def ask() -> Asked | None:
            if stage.name not in board.confirmations:
                return None
            text = f"{plural(len(stage.children), 'job')}. The scenario wants an operator's word before this stage."
            answers = [Answer("y", "run it", "yes"), Answer("n", "skip it", "no")]
            return Asked(f"Run stage {stage.name}?", [text], answers)

        def answer(given: str | None) -> None:
            if given:
                self.app.ask(ConfirmRequest(stage.name, given == "yes"))

        if self.app.may_act():
            self.app.open_dialog(Question(self.app.brush, ask=ask), answer)

    def action_rerun(self) -> None:
        """Run the row again; many instances only after a question that names their number."""
        row = self.row()
        if row is None:
            self.app.notify("choose a row of the plan first", severity="warning", markup=False)
            return
        bunch = self._failed_together()
        if bunch is not None:
            self._rerun_together(bunch)
            return
        stimulus = rerun_of(row)
        if isinstance(row, InstanceRow) or row.total <= 1:
            self.app.ask(stimulus)
            return
        if not self.app.may_act():
            return

        def ask() -> Asked | None:
            if row.is_gone or self.app.why_not():
                return None
            agents = len({instance.agent for instance in row.below()})
            title = f"Rerun {plural(row.total, 'instance')} on {plural(agents or len(row.stage.agents), 'agent')}?"
            lines = [title_of(row), NEW_ATTEMPTS + "What was done on the agents stays."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, stimulus)

    def _failed_together(self) -> Bunch | None:
        """The failures that are one row, when the cursor is on such a row."""
        bunch = self.plan.bunch if self.pane == "plan" else None
        return bunch if bunch is not None and bunch.cluster is not None else None

    def _rerun_together(self, bunch: Bunch) -> None:
        """Run again what failed for one cause."""
        if not self.app.may_act():
            return
        instances = tuple(each.key for each in bunch.rows if isinstance(each, InstanceRow))

        def ask() -> Asked | None:
            failures = self.model.board.failures
            left = [key for key in instances if key in failures]
            if not left or self.app.why_not():
                return None
            agents = len({key.agent for key in left})
            title = f"Rerun {plural(len(left), 'failed instance')} on {plural(agents, 'agent')}?"
            lines = [bunch.message, NEW_ATTEMPTS + "What was done on the agents stays."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, RerunAllRequest("failed", instances=instances))

    def action_rerun_failed(self) -> None:
        """What failed, again, and go on; several instances only after a question that names their number."""
        rows = list(self.model.board.failures.values())
        stimulus = RerunAllRequest("failed", go=True)
        if len(rows) <= 1:  # of none the run says so itself
            self.app.ask(stimulus)
            return
        if not self.app.may_act():
            return

        def ask() -> Asked | None:
            rows = list(self.model.board.failures.values())
            if not rows or self.app.why_not():
                return None
            agents = len({row.agent for row in rows})
            title = f"Rerun {plural(len(rows), 'failed instance')} on {plural(agents, 'agent')}, and go on?"
            lines = [NEW_ATTEMPTS + "What ended well stays as it is."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, stimulus)

    def action_rerun_stale(self) -> None:
        """What is stale, again, stage after stage; never without a question, as it may be most of the run."""
        if not self.app.may_act():
            return
        board = self.model.board

        def ask() -> Asked | None:
            rows = [row for stage in board.stages for row in stage.below() if row.state is State.STALE]
            if not rows or self.app.why_not():
                return None
            agents = len({row.agent for row in rows})
            title = f"Rerun {plural(len(rows), 'stale instance')} on {plural(agents, 'agent')}?"
            lines = [NEW_ATTEMPTS + "Stage after stage; what is not stale stays as it is."]
            return Asked(title, lines, [Answer("r", "rerun them", "yes")])

        self._ask(ask, RerunAllRequest("stale"))

    def _ask(self, ask: Callable[[], Asked | None], stimulus: Stimulus) -> None:
        """Ask the run for something, after a question that is answered with anything but never mind."""
        question = Question(self.app.brush, ask=ask)
        self.app.open_dialog(question, lambda given: self.app.ask(stimulus) if given else None)

    def action_skip(self) -> None:
        """Go on as if a failed or held row had succeeded."""
        bunch = self._failed_together()
        if bunch is not None:
            self._skip_together(bunch)
            return
        row = self.row()
        if not isinstance(row, InstanceRow) or row.state not in (State.FAILED, State.HELD, State.LOST):
            row = self.model.board.first_failure if self.plan.is_following else None
        if row is None:
            self.app.notify("choose a row that failed or is held", severity="warning", markup=False)
            return
        self.app.ask(SkipRequest(row.key))

    def _skip_together(self, bunch: Bunch) -> None:
        """Go on as if all had succeeded that failed for one cause."""
        if not self.app.may_act():
            return

        def left() -> list[InstanceRow]:
            failures = self.model.board.failures
            return [each for each in bunch.rows if isinstance(each, InstanceRow) and each.key in failures]

        def ask() -> Asked | None:
            rows = left()
            if not rows or self.app.why_not():
                return None
            agents = plural(len({each.agent for each in rows}), "agent")
            lines = [bunch.message, "The run goes on as if they had succeeded."]
            title = f"Skip {plural(len(rows), 'failed instance')} on {agents}?"
            return Asked(title, lines, [Answer("s", "skip them", "yes")])

        def answer(given: str | None) -> None:
            for each in left() if given else ():
                self.app.ask(SkipRequest(each.key))

        self.app.open_dialog(Question(self.app.brush, ask=ask), answer)

    def action_edit_variable(self) -> None:
        """Set a variable: the chosen one, or the one that a failure is about, where it is only one."""
        row = self.row()
        chosen = self.variables.selected if self.pane == "variables" else self.model.variables.meant(row)
        self.app.edit_variable(chosen, row)

    async def action_edit_scenario(self) -> None:
        """Open the scenario at the row's line; from the source, at the line that is looked at."""
        source = self.panes["source"]
        looked_at = source.line if isinstance(source, SourceView) and self.pane == "source" else 0
        await self.app.edit_scenario(looked_at or line_of(self.row()))

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
