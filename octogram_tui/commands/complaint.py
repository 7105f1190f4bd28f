"""How an error is told on standard error, and which exit code it means."""

from __future__ import annotations

import sys

from octogram_tui.errors import OctogramError, ScenarioError


def complain(error: OctogramError) -> int:
    """Say what is wrong and what to do; gives the exit code."""
    if isinstance(error, ScenarioError):
        from octogram_tui.scenario.report import as_text

        print(as_text(error.problems), file=sys.stderr)
    else:
        print(f"octogram-tui: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
    return int(error.exit_code)
