"""Which run is meant by a command that names none."""

from __future__ import annotations

import sys
from functools import partial

from octogram_tui.journal.runbook import RunBook, Use
from octogram_tui.settings import Settings

LAST = "last"


def choose_run(settings: Settings, use: Use, *, headless: bool) -> str | None:
    """Let the user choose on a terminal, where there is something to choose from; else it is the last one.

    Gives the name of a run, or None when none was wanted.
    """
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if headless or not settings.opens_console(is_terminal=is_terminal):
        return LAST
    page = RunBook(settings.runs_dir).read()
    found = page.live if use == "attach" else page.entries
    if len(found) < 2:
        return found[0].run.id if found else LAST
    from octogram_tui.tui.entry.app import Entry
    from octogram_tui.tui.entry.chooser import ChooserScreen

    return Entry[str](settings).choose(partial(ChooserScreen, runs_dir=settings.runs_dir, use=use))
