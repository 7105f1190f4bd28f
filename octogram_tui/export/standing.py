"""How a run stands, in the words of a report: how it ended, or that it did not, and why no more is known."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.errors import EXIT_TEXTS, ExitCode
from octogram_tui.export.account import Account
from octogram_tui.export.recorded import Recorded


class Verdict(NamedTuple):
    """How a run stands. state: finished, running, crashed, or unfinished where nobody knows which; style: of a row."""

    state: str
    word: str
    text: str
    style: str


def verdict_of(account: Account, run: Recorded) -> Verdict:
    """Say it."""
    code = account.board.exit_code
    if code is not None:
        if code == ExitCode.OK:
            return Verdict("finished", "OK", EXIT_TEXTS[ExitCode.OK], "ok")
        is_known = code in ExitCode.__members__.values()
        text = EXIT_TEXTS[ExitCode(code)] if is_known else "an exit code that this program does not know"
        return Verdict("finished", "FAILED", f"exit code {code}: {text}", "failed")
    if run.damage:
        return Verdict("damaged", "DAMAGED", "the journal is damaged: this is the run up to there", "failed")
    if run.state == "running":
        return Verdict("running", "RUNNING", "the run goes on: this is how it stood when it was exported", "running")
    if run.state == "crashed":
        text = "the process of the run is gone: this is how far its journal goes"
        return Verdict("crashed", "CRASHED", text, "lost")
    return Verdict("unfinished", "UNFINISHED", "the file ends before the run does", "held")
