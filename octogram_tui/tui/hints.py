"""Hints for those who are new: a sentence at each state, gone once the key that it is about was used three times.

How often each was used is kept in a small file. Losing it costs nothing but a few hints that are shown again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from octogram_tui import filing, records
from octogram_tui.model.failure import AGENT_LOST, ORCHESTRATOR_LOST
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase

LOST = frozenset({AGENT_LOST, ORCHESTRATOR_LOST})
ENOUGH_USES = 3
ENOUGH_RUNS = 12
"""A hint that was there in so many runs was read, whatever was pressed."""
FILE = "hints.json"


class Hint(NamedTuple):
    """A sentence, in which `{name of an action}` stands for its key; call: of the action that it is about."""

    name: str
    call: str
    says: str


RUNNING = Hint("running", "toggle_pause", "{pause or go} holds the run, {open} looks into a row, {help} has all keys.")
PAUSED = Hint(
    "paused",
    "step",
    "{step over} lets the row run and holds again, {step into} one attempt; {breakpoint} stops before a row; "
    "{continue} lets the run go on.",
)
FAILED = Hint(
    "failed",
    "rerun_failed",
    "Everything is still alive: repair it with {edit} or {edit scenario}, then {rerun failed} runs again what "
    "failed, and goes on.",
)
DOUBTFUL = Hint(
    "doubtful",
    "rerun_failed",
    "Nobody knows how it ended: look at what it has done so far with {open}, then {rerun failed} runs it again, or "
    "{skip} leaves it out.",
)
DONE = Hint("done", "leave", "The agents stay up until you leave with {leave}; {rerun} runs a row again.")


def hint_for(board: Board) -> Hint | None:
    """Choose the hint for how the run stands."""
    if board.phase is Phase.DONE:
        return DONE
    if board.phase not in (Phase.RUNNING, Phase.STARTING):
        return None
    if board.confirmations:
        return None  # the banner says which key answers
    if board.is_paused:
        if not board.undecided:
            return PAUSED
        lasts = (cluster.first.struck.last for cluster in board.clusters.all)
        lost = (last is not None and last.failure is not None and last.failure.kind in LOST for last in lasts)
        return DOUBTFUL if all(lost) else FAILED
    return RUNNING if board.phase is Phase.RUNNING else None


class Hints:
    """Counts what was used, and says which hints are still wanted. Without a file it remembers for this run only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._counts = _read(path)
        self._shown: set[str] = set()

    def wanted(self, board: Board) -> Hint | None:
        """Give the hint for how the run stands, as long as it is news."""
        hint = hint_for(board)
        if hint is None or self._counts.get(hint.call, 0) >= ENOUGH_USES:
            return None
        if hint.name not in self._shown:
            if self._counts.get(_shown(hint), 0) >= ENOUGH_RUNS:
                return None
            self._shown.add(hint.name)
            self._count(_shown(hint), ENOUGH_RUNS)
        return hint

    def used(self, call: str) -> None:
        """Note that an action was used."""
        if call in _CALLS:
            self._count(call, ENOUGH_USES)

    def _count(self, name: str, enough: int) -> None:
        count = self._counts.get(name, 0)
        if count >= enough:
            return
        self._counts[name] = count + 1
        if self._path is None:
            return
        try:
            filing.make_private(self._path.parent)
            filing.write_whole(self._path, json.dumps(self._counts, indent=1).encode() + b"\n", mode=0o600)
        except OSError:
            self._path = None  # it is not worth a word


_CALLS = frozenset(hint.call for hint in (RUNNING, PAUSED, FAILED, DOUBTFUL, DONE))


def _shown(hint: Hint) -> str:
    return f"{hint.name} shown"


def _read(path: Path | None) -> dict[str, int]:
    if path is None:
        return {}
    try:
        found = records.load(path)
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: count for name, count in found.items() if isinstance(count, int) and count >= 0}
