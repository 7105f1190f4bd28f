"""What the operator asks about values: any expression, those that are watched, and what changed since when."""

from __future__ import annotations

from string import ascii_lowercase, digits
from typing import Any

from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow
from octogram_tui.projection.turning_back import ABSENT, differences
from octogram_tui.runtime.verbs import Evaluate
from octogram_tui.tui.format import clock, value
from octogram_tui.tui.here import value_here
from octogram_tui.tui.model import Subject, title_of
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.screens.evaluate_form import EvaluateForm
from octogram_tui.tui.screens.pane_screen import PaneScreen


class WatchVerbs(PaneScreen):
    """The actions of keymap.py that look at values, and change none."""

    _looked: object = None
    _is_looking = False

    def _subject(self) -> Subject | None:
        """Whose eyes an expression is seen with: the agent under the cursor, or the row."""
        return self.matrix.selected if self.pane == "agents" and self.matrix.selected is not None else self.row()

    def action_evaluate(self) -> None:
        """Give an expression's value as the row or the agent under the cursor sees it; another enter watches it."""
        subject, watches = self._subject(), self.model.watches

        async def ask(expression: str) -> dict[str, Any]:
            watches.remember(expression)
            return await self._value_of(expression, subject)

        def take(expression: str | None) -> None:
            if expression and watches.add(expression):
                self.app.notify(f"watched among the variables: {self.app.way('variables')}", markup=False)
                self.sync()

        where = f"as {title_of(subject)} sees it" if subject is not None else "as the run sees it"
        self.app.open_dialog(EvaluateForm(self.app.brush, where, ask, watches.history), take)

    async def _value_of(self, expression: str, subject: Subject | None) -> dict[str, Any]:
        if not self.app.enquiries.can_ask or self.model.is_back:
            return value_here(self.model, expression, subject)
        return await self.app.enquiries.ask(_question(expression, subject))

    def action_show_arguments(self) -> None:
        """Show what the row is given, beside the templates."""
        self.show("detail")

    def sync(self) -> None:
        """Bring the watches up to date where something that they may depend on is another."""
        super().sync()
        model = self.model
        watches = model.watches
        if not watches.items or self._is_looking or not self.is_mounted:
            return
        subject = self._subject()
        version = getattr(subject, "version", 0)
        expressions = tuple(watch.expression for watch in watches.items)
        when = (watches.hold, model.is_back, self.app.enquiries.can_ask)
        looked = (when, model.variables.version, subject, version, expressions)
        if looked != self._looked:
            self._looked = looked
            self._is_looking = True
            self.run_worker(self._look_at_watches(subject), group="watches")

    async def _look_at_watches(self, subject: Subject | None) -> None:
        scope = _scope(subject)
        try:
            for watch in list(self.model.watches.items):
                answer = await self._value_of(watch.expression, subject)
                self.model.watches.take(watch, scope, answer)
        finally:
            self._is_looking = False
        if self.is_mounted:
            self.call_later(self.sync)

    # Variables since

    def action_changed_variables(self) -> None:
        """Choose a moment, and see which variables are others since."""
        board = self.model.board
        begun_s = min((each.changes[0].at_s for each in self.model.variables.by_name.values()), default=0.0)
        moments = [("the start", begun_s)]
        held = [row.last for stage in board.stages for row in stage.below() if row.last and row.state is State.FAILED]
        if held:
            latest = max(held, key=lambda attempt: attempt.started_s)
            moments.append(("the latest failure's attempt began", latest.started_s))
        begun = [each for each in board.stages if each.started_s is not None]
        moments += [(f"stage {each.name} began", each.started_s or 0.0) for each in reversed(begun)]
        keys = digits[1:] + ascii_lowercase
        answers = [
            Answer(key, f"{what}   {clock(at_s)}", str(number))
            for number, (key, (what, at_s)) in enumerate(zip(keys, moments, strict=False))
        ]

        def take(number: str | None) -> None:
            if number:
                what, at_s = moments[int(number)]
                self._tell_changes(f"Variables that are others since {what}", at_s)

        self.app.open_dialog(Question(self.app.brush, "Variables changed since when?", (), answers), take)

    def _tell_changes(self, title: str, at_s: float) -> None:
        found = differences(self.model.variables, at_s)
        lines = [f"{name}: {_said(was)} -> {_said(now)}" for name, now, was in found]
        self.app.open_dialog(Question(self.app.brush, title, lines or ["none"]))


def _question(expression: str, subject: Subject | None) -> Evaluate:
    if isinstance(subject, InstanceRow):
        return Evaluate(expression, subject.key)
    if isinstance(subject, AgentRow):
        return Evaluate(expression, None, subject.name)
    return Evaluate(expression, None, subject.agent if isinstance(subject, Group) else "")


def _scope(subject: Subject | None) -> str:
    if isinstance(subject, InstanceRow):
        return str(subject.key)
    return subject.name if isinstance(subject, AgentRow) else subject.agent if isinstance(subject, Group) else ""


def _said(given: object) -> str:
    return "none" if given is ABSENT else value(given)
