"""`octogram-tui demo`: a run that fails once, on this machine, and a console that says what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from octogram_tui.errors import JournalError
from octogram_tui.resources import sample
from octogram_tui.settings import Settings

HELP = """usage: octogram-tui demo [options of a run]

Learn to pause, repair, run again and go on, in a minute: a line above the keys says what is next. It needs nothing but
this machine. Without a terminal, or with --headless, nothing is to be learnt: the same goes well, with exit code 0.
"""
GOES_WELL = ("--var", "air=200", "--var", "pace=0.1")


def lesson_path(settings: Settings) -> Path:
    """Give where the scenario of the lesson is: a copy that may be edited."""
    return settings.state_dir / "demo" / "demo.yml"


def main(argv: Sequence[str]) -> int:
    """Run the demo; takes the options of a run."""
    if argv[:1] in (["-h"], ["--help"]):
        from octogram_tui.commands.examples import lines_of

        print("\n".join([HELP, "examples:", *lines_of("demo")]))
        return 0
    from octogram_tui.commands import run

    source = sample("demo.yml")
    if not run.read_request([str(source), *argv]).opens_console:
        return run.main([str(source), *GOES_WELL, *argv])
    from octogram_tui import filing
    from octogram_tui.settings import load

    target = lesson_path(load())
    try:
        filing.make_private(target.parent)
        filing.write_whole(target, source.read_bytes())
    except OSError as error:
        raise JournalError(f"cannot write {target}: {error.strerror}") from error
    code = run.main([str(target), "--paused", *argv])
    print("next: `octogram-tui` alone shows what is here, `octogram-tui init` writes a scenario", file=sys.stderr)
    return code
