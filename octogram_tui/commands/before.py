"""What a console shows before its run begins: what is wrong with the scenario, and what its machines are like."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from octogram_tui.errors import Problem

if TYPE_CHECKING:
    from octogram_tui.commands.invocation import RunWanted
    from octogram_tui.commands.launch import Launch

AGAIN = "again"


def shows_problems(request: RunWanted, problems: Sequence[Sequence[Any]]) -> bool:
    """Show what is wrong with a scenario, on a terminal; True when a file was saved since: it is tried again."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not problems or not is_terminal or request.args.accessible or not os.path.isfile(request.args.scenario):
        return False
    from octogram_tui.tui.entry.app import Entry
    from octogram_tui.tui.entry.problems import ProblemsScreen

    found = [Problem(*problem) for problem in problems]
    entry = Entry[str](request.settings)
    return entry.choose(partial(ProblemsScreen, scenario=request.args.scenario, problems=found)) == AGAIN


def decide(request: RunWanted, launch: Launch, expected: int) -> str | None:
    """Show the machines, and let the user decide: `go`, `paused`, AGAIN after an edit, or None."""
    from octogram_tui.tui.entry.app import Entry
    from octogram_tui.tui.entry.preflight import PreflightScreen

    entry = Entry[str](request.settings)
    return entry.choose(partial(PreflightScreen, host=launch, scenario=request.args.scenario, expected=expected))
