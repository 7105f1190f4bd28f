"""All that is folded from a run's events, together: what is known at one moment of it.

A moment is a prefix of the events, so it can be copied (`frozen`) and folded on from its copy. A fold that the console
shows belongs here: what is not copied is not there when somebody goes back. The log is too large to be copied with
each moment; of it a moment knows only how far it was written.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from octogram_tui.engine import events as ev
from octogram_tui.projection.board import Board
from octogram_tui.projection.edited import Edited
from octogram_tui.projection.estimate import Expectation, PastRun
from octogram_tui.projection.freezing import Piece, freezing, outcome, thawing
from octogram_tui.projection.loads import Loads
from octogram_tui.projection.logbook import lines_of
from octogram_tui.projection.reasons import Reasons
from octogram_tui.projection.source import ReadText, Source, no_text
from octogram_tui.projection.timeline import Timeline
from octogram_tui.projection.variables import Variables

_EDITS = frozenset({"arguments_set", "request_refused"})
_SETS = frozenset({"run_started", "variable_changed", "entry_registered", "scenario_reloaded"})

Refused = list[tuple[ev.Event, Exception]]
"""Events that could not be taken in, and why."""


class Folds:
    """What a run has come to after some of its events."""

    def __init__(self, *, past: Sequence[PastRun] = (), read_text: ReadText = no_text) -> None:
        self.board = Board()
        self.variables = Variables()
        self.expectation = Expectation(past)
        self.source = Source(self.board, read_text)
        self.timeline = Timeline()
        self.loads = Loads()
        self.edited = Edited()
        self.reasons = Reasons(self.board)
        self.written = 0  # the absolute number that the next line of the log will have

    @property
    def seq(self) -> int:
        """The number of the latest event; 0 before the first."""
        return self.board.seq

    @property
    def at_s(self) -> float:
        """When that was, in seconds since the run's start."""
        return self.board.at_s

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        self.board.apply(event)
        kind = event.TYPE
        if kind == "job_output":  # most are
            self.written += lines_of(event)
            return
        if kind == "job_started":
            if event.attempt > 1:  # type: ignore[attr-defined]
                self.written += lines_of(event)
            if self.edited.by_instance:
                self.edited.apply(event)
        elif kind in _EDITS:
            self.edited.apply(event)
        self.reasons.apply(event)
        self.expectation.apply(event)
        self.timeline.apply(event)
        if kind == "agent_load":
            self.loads.apply(event)
        elif kind in _SETS:
            self.variables.apply(event)
            self.source.apply(event)

    def apply_all(self, events: Iterable[ev.Event]) -> Refused:
        """Take events in; what cannot be is left out, and what comes after it is not."""
        refused: Refused = []
        for event in events:
            try:
                self.apply(event)
            except Exception as error:
                refused.append((event, error))
        return refused

    def frozen(self) -> tuple[Piece, ...]:
        """Make a copy that changes no more, all at once."""
        return tuple(piece for piece in freezing(self) if piece is not None)

    def thawed(self, pieces: Sequence[Piece]) -> Folds:
        """Make folds of a copy of ours, or of an earlier moment of the same run, all at once."""
        return outcome(self.thawing(pieces))

    def thawing(self, pieces: Sequence[Piece]) -> Generator[None, None, Folds]:
        """Do the same a piece at a time."""
        folds = Folds.__new__(Folds)
        vars(folds).update((yield from thawing(pieces)))
        folds.source.share_texts(self.source)
        return folds
