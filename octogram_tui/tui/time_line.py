"""Where in the run's time one looks: at its latest moment, which moves while it goes on, or at an earlier one.

Live and replay are the same: the latest moment is what is known of all that came; any other is folded from the nearest
copy before it, with events that are read again from the journal. Looking back holds nobody up.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import takewhile
from typing import Protocol

from octogram_tui.engine.events import Event
from octogram_tui.errors import JournalError
from octogram_tui.projection.copies import Copies, Copy, copying
from octogram_tui.projection.folds import Folds
from octogram_tui.projection.freezing import outcome
from octogram_tui.projection.logbook import Logbook, lines_of
from octogram_tui.projection.ticks import TickKind, Ticks

NEAR_EVENTS = (32, 512)
"""At these distances before a moment that was gone back to, copies are kept: the next step back begins there."""
NEAR_COPIES = 6
PIECE_EVENTS = 500
"""So many events are read and folded before the loop goes on."""
FLOOD = 1_000
"""So many events at once are more than a run tells while somebody watches it: there is much that waits."""
LOG_LINES = 20_000
"""So many lines before a moment are read again where the log of all that came has let them go."""


class History(Protocol):
    """The events of the run, to be read again."""

    def after(self, seq: int) -> Iterator[Event]:
        """Give the events after one, in order."""
        ...

    def seq_at(self, at_s: float) -> int:
        """Give the number of the last event up to a time of the run; 0 when there is none."""
        ...


class TimeLine:
    """The moments of one run. `shown` is the one that is looked at: `head` itself, or folds of an earlier moment."""

    def __init__(self, head: Folds, log: Logbook, history: History | None = None) -> None:
        self.head = head
        self.shown = head
        self.log = log
        self._shown_log: Logbook | None = log
        self.history = history
        self.trouble = ""  # why the past could not be read, for the console to say
        self.ticks = Ticks()
        self.copies = Copies()
        self._near: list[Copy] = []
        self._aim: int | None = None  # the event that is on the way to be shown
        self._spare: Folds | None = None  # of the event before the one that is shown
        self._old_log: Logbook | None = None  # a stretch of the log that was read again
        self._empty = Copy(0, 0, head.frozen())
        self.is_shown = False  # to somebody who types: then long work is done piece by piece
        self._taking: Generator[None, None, None] | None = None  # the copy that is being made

    # As events come

    def came(self, count: int = 1) -> None:
        """The head went on by so many events: keep a copy, now and then."""
        if self.history is not None and self.copies.is_due(self.head.seq, hurries=count >= FLOOD):
            self._taking = self.copies.taking(self.head)
            while not self.is_shown and self.copy_on():
                pass

    def copy_on(self) -> bool:
        """Go on with the copy that is being made; False when it is whole, before which nothing may be folded."""
        if self._taking is None:
            return False
        taking, self._taking = self._taking, None
        try:
            next(taking)
        except StopIteration:
            return False
        self._taking = taking
        return True

    @property
    def is_back(self) -> bool:
        """Whether an earlier moment is looked at than the latest that is known."""
        return self.shown is not self.head

    @property
    def is_settled(self) -> bool:
        """Whether there are no folds but those of the latest moment."""
        return not self.is_back and self._spare is None and self._aim is None

    @property
    def shown_log(self) -> Logbook:
        """What was written by the moment that is looked at; put together when somebody wants to read it."""
        if self._shown_log is None:
            self._shown_log = self._log_at(self.shown)
        return self._shown_log

    # Going about

    def go_to(self, seq: int) -> bool:
        """Look at the moment after an event; False where nothing can be read again, or it is looked at already."""
        return outcome(self.going_to(seq))

    def going_to(self, seq: int) -> Generator[None, None, bool]:
        """Do the same a piece at a time; until it is done, what was shown before is shown."""
        seq = max(0, seq)
        if seq >= self.head.seq:
            return self.go_to_head()
        self._aim = None
        if self.history is None or (self.is_back and seq == self.shown.seq):
            return False
        spare, self._spare = self._spare, None
        if spare is not None and spare.seq == seq:
            self._show(spare)
            return True
        self._aim = seq
        before = self.shown.seq
        folds = self.shown if self.is_back and self.shown.seq <= seq else None
        copy = self._nearest(seq)
        if folds is None or copy.seq > folds.seq:
            folds = yield from self.head.thawing(copy.pieces)
        yield from self._fold_on(folds, seq, keeps_near=seq < before)
        self._show(folds)
        return True

    def go_to_head(self) -> bool:
        """Look at the latest moment, and at what comes; False when that is looked at."""
        was_back = self.is_back
        self.shown, self._shown_log, self._spare, self._aim = self.head, self.log, None, None
        return was_back

    def step(self, by: int) -> bool:
        """Go back or forward by so many events."""
        return outcome(self.stepping(by))

    def stepping(self, by: int) -> Generator[None, None, bool]:
        """Do the same a piece at a time."""
        here = self.shown.seq if self._aim is None else self._aim
        if by < 0:
            return (yield from self.going_to(max(1, here + by)))
        for event in self._after(here):
            by -= 1
            if not by:
                return (yield from self.going_to(event.seq))
        return self.go_to_head()

    def go_by(self, seconds: float) -> bool:
        """Go back or forward in the run's time."""
        return outcome(self.going_to_time(self.shown.at_s + seconds))

    def going_to_time(self, at_s: float) -> Generator[None, None, bool]:
        """Look at what was known at a time of the run, a piece at a time."""
        if at_s >= self.head.at_s:
            return self.go_to_head()
        return (yield from self.going_to(max(1, self.seq_at(at_s))))

    def go_to_tick(self, by: int, *kinds: TickKind) -> bool:
        """Go to the next (or the one before) of some kinds of tick; False when there is none."""
        return outcome(self.going_to_tick(by, *kinds))

    def has_tick(self, by: int, *kinds: TickKind) -> bool:
        """Whether there is a next one, or one before."""
        return self._tick(by, kinds) is not None

    def going_to_tick(self, by: int, *kinds: TickKind) -> Generator[None, None, bool]:
        """Do the same a piece at a time."""
        found = self._tick(by, kinds)
        return found is not None and (yield from self.going_to(found))

    def _tick(self, by: int, kinds: tuple[TickKind, ...]) -> int | None:
        seq = self.shown.seq
        moments = (self.ticks.of[kind] for kind in kinds)
        if by > 0:
            return min((at for each in moments if (at := each.after(seq)) is not None), default=None)
        return max((at for each in moments if (at := each.before(seq)) is not None), default=None)

    def seq_at(self, at_s: float) -> int:
        """Give the number of the last event up to a time of the run."""
        return self.history.seq_at(at_s) if self.history is not None else 0

    def event(self, seq: int) -> Event | None:
        """Read an event again."""
        return next(self._after(seq - 1), None)

    def preparing(self) -> Generator[None, None, None]:
        """Get the event before the one that is shown ready, while nobody waits."""
        shown, seq = self.shown, self.shown.seq - 1
        if not self.is_back or seq < 1 or (self._spare is not None and self._spare.seq == seq):
            return
        spare = yield from self.head.thawing(self._nearest(seq).pieces)
        yield from self._fold_on(spare, seq, keeps_near=True)
        if self.shown is shown:
            self._spare = spare

    # How a moment is made

    def _after(self, seq: int) -> Iterator[Event]:
        """Read on; where the journal cannot be read any more, there is no more."""
        try:
            yield from self.history.after(max(0, seq)) if self.history is not None else ()
        except JournalError as error:
            self.trouble = error.message

    def _nearest(self, seq: int) -> Copy:
        found = [copy for copy in (*self._near, self.copies.before(seq)) if copy is not None and copy.seq <= seq]
        return max(found, key=lambda copy: copy.seq, default=self._empty)

    def _fold_on(self, folds: Folds, seq: int, *, keeps_near: bool) -> Generator[None, None, None]:
        """Fold up to an event. What the head could not take in is left out here as well, without a word."""
        stops = [seq - distance for distance in sorted(NEAR_EVENTS, reverse=True)] if keeps_near else []
        stops = [stop for stop in stops if stop > folds.seq]
        for count, event in enumerate(takewhile(lambda event: event.seq <= seq, self._after(folds.seq)), 1):
            if count % PIECE_EVENTS == 0:
                yield
            if stops and event.seq > stops[0]:
                while stops and event.seq > stops[0]:
                    del stops[0]
                yield from self._keep_near(folds)
            folds.apply_all((event,))

    def _keep_near(self, folds: Folds) -> Generator[None, None, None]:
        copy = yield from copying(folds)
        if copy is not None:
            self._near.append(copy)
            del self._near[:-NEAR_COPIES]

    def _show(self, folds: Folds) -> None:
        self.shown = folds
        self._shown_log = self._aim = None

    def _log_at(self, folds: Folds) -> Logbook:
        """Give the log as it was then, as far as it is kept, else the end of it."""
        end = folds.written
        for log in (self.log, self._old_log):
            if log is not None and log.has_until(end, LOG_LINES):
                return log.until(end)
        copy = self.copies.written_before(max(0, end - LOG_LINES))
        self._old_log = Logbook(marks_attempts=True, first=copy.written if copy is not None else 0)
        for event in self._after(copy.seq if copy is not None else 0):
            if self._old_log.end >= end:
                break
            if lines_of(event):
                self._old_log.apply(event)
        return self._old_log.until(end)
