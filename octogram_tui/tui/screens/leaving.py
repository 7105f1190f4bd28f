"""What is asked before a run is left: as it stands now, not as it stood when the question was opened."""

from __future__ import annotations

from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase
from octogram_tui.tui.format import plural
from octogram_tui.tui.screens.dialogs import Answer, Asked

DETACH = Answer("d", "detach: the run goes on, `octogram-tui attach` comes back", "detach")
STOP = Answer("s", "stop: end what runs, run `always` stages, clean the agents", "stop")
END = Answer("s", "stop: stop the agents, and end", "stop")
FORCE = Answer("f", "stop without grace", "force")
"""Of another key than STOP: who presses that when the run has just begun to stop asks for no more than he has got."""
GO = Answer("q", "leave", "leave")


def leaving(board: Board, *, stop_first: bool) -> Asked:
    """Say what leaving means now."""
    if board.phase is Phase.FINISHED:
        return Asked("The run is over. Leave it?", [f"It ended with exit code {board.exit_code or 0}."], [GO])
    at_work = f"{plural(board.in_flight, 'job')} at work, " if board.in_flight else ""
    counts = [f"{at_work}{plural(board.agents_up, 'agent')} up."]
    if board.phase is Phase.STOPPING:
        return Asked("The run is stopping. Leave it to itself?", counts, [DETACH, FORCE])
    stop = END if board.phase is Phase.DONE else STOP
    title = "Stop the run?" if stop_first else "Leave the run?"
    return Asked(title, counts, [stop, DETACH] if stop_first else [DETACH, stop])
