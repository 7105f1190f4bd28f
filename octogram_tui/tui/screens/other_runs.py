"""Going from one run to another, within the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.journal import archive
from octogram_tui.journal.runbook import RunEntry
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import safe
from octogram_tui.tui.entry.run_line import forget_question
from octogram_tui.tui.outcome import ConsoleOutcome
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.widgets.run_list import RunList

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


def delete_run(app: ConsoleApp, entry: RunEntry) -> None:
    """Delete a run that is over, after a question."""
    book = app.model.runs

    def take(answer: str | None) -> None:
        if answer and book is not None:
            problem = archive.forget(book.runs_dir, entry.run)
            app.notify(
                safe(problem or f"{entry.run.id} is deleted"),
                severity="warning" if problem else "information",
                markup=False,
            )
            for pane in app.screen_stack[0].query(RunList):
                pane.read_again()

    app.open_dialog(forget_question(app.brush, entry), take)
