"""`octogram-tui` alone, on a terminal: the welcome, and what is chosen there, until it is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from octogram_tui.commands.complaint import complain
from octogram_tui.commands.dispatch import dispatch
from octogram_tui.errors import OctogramError
from octogram_tui.settings import load

QUIET = frozenset({"attach", "replay", "demo", "init"})
"""What leaves nothing to read when all went well; a scenario's run is one of them."""


def main() -> int:
    """Welcome, run what is chosen as if it had been typed, and welcome again; 0 once it is left."""
    settings = load()
    if not settings.opens_console(is_terminal=True):
        return dispatch(["help"])
    from octogram_tui.tui.entry.app import Entry
    from octogram_tui.tui.entry.welcome import WelcomeScreen, Wish

    note, wanted = "", ""
    while True:
        directory = Path(os.getcwd())
        make = partial(WelcomeScreen, runs_dir=settings.runs_dir, directory=directory, note=note, wanted=wanted)
        words = Entry[Wish](settings).choose(make)
        if words is None:
            return 0
        code = _run(words)
        is_of_run = words[0] in ("attach", "replay")
        wanted = words[1] if is_of_run else str(directory / (words[-1] if words[0] in ("init", "doctor") else words[0]))
        if words[0] == "init" and not code:
            note = f"wrote {words[-1]}: enter runs it, E edits it"
            continue
        note = f"octogram-tui {' '.join(words)}: exit code {code}"
        is_quiet = words[0] in QUIET or words[0].endswith((".yml", ".yaml", ".json"))
        if (code or not is_quiet) and not _goes_back():
            return code


def _run(words: Sequence[str]) -> int:
    try:
        return dispatch(words)
    except OctogramError as error:
        return complain(error)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


def _goes_back() -> bool:
    """Leave what was printed to be read. False when there is nobody to go on."""
    try:
        sys.stdout.flush()
        return input("\nenter goes back to the welcome, q leaves: ").strip().lower() not in ("q", "quit", "exit")
    except (EOFError, KeyboardInterrupt):
        return False
