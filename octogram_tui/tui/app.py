"""The console: one app around one run. It holds no state of the run but what the folds hold, and decides nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.actions import ActionParseResult
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from octogram_tui import garbage
from octogram_tui.engine.events import Event
from octogram_tui.engine.stimuli import (
    BreakRequest,
    RemoveBreakRequest,
    Stimulus,
    StopRequest,
    SwitchBreakRequest,
)
from octogram_tui.errors import ExitCode
from octogram_tui.journal.runbook import RunBook
from octogram_tui.projection.board import Notice
from octogram_tui.projection.estimate import PastRun
from octogram_tui.projection.lesson import Lesson
from octogram_tui.projection.logbook import lines_of
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.source import ReadText, no_text
from octogram_tui.projection.text import safe
from octogram_tui.tui import theme as themes
from octogram_tui.tui.calling import Caller, title_of
from octogram_tui.tui.command_palette import ActionProvider
from octogram_tui.tui.enquiries import Enquiries
from octogram_tui.tui.event_feed import AnsweringSource, EventFeed, EventSource
from octogram_tui.tui.format import clock, plural
from octogram_tui.tui.hints import Hints
from octogram_tui.tui.kept_objects import KeptObjects
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.lending import editor_command
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.looks_app import LooksApp
from octogram_tui.tui.model import Model
from octogram_tui.tui.outcome import ConsoleOutcome as ConsoleOutcome
from octogram_tui.tui.pace import Pace
from octogram_tui.tui.player import Opening
from octogram_tui.tui.screens.dialogs import Question
from octogram_tui.tui.screens.leaving import leaving
from octogram_tui.tui.screens.other_runs import delete_run, go_to_run
from octogram_tui.tui.screens.run_screen import RunScreen
from octogram_tui.tui.terminal import ConsoleSignals
from octogram_tui.tui.time_line import History
from octogram_tui.tui.watches import Watches
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.run_list import RunList

TICK_S = 0.5
"""How often times that run are drawn anew; all else is drawn when it changes."""

MOST_NEWS = 100
"""How many of the notices that came together are looked through for those that are alike."""
MOST_NOTICES = 3
"""How many are shown, each for all that are like it."""

LINES_AN_EVENT = 5
"""So many lines of a log leave as many objects as an event."""

OF_ANY_MOMENT = (BreakRequest, SwitchBreakRequest, RemoveBreakRequest, StopRequest)
"""What can be asked for while an earlier moment is looked at."""


class ConsoleApp(LooksApp[ConsoleOutcome]):
    """Takes events in, sends stimuli out, and asks before anything that cannot be taken back."""

    TITLE = "octogram-tui"
    COMMANDS: ClassVar[set[Any]] = {ActionProvider}
    ENABLE_COMMAND_PALETTE = False  # its key is in our table, and so can be another
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "leave", show=False, system=True, priority=True)]

    def __init__(
        self,
        source: EventSource,
        *,
        scenario_path: str,
        ascii_only: bool = False,
        palette: str = themes.DEFAULT,
        read_only: bool = False,
        replay: bool = False,
        editor: str = "vi",
        keys: Keys | None = None,
        config_dir: Path | None = None,
        run_dir: Path | None = None,
        clock: Callable[[], float] = time.time,
        earlier_signals: Sequence[int] = (),
        parting: str = "",
        past: Sequence[PastRun] = (),
        read_text: ReadText = no_text,
        hints: Hints | None = None,
        teaches: bool = False,
        runs: RunBook | None = None,
        watches: Watches | None = None,
        history: History | None = None,
        opening: Opening | None = None,
    ) -> None:
        # Said at once, not only by the theme below: with NO_COLOR, Textual chooses here whether it takes colours for
        # the terminal's own, which it leaves alone, or for its own, of which it makes greys: black on black.
        super().__init__(css_path=str(themes.stylesheet()), ansi_color=themes.palette(palette, config_dir).theme.ansi)
        self.source = source
        self.scenario_path = scenario_path
        self.editor = editor
        self.model = Model(clock=clock, is_replay=replay, past=past, read_text=read_text, history=history)
        self.model.time.is_shown = True
        self.model.hints = hints
        self.model.runs = runs
        if watches is not None:
            self.model.watches = watches
        self.model.lesson = Lesson() if teaches and not replay else None
        self.brush = Brush(themes.palette(palette, config_dir), ascii_only=ascii_only, keys=keys)
        self.config_dir = config_dir
        self.run_dir = run_dir
        self._caller = Caller()
        self._kept = KeptObjects()
        self.pace = Pace()
        self.feed: EventFeed | None = None
        self.set_keymap(self.brush.keys.for_textual())
        self.wants_read_only = read_only or replay
        self.opening = opening  # of a replay: which moment is shown first, and whether it plays
        self._has_all = False  # the source has ended
        self.knows_run = asyncio.Event()  # set when something is known of the run, or nothing ever will be
        self.is_stopping = False  # we asked for it, and leave when it is done
        self.drafts: dict[str, str] = {}  # values that were typed and not set, by name
        self.enquiries = Enquiries(source)
        self._shown_notices = 0
        self._shown_refusals = 0
        self._had_control: bool | None = None  # None before the run's host has said
        self._signals: ConsoleSignals | None = None
        self._earlier_signals = earlier_signals
        self._parting = parting
        self.register_theme(self.brush.palette.theme)
        self.theme = palette
        self.run_screen: RunScreen | None = None

    def get_default_screen(self) -> Screen[Any]:
        """Start with the run."""
        self.run_screen = RunScreen(self)
        return self.run_screen

    def on_mount(self) -> None:
        """Begin to listen."""
        self.set_class(self.brush.ascii_only, "-ascii")
        self.tell_of_theme()
        self.feed = EventFeed(self.source, self)
        self.run_worker(self.feed.run(), group="events", exclusive=True)
        self.set_interval(TICK_S, self.sync)
        self.call_after_refresh(garbage.settle)

    # Events

    def take_in(self, events: list[Event]) -> None:
        """Fold."""
        for event, error in self.model.apply(events, waiting=self.feed.waiting if self.feed is not None else 0):
            with self.guarding(f"event {event.TYPE}"):
                raise error
        lines = sum(map(lines_of, events))
        self._kept.came(len(events) + lines // LINES_AN_EVENT, are_settled=self.model.time.is_settled)

    def copy_on(self) -> bool:
        """Go on with the copy for looking back, if one is being made; False when there is none."""
        goes_on = False
        with self.guarding(self):
            goes_on = self.model.time.copy_on()
        return goes_on

    def show_what_came(self) -> None:
        """Draw what changed, and tell of it."""
        with self.guarding(self):
            self._tell_notices()
            self.sync()
            self.knows_run.set()
            board = self.model.head.board
            if self.is_stopping and board.phase is Phase.FINISHED:
                self.exit(ConsoleOutcome("stopped", board.exit_code))

    def source_ended(self) -> None:
        """Nothing more will come: the run is over, or its host is gone."""
        if self.model.head.board.phase is not Phase.FINISHED:
            self.model.lose()
        self._has_all = True
        self.knows_run.set()
        with self.guarding(self):
            self.sync()

    def sync(self) -> None:
        """Draw what changed."""
        if not self._screen_stack:  # a tick that came while the console is being left
            return
        with self.pace.drawing():
            self._sync()

    def _sync(self) -> None:
        for text in self.source.refusals[self._shown_refusals :]:
            self.notify(safe(text), severity="warning", markup=False)
        self._shown_refusals = len(self.source.refusals)
        self._tell_control()
        self._call()
        if self.run_screen is not None and self.run_screen.is_mounted:
            if self.opening is not None and self.model.head.seq:
                self.opening = self.run_screen.open_at(self.opening, is_all=self._has_all)
            self.run_screen.sync()
        if isinstance(self.screen, Dialog):
            self.screen.sync()

    def _call(self) -> None:
        """Say in the title how the run stands, and call for somebody when one is needed; never from a replay."""
        screen, board = self.run_screen, self.model.head.board
        if screen is None or not board.seq:
            return
        is_lost = self.model.has_lost_host
        self.show_title(title_of(board, self.brush, screen.status.state(board), self.scenario_path, is_lost=is_lost))
        call = self._caller.fresh(board, now_s=self.model.latest_s, is_lost=is_lost)
        if call is not None and not self.model.is_replay:
            self.call_for_somebody(f"{self.scenario_path.rpartition('/')[2]}: {call.text}")

    def _tell_control(self) -> None:
        """Say when control comes or goes; it stays silent about how it was at first."""
        had, has = self._had_control, self.source.has_control
        if self.model.head.board.seq and not self.wants_read_only and self.source.is_connected:
            self._had_control = has
            if had is not None and had != has:
                words = "you hold control now" if has else "another console took control: this one only watches"
                self.notify(words, severity="information" if has else "warning", markup=False)

    def _tell_notices(self) -> None:
        board = self.model.head.board
        fresh = 0 if self.model.is_replay else min(board.notice_count - self._shown_notices, MOST_NEWS)
        self._shown_notices = board.notice_count
        # Only what came last, and lately: who joins a long run is not told its past. What many agents have is one.
        alike: dict[str, list[Notice]] = {}
        for notice in list(board.notices)[-fresh:] if fresh else ():
            if notice.is_recent(self.model.latest_s):
                alike.setdefault(board.names.alike(notice.text), []).append(notice)
        for notices in list(alike.values())[-MOST_NOTICES:]:
            level: Any = notices[-1].level
            more = f" (and {len(notices) - 1} more like it)" if len(notices) > 1 else ""
            self.notify(f"{safe(notices[0].text, limit=200)}{more}", severity=level, markup=False)

    def marks(self) -> list[str]:
        """Say in short how we are attached, and whether what is shown is behind what came."""
        behind = ["catching up"] if self.feed is not None and self.feed.is_catching_up else []
        if self.model.is_replay:
            return ["replay", *behind]
        if self.model.is_back:
            return ["back in time"]
        if self.model.is_lost:
            return ["lost"]
        consoles = self.source.consoles if isinstance(self.source, AnsweringSource) else 1
        marks = [f"attached {consoles}"] if consoles > 1 else []  # alone is how one mostly is
        return [*marks, "ro", *behind] if self.is_read_only else [*marks, *behind]

    # Asking

    @property
    def is_read_only(self) -> bool:
        """Whether we only watch."""
        return self.wants_read_only or not self.source.has_control or not self.source.is_connected

    def why_not(self) -> str:
        """Say why nothing can be asked for; empty when something can."""
        if self.model.is_replay:
            return "this is a replay: nothing can be changed"
        if self.wants_read_only:
            return "this console only watches"
        if self.model.is_back:
            events, seconds = self.model.behind
            behind = f"{plural(events, 'event')}, {clock(seconds)}"
            return f"you look at the run as it was ({behind} ago): {self.way('now')} comes back, then ask again"
        if not self.source.is_connected or self.model.board.phase is Phase.FINISHED:
            return "the run is over" if self.model.board.phase is Phase.FINISHED else "the run does not answer any more"
        if not self.source.has_control:
            return f"another console holds control: {self.way('take control')} takes it"
        return ""

    def may_act(self) -> bool:
        """Whether we may ask for something; says why when we may not."""
        reason = self.why_not()
        if reason:
            self.notify(reason, severity="warning", markup=False)
        return not reason

    def ask(self, stimulus: Stimulus) -> None:
        """Ask the run for something; what comes of it comes as events."""
        if isinstance(stimulus, OF_ANY_MOMENT) and self.model.is_back and not self.is_read_only:
            self.source.send(stimulus)  # it holds for what comes, wherever one looks
        elif self.may_act():
            self.source.send(stimulus)

    async def edit_scenario(self, line: int, path: str = "") -> None:
        """Lend the terminal to the editor; the run's host sees the file change. path: where it is not the first one."""
        self.lend(lambda: editor_command(self.editor, path or self.scenario_path, line))

    # Leaving

    def leave(self) -> None:
        """Go, or ask how. This works whatever else does not: what cannot be asked leaves the run as it is."""
        try:
            self._leave()
        except Exception as error:
            self.caught(error, self)
            self.exit(ConsoleOutcome("detached", None))

    def _leave(self) -> None:
        board = self.model.head.board
        if board.phase is Phase.FINISHED:
            self.exit(ConsoleOutcome("finished", board.exit_code))
        elif self.is_read_only:
            is_lost = not self.source.is_connected and not self.model.is_replay
            self.exit(ConsoleOutcome("lost" if is_lost else "detached", None))
        else:
            self._ask_how_to_leave()

    action_leave = leave

    def go_at_once(self) -> None:
        """Leave the run as it is."""
        App.exit(self, ConsoleOutcome("detached", None))

    def interrupt(self) -> None:
        """Ctrl-C: copy what is selected, else ask; while the question stands, or the run is stopping, go further."""
        if selected := self.screen.get_selected_text():
            self.copy_out(selected)
            self.screen.clear_selection()
            return
        board = self.model.head.board
        if board.phase is Phase.FINISHED or self.is_read_only:
            self.leave()
        elif board.phase is Phase.STOPPING:
            self._stop(force=True)
        elif isinstance(self.screen, Question) and self.screen.interrupt:
            self.screen.dismiss(self.screen.interrupt)
        else:
            if isinstance(self.screen, Question):  # asks something else, which is answered with never mind
                self.screen.dismiss("")
            self._ask_how_to_leave(stop_first=True)

    action_interrupt = interrupt

    def _ask_how_to_leave(self, *, stop_first: bool = False) -> None:
        board = self.model.head.board
        if isinstance(self.screen, Question):
            return

        def take(answer: str | None) -> None:
            if answer == "detach":
                self.exit(ConsoleOutcome("detached", None))
            elif answer == "leave":
                self.leave()
            elif answer:
                self._stop(force=answer == "force")

        question = Question(self.brush, ask=lambda: leaving(board, stop_first=stop_first), interrupt="stop")
        self.open_dialog(question, take)

    def _stop(self, *, force: bool) -> None:
        board = self.model.head.board
        code = board.done_exit_code if board.phase is Phase.DONE else ExitCode.INTERRUPTED
        if board.failures:
            code = ExitCode.JOB_FAILED
        self.is_stopping = True
        self.ask(StopRequest("operator", int(code), force=force))

    # Other runs

    def on_run_list_opened(self, message: RunList.Opened) -> None:
        """Go to another run."""
        go_to_run(self, message.entry)

    def on_run_list_unwanted(self, message: RunList.Unwanted) -> None:
        """Delete another run."""
        delete_run(self, message.entry)

    # Teaching

    async def run_action(self, action: str | ActionParseResult, *places: Any, **more: Any) -> bool:
        """Do an action, and note for the hints that it is known."""
        if self.model.hints is not None and isinstance(action, str):
            self.model.hints.used(action.partition("(")[0].rpartition(".")[2])
        return await super().run_action(action, *places, **more)

    # Signals

    def listen_to_signals(self) -> None:
        """Make signals ours, once Textual has made them its own."""
        # Through the app's own queue: a signal comes outside of what Textual calls the active app.
        leave = partial(self.call_later, self.exit_now, ConsoleOutcome("detached", None))
        self._signals = ConsoleSignals(
            self.signals(interrupt=partial(self.call_later, self.interrupt), leave=leave),
            woken=self.background.woken,
            parting=self._parting,
        )
        self._signals.install(self._earlier_signals)

    def exit(self, *arguments: Any, **options: Any) -> None:
        """Leave: nobody is here to be asked any more."""
        if self.run_screen is not None:
            self.run_screen.leave_edits()
        super().exit(*arguments, **options)

    def on_unmount(self) -> None:
        """Give title and signals back."""
        self.give_title_back()
        if self._signals is not None:
            self._signals.remove()
