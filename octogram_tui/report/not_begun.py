"""What reports say of a run that could not begin: whoever reads them finds that, and no report of an earlier run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from octogram_tui.engine.events import RunFinished, RunStarted
from octogram_tui.errors import EXIT_TEXTS, ExitCode, JournalError, OctogramError
from octogram_tui.report.document import not_begun, print_document
from octogram_tui.report.junit import JUnit
from octogram_tui.streams import hidden


def tell_not_begun(scenario: str, junit: str | None, error: OctogramError | SystemExit, *, has_document: bool) -> None:
    """Tell what kept it from it: an error, or a signal, which ends the program by an exit."""
    if isinstance(error, SystemExit):
        if error.code not in set(ExitCode):
            return
        code = ExitCode(int(error.code or 0))
        error = OctogramError(f"before the run could begin: {EXIT_TEXTS[code]}")
    else:
        code = error.exit_code
    if has_document:
        print_document(not_begun(scenario, error, int(code)))
    if junit is not None:
        with suppress(JournalError):  # that it cannot be written may be why
            report = JUnit.open(Path(junit))
            report.apply([RunStarted(run="", scenario=hidden(scenario))])
            report.apply([RunFinished(exit_code=int(code), reason=hidden(error.message))])
            report.close()
