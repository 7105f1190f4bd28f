"""When the console calls for somebody who looks elsewhere: by the terminal's title, by its bell, by a notification.

A title is what tabs, task bars and tmux's windows show; a bell marks them, and OSC 9 is a message on the desktop in
terminals that know it (iTerm2, kitty, WezTerm, Ghostty, foot, Windows Terminal), and nothing in others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import AgentState, Phase
from octogram_tui.projection.text import safe
from octogram_tui.tui.widgets.brush import Brush, Piece

How = Literal["off", "bell", "osc9"]

FRESH_S = 10.0
"""What happened longer ago is told to who joins the run by the screen alone."""
MOST_CELLS = 80
SIGNS = {
    "chip-failed": ("✗", "x"),
    "chip-held": ("∎", "p"),
    "chip-ok": ("✓", "v"),
    "chip-running": ("▸", ">"),
    "chip-starting": ("▸", ">"),
    "chip-stopping": ("∎", "-"),
}
"""The sign of how the run stands, for where there are no colours, by its style in the status bar."""
PUSH_TITLE = "\x1b[22;2t"
POP_TITLE = "\x1b[23;2t"


class Call(NamedTuple):
    """Why somebody is needed. `key` names the state: as long as it lasts nobody is called again."""

    key: str
    text: str


def calls(board: Board, *, is_lost: bool) -> Iterator[Call]:
    """Say what needs somebody now."""
    if is_lost and board.phase is not Phase.FINISHED:
        yield Call("lost", "the run's process went away")
    elif board.phase is Phase.FINISHED:
        code = board.exit_code
        yield Call("finished", f"finished, exit code {code}" if code else "finished, all is well")
    elif board.phase is Phase.DONE:
        yield Call("done", "all stages are done")
    elif board.confirmations:
        yield Call(f"asks {next(iter(board.confirmations))}", f"stage {next(iter(board.confirmations))} asks")
    elif board.is_paused and board.reason == "failure" and board.undecided:
        yield Call("failure", f"paused: {len(board.undecided)} failed")
    for agent in board.agents.values():
        if agent.state is AgentState.LOST:
            yield Call(f"agent {agent.name}", f"agent {agent.name} is lost")


class Caller:
    """Remembers what it has called for: once for each state, however often that is looked at."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def fresh(self, board: Board, *, now_s: float, is_lost: bool) -> Call | None:
        """Give the first thing to call for that was not before; nothing for what has long been so."""
        found = list(calls(board, is_lost=is_lost))
        new = [call for call in found if call.key not in self._known]
        self._known = {call.key for call in found}
        is_recent = is_lost or now_s - board.at_s < FRESH_S
        return new[0] if new and is_recent else None


def title(sign: str, state: str, scenario: str, stage: int, stages: int) -> str:
    """Write the terminal's title: how the run stands before its name, for tabs show the beginning only."""
    name = scenario.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    progress = f" {stage}/{stages}" if stage else ""
    return safe(f"{sign} {state} {name}{progress}".strip(), limit=MOST_CELLS)[:MOST_CELLS]


def title_of(board: Board, brush: Brush, standing: Piece, scenario: str, *, is_lost: bool) -> str:
    """Write the title of a run. standing: what the status bar says of it."""
    word, style = ("LOST", "chip-failed") if is_lost else standing
    stage = board.stages.index(board.current_stage) + 1 if board.current_stage is not None else 0
    return title(brush.pick(*SIGNS.get(style, ("", ""))), word, scenario, stage, len(board.stages))


def set_title(text: str) -> str:
    """Give what sets the title. The text is safe: nothing in it ends the sequence."""
    return f"\x1b]2;{text}\x1b\\"


def sounds(how: How, text: str, *, in_tmux: bool) -> str:
    """Give what calls. tmux passes a notification on only where it is allowed to, so there it rings as well."""
    if how == "off":
        return ""
    if how == "bell":
        return "\a"
    message = f"\x1b]9;{safe(text, limit=120)}\x1b\\"
    return f"{through_tmux(message)}\a" if in_tmux else message


def through_tmux(sequence: str) -> str:
    """Wrap a sequence so that tmux gives it to the terminal around it (its option `allow-passthrough`)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
