"""What the operator asks of the run. Nothing changes here: what comes of it comes as events."""

from __future__ import annotations

from octogram_tui.engine.stimuli import (
    ConfirmRequest,
    GoRequest,
    PauseRequest,
)
from octogram_tui.projection.rows import Group
from octogram_tui.tui.event_feed import SharedSource
from octogram_tui.tui.format import plural
from octogram_tui.tui.screens.break_verbs import BreakVerbs
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.screens.time_verbs import TimeVerbs


class RunVerbs(BreakVerbs, TimeVerbs):
    """The actions of keymap.py that ask something of the run."""

    def action_toggle_pause(self) -> None:
        """Hold, go on, or answer; in a replay, play or pause."""
        if self.model.is_replay and self.model.time.history is not None:
            self.action_play()
            return
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
