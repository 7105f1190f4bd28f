"""`octogram-tui demo`: the quickstart, which needs nothing but this machine."""

from __future__ import annotations

from collections.abc import Sequence

from octogram_tui.commands import run
from octogram_tui.resources import sample


def main(argv: Sequence[str]) -> int:
    """Run the quickstart; takes the options of a run."""
    if argv[:1] in (["-h"], ["--help"]):
        print("usage: octogram-tui demo [options of a run]\n\nRun a scenario that needs nothing but this machine.")
        return 0
    return run.main([str(sample("quickstart.yml")), *argv])
