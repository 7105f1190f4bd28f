"""Going about in the run's time: by event, stage, minute, failure and the operator's acts; playing; to any moment."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

from textual.timer import Timer
from textual.worker import Worker

from octogram_tui.projection.ticks import TickKind
from octogram_tui.tui.moment_text import MomentUnknown, moment_of
from octogram_tui.tui.player import Opening
from octogram_tui.tui.screens.pane_screen import PaneScreen
from octogram_tui.tui.widgets.moment_line import MomentLine
from octogram_tui.tui.widgets.timeline_view import TimelineView

FAILURES: tuple[TickKind, ...] = ("failure", "loss")
MINUTE_S = 60.0
AT_ONCE_PIECES = 6
"""What is reached in no more pieces of work, of some milliseconds each, is shown at once."""
TICK_S = 1 / 20
"""How often what is played is drawn."""
NO_JOURNAL = "this run has no journal here: only its latest moment can be looked at"


class TimeVerbs(PaneScreen):
    """The actions of keymap.py that go to another moment. None of them stops anybody."""

    _ticking: Timer | None = None
    _on_the_way: Worker[None] | None = None  # to another moment, or to be ready for the next step

    def action_event(self, by: int) -> None:
        """Go back or forward by events."""
        if self._may_go():
            self._stop_playing()
            self._go(self.model.time.stepping(by), prepares=by < 0)

    def action_stage_start(self, by: int) -> None:
        """Go to where a stage begins."""
        self._to_tick(by, "stage", what="stage that begins")

    def action_failure_moment(self, by: int) -> None:
        """Go to where something failed, or was lost, also what was repaired since."""
        self._to_tick(by, *FAILURES, what="failure")

    def action_act(self, by: int) -> None:
        """Go to where the operator did something."""
        self._to_tick(by, "act", "reload", what="operator's act")

    def _to_tick(self, by: int, *kinds: TickKind, what: str) -> None:
        if not self._may_go():
            return
        self._stop_playing()
        if self.model.time.has_tick(by, *kinds):
            self._go(self.model.time.going_to_tick(by, *kinds))
        else:
            where = "after" if by > 0 else "before"
            self.app.notify(f"there is no {what} {where} this moment", markup=False, timeout=3)

    def action_minute(self, by: int) -> None:
        """Go back or forward by minutes of the run."""
        if self._may_go():
            self._stop_playing()
            self._go(self.model.time.going_to_time(self.model.shown.at_s + by * MINUTE_S))

    def action_start(self) -> None:
        """Go to the first event."""
        if self._may_go():
            self._stop_playing()
            self._go(self.model.time.going_to(1))

    def action_now(self) -> None:
        """Go to the latest moment, and stay there."""
        self._stop_playing()
        self._stop_going()
        self._went(self.model.time.go_to_head())

    def action_moment(self) -> None:
        """Ask for a moment, below the panes."""
        if not self._may_go():
            return
        for line in self.query(MomentLine):
            self.set_focus(line)
            return
        self.app.open_line(MomentLine(pane=self.pane))

    def go_to_moment(self, text: str) -> str:
        """Go to what was typed: an event's number, a time, or a stage; says why not, where that is nothing."""
        try:
            seq = moment_of(text, self.model)
        except MomentUnknown as error:
            return f"{error.message}: {error.hint}"
        self._stop_playing()
        self._go(self.model.time.going_to(seq))
        return ""

    def on_timeline_view_moment_wanted(self, message: TimelineView.MomentWanted) -> None:
        """Go to the time that was clicked."""
        message.stop()
        if self._may_go():
            self._stop_playing()
            self._go(self.model.time.going_to_time(message.at_s))

    def open_at(self, opening: Opening, *, is_all: bool) -> Opening | None:
        """Show the moment that a replay begins with, once it is known; gives what is still to be done.

        is_all: nothing more will come that could make it known
        """
        at = opening.at or "start"
        if not is_all:
            try:
                if moment_of(at, self.model) >= self.model.head.seq:
                    return opening
            except MomentUnknown:
                return opening
        problem = self.go_to_moment(at)
        if problem:
            self.app.notify(problem, severity="warning", markup=False)
        elif opening.speed is not None:
            self.model.player.speed = opening.speed
            self._play()
        return None

    # Playing

    def action_play(self) -> None:
        """Play on from here, or pause; at the end, from the beginning."""
        if not self._may_go():
            return
        if self.model.player.is_playing:
            self._stop_playing()
        else:
            if not self.model.is_back and self.model.time.go_to(1):
                self.moment_changed()
            self._play()
        self.sync()

    def _play(self) -> None:
        self.model.player.start()
        if self._ticking is None:  # nothing wakes up while nothing is played
            self._ticking = self.set_interval(TICK_S, self._play_on)

    def _stop_playing(self) -> None:
        self.model.player.stop()
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def action_speed(self) -> None:
        """Play at the next speed."""
        self.model.player.next_speed()
        self.app.notify(f"plays {self.model.player.speed_text}", markup=False, timeout=2)
        self.sync()

    def _play_on(self) -> None:
        if self.model.player.advance(TICK_S):
            self.moment_changed()
        if not self.model.player.is_playing:
            self._stop_playing()
            self.sync()

    # On the way

    def _go(self, going: Generator[None, None, bool], *, prepares: bool = False) -> None:
        """Go to another moment: at once where it is near, else piece by piece, while keys and frames go on."""
        self._stop_going()
        try:
            for _ in range(AT_ONCE_PIECES):
                next(going)
        except StopIteration as end:
            self._arrived(bool(end.value), prepares=prepares)
            return
        self._on_the_way = self.run_worker(partial(self._go_on, going, prepares=prepares), group="moment")

    async def _go_on(self, going: Generator[None, None, bool], *, prepares: bool) -> None:
        is_there = has_moved = False
        with self.app.guarding(self):
            while not is_there:
                await self.app.typed.settled()
                try:
                    next(going)
                except StopIteration as end:
                    is_there, has_moved = True, bool(end.value)
        self._on_the_way = None
        if is_there:
            self._arrived(has_moved, prepares=prepares)

    def _stop_going(self) -> None:
        if self._on_the_way is not None:
            self._on_the_way.cancel()
            self._on_the_way = None

    def _arrived(self, has_moved: bool, *, prepares: bool) -> None:
        self._went(has_moved)
        if prepares:
            self.call_after_refresh(self._prepare)

    def _prepare(self) -> None:
        """Make the next step back quick, unless somebody goes elsewhere first."""
        if self._on_the_way is None:
            self._on_the_way = self.run_worker(self._prepare_on, group="moment")

    async def _prepare_on(self) -> None:
        with self.app.guarding(self):
            for _ in self.model.time.preparing():
                await self.app.typed.settled()
        self._on_the_way = None

    # What came of it

    def _may_go(self) -> bool:
        if self.model.time.history is None:
            self.app.notify(NO_JOURNAL, severity="warning", markup=False)
        return self.model.time.history is not None

    def _went(self, has_moved: bool) -> None:
        if has_moved:
            self.moment_changed()
        else:
            self.sync()

    def moment_changed(self) -> None:
        """Show another moment: every row is another object, what was chosen is found again by its name."""
        if self.model.time.trouble:
            self.app.notify(self.model.time.trouble, severity="warning", markup=False)
            self.model.time.trouble = ""
            self.model.time.go_to_head()
        self.model.outline.look_at(self.model.board)
        self.banner.forget()
        for pane in (self.plan, *(pane for pane in self.panes.values() if pane is not self.plan)):
            with self.app.guarding(pane):
                pane.moment_changed()
        self.sync()
