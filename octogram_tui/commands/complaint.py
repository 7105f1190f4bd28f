"""How an error is told on standard error, and which exit code it means."""

from __future__ import annotations

import sys

from octogram_tui.errors import OctogramError, ScenarioError


def complain(error: OctogramError) -> int:
    """Say what is wrong and what to do; gives the exit code."""
    print(complaint(error), file=sys.stderr)
    return int(error.exit_code)


def complaint(error: OctogramError) -> str:
    """Give what there is to say."""
    if isinstance(error, ScenarioError):
        from octogram_tui.scenario.report import as_text

        return unobeyed(as_text(error.problems))
    from octogram_tui.projection.text import visible

    return unobeyed(visible(f"octogram-tui: {error.message}" + (f"\n  {error.hint}" if error.hint else "")))


def unobeyed(text: str) -> str:
    """Give lines that quote files and machines so that no CI service takes one of them for a command."""
    from octogram_tui.report import phrases

    return "\n".join(phrases.unobeyed(phrases.disarmed(line)) for line in text.split("\n"))
