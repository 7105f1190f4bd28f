"""The bottom line: the keys that do something now, the most useful first."""

from __future__ import annotations

from octogram_tui.projection.row_states import Phase, State
from octogram_tui.tui.keymap import ACTIONS, Action
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece

AT_FAILURE = ("edit", "rerun failed", "rerun", "edit scenario", "skip", "pause or go", "breakpoint")
HELD = ("pause or go", "step over", "step into", "breakpoint", "edit", "run until here", "rerun", "skip")
RUNS = ("pause or go", "breakpoint", "first failure", "open", "failed only", "find")
BACK = ("event back", "event forward", "now", "play", "stage back", "failure back", "go to moment", "open", "find")
STEPS = ("continue", "step over", "step into", "step out", "run until here")
OVER = ("first failure", "leave", "open", "find", "failed only")
DONE = ("leave", "first failure", "rerun failed", "rerun", "edit")
IN_LOG = ("next match", "previous match")
READING = ("end", "timestamps", "wrap", "find")
LAST = "help"
"""Has the last place kept for it, whatever there is no room for."""


class KeyBar(Bar):
    """Names and words from the table of actions; a click on one does it."""

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="keys")
        self.is_read_only = False
        self.pane = ""
        self.is_searching = False  # the log has something to go on to
        self.is_following = True  # its end

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """Put the most useful first, then the others by their rank."""
        wanted = self._wanted()
        actions = [action for action in ACTIONS if action.where in ("", "log", "list") and self._is_live(action)]
        actions = [action for action in actions if action.rank or action.name in wanted]
        actions.sort(key=lambda action: (_place(wanted, action.name), action.rank))
        parts = {action.name: self._part(action) for action in actions if self._key(action)}
        last = parts.pop(LAST, None)
        room = width - 1 - (last.cells if last else 0)
        line = [Part([(" ", "")])]
        for part in parts.values():
            if part.cells <= room:
                line.append(part)
                room -= part.cells
        return [self.lay([*line, last] if last else line, width)]

    def _wanted(self) -> tuple[str, ...]:
        """Name what is most useful now, by how the run stands and what is looked at."""
        board = self.model.board
        here: tuple[str, ...] = ()
        if self.pane == "log":
            here = IN_LOG if self.is_searching else READING
        if self.model.is_back:
            return (*here[:3], *BACK)
        if board.phase is Phase.FINISHED:
            return (*here, *OVER, *(("event back", "play") if self.model.is_replay else ()))
        if board.phase is Phase.DONE:
            return (*here, *DONE)
        if self.is_read_only:
            return (*here, *RUNS)
        if board.confirmations:
            return ("pause or go", *here)
        if board.is_paused:
            return (*here[:3], *(AT_FAILURE if board.undecided else HELD))
        return (*here, *RUNS)

    def _part(self, action: Action) -> Part:
        return Part([(self._key(action), "key"), (f" {self._word(action)}  ", "dim")], action.call)

    def _key(self, action: Action) -> str:
        return next(iter(self.brush.keys.here(action.name, self.pane)), "")

    def _word(self, action: Action) -> str:
        board = self.model.board
        if action.name == "pause or go":
            if board.confirmations:
                return "Answer"
            return "Go" if self.model.is_held else "Pause"
        if action.name == "end":
            return "Follow"
        if action.name == "play" and self.model.player.is_playing:
            return "Pause"
        return action.short

    def _is_live(self, action: Action) -> bool:
        board = self.model.board
        if action.needs_control and self.is_read_only:
            return False
        if action.where and self.pane != "log":
            return False
        if action.group == "Time":
            return self.model.time.history is not None and (self.model.is_back or action.name in ("event back", "play"))
        over = board.phase in (Phase.STOPPING, Phase.FINISHED)
        match action.name:
            case "pause or go" | "hold agent":
                return not over and board.phase is not Phase.DONE
            case name if name in STEPS:
                return not over and board.phase is not Phase.DONE and self.model.is_held
            case "breakpoint":
                return not over
            case "scope":
                return len(board.agents) > 1 and not over
            case "first failure":
                return bool(len(board.all_failures) or len(board.agent_clusters))
            case "failed only":
                return bool(board.failures or self.model.outline.failed_only or len(board.agent_clusters))
            case "rerun failed":
                return not over and bool(board.undecided)
            case "skip":
                return not over and bool(board.undecided or board.tally[State.HELD])
            case "rerun" | "edit":
                return not over
            case "take edit":
                return not over and board.waiting_edit is not None
            case "next match" | "previous match":
                return self.is_searching
            case "end":
                return not self.is_following
        return True


def _place(wanted: tuple[str, ...], name: str) -> int:
    return wanted.index(name) if name in wanted else len(wanted)
