"""Going from one run to another, within the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.journal.runbook import RunEntry
from octogram_tui.projection.row_states import Phase
from octogram_tui.tui.outcome import ConsoleOutcome
from octogram_tui.tui.screens.dialogs import Answer, Question

if TYPE_CHECKING:
    from octogram_tui.tui.app import ConsoleApp


def go_to_run(app: ConsoleApp, entry: RunEntry) -> None:
    """Leave the console for another run, after a question where this one is left to itself."""
    board, name = app.model.board, entry.run.id
    if name == board.run:
        app.notify("this is the run that you look at", markup=False)
    elif board.phase is Phase.FINISHED and not app.model.is_replay:
        app.exit(ConsoleOutcome("finished", board.exit_code, name))
    elif app.is_read_only:
        is_lost = not app.source.is_connected and not app.model.is_replay
        app.exit(ConsoleOutcome("lost" if is_lost else "detached", None, name))
    else:
        use = "attach to" if entry.use == "attach" else "look again at"
        lines = [f"{name}: {entry.says}.", f"{board.run or 'This run'} goes on without a console."]

        def take(answer: str | None) -> None:
            if answer:
                app.exit(ConsoleOutcome("detached", None, name))

        question = Question(app.brush, f"Detach, and {use} another run?", lines, [Answer("o", "open it", "yes")])
        app.open_dialog(question, take)
