"""The bottom line: the keys that do something now."""

from __future__ import annotations

from octogram_tui.projection.row_states import Phase, State
from octogram_tui.tui.keymap import ACTIONS, Action, key_names
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, fitting
from octogram_tui.tui.widgets.brush import Brush, Piece


class KeyBar(Bar):
    """The keys that do something now, from the table of actions."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="keys")
        self.is_read_only = False
        self.pane = ""

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The most wanted first."""
        is_log = self.pane == "log"
        here = ("", "log") if is_log else ("",)
        actions = [action for action in ACTIONS if action.rank and action.where in here]
        actions.sort(key=lambda action: (action.where != "log", action.rank))
        parts: list[list[Piece]] = [[(" ", "")]]
        for action in actions:
            if self._is_live(action, is_log=is_log):
                word = self._word(action)
                parts.append([(key_names(action)[0], "key"), (f" {word}  ", "dim")])
        return [fitting(parts, width)]

    def _word(self, action: Action) -> str:
        board = self.model.board
        if action.name == "pause or go":
            if board.confirmations:
                return "Answer"
            return "Go" if board.is_paused else "Pause"
        return action.short

    def _is_live(self, action: Action, *, is_log: bool) -> bool:
        board = self.model.board
        if action.needs_control and self.is_read_only:
            return False
        if is_log and action.name == "step":
            return False
        over = board.phase in (Phase.STOPPING, Phase.FINISHED)
        match action.name:
            case "pause or go" | "step":
                return not over and board.phase is not Phase.DONE
            case "first failure":
                return bool(len(board.all_failures) or len(board.agent_clusters))
            case "failed only":
                return bool(board.failures or self.model.outline.failed_only or len(board.agent_clusters))
            case "rerun failed":
                return not over and bool(board.failures)
            case "skip":
                return not over and bool(board.failures or board.tally[State.HELD])
            case "rerun" | "edit variable":
                return not over
        return True
