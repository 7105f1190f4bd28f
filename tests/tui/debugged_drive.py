"""Drives a console at random on a real engine: requests are done, questions are answered, the past can be gone to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from random_drive import Drive

from octogram_tui.engine import stimuli as st
from octogram_tui.engine.events import Event
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.desk import Question
from octogram_tui.tui.widgets.source_view import SourceView
from tools.debugged_run import DebuggedRun

OF_DEBUGGER = (
    "space c n s o u A H M b B e equals_sign D I E X C R S r comma full_stop left_parenthesis right_parenthesis minus "
    "plus K J O U 0 semicolon T asterisk 9 colon exclamation_mark f p d 1 2 3 4 5 6 7 8 j k l enter tab slash"
).split()
OF_DIALOGS = (
    "enter enter escape tab shift+tab up down left right space backspace ctrl+s ctrl+r ctrl+t d g n e q D M b f r "
    "a s y 1 2 x ctrl+u home end pagedown"
).split()
LINES_TYPED = [
    "vars.level", "vars.nothing", "1 +", "[x for x in vars]", "measure/probe@n_1", "*", "prepare", "17", "0:01",
    "@12:00", "{{ vars.level }}", "until measure/judge", "set_variable level 1", "break * failed", "ask",
    "step depth=out", "%3", "seat.txt", "2", "null", "agent:n_1", "\x1b[31m", "數" * 50,
]  # fmt: skip
FORMS = (
    "edit_arguments edit_variable unset_variable breakpoints new_breakpoint evaluate rerun_menu back_to_stage ask_verb "
    "changed_variables show_arguments foresee_file take_edit moment break('after') break('log') break('variable') "
    "break('failed') break('stage') switch_breakpoints clear_breakpoints play speed rerun_of('item','then') "
    "rerun_of('from here') rerun_stale use_scope('agent') use_scope('filter') explain compare start now"
).split(" ")
KINDS = (
    "debug debug debug dialog dialog dialog form form type key click double gutter wheel drag paste size attached "
    "theme report time"
)


class DebuggedBehind:
    """A run that does as it is asked."""

    def __init__(self, run: DebuggedRun) -> None:
        self.run = run
        self.has_control = self.is_connected = True
        self.consoles = 1
        self.refusals: list[str] = []
        self._came = asyncio.Event()

    async def events(self) -> AsyncIterator[list[Event]]:
        given = 0
        while True:
            self._came.clear()
            batch, given = self.run.events[given:], len(self.run.events)
            yield batch
            await self._came.wait()

    def send(self, stimulus: st.Stimulus) -> None:
        if not isinstance(stimulus, st.StopRequest):  # the drive is to go on
            self.run.ask(stimulus)
            self._came.set()

    def take_control(self) -> None:
        self.has_control = True

    def only_watch(self) -> None:
        self.has_control = False

    async def answer(self, question: Question) -> dict[str, Any]:
        await asyncio.sleep(0)  # what is typed meanwhile comes before the answer
        return await self.run.desk.answer(question)

    async def close(self) -> None:
        """Nothing is open."""

    # What console_app.py and a history ask

    @property
    def _events(self) -> list[Event]:
        return self.run.events

    def after(self, seq: int) -> Iterator[Event]:
        """Give the events after one."""
        yield from self.run.events[seq:]

    def seq_at(self, at_s: float) -> int:
        """Give the last event up to a time."""
        return max((event.seq for event in self.run.events if event.at_s <= at_s), default=0)


class DebuggedDrive(Drive):
    """Keys of the debugger, its forms, its lines to type into, clicks on the gutter of the source, other moments."""

    kinds = KINDS
    source: DebuggedBehind

    async def _do_debug(self) -> str:
        return await self._press(OF_DEBUGGER)

    async def _do_dialog(self) -> str:
        return await self._press(OF_DIALOGS)

    async def _do_form(self) -> str:
        """Open something, with or without a key of its own."""
        name = self._rng.choice(FORMS)
        screen = self.app.run_screen
        if screen is not None and self.app.screen is screen:
            await screen.perform(name)
        return name

    async def _do_type(self) -> str:
        """Type a line at once, and be done with it."""
        text = self._rng.choice(LINES_TYPED)
        for character in text:
            self.key(character, character)
        self.key(self._rng.choice(["enter", "tab", "down", "escape", "ctrl+s"]))
        return f"typed {text!r}"

    async def _do_gutter(self) -> str:
        """Click on the signs beside a line of the source."""
        screen = self.app.run_screen
        if screen is None or self.app.screen is not screen:
            return "no gutter"
        screen.show("source")
        await self.settle()
        pane = screen.panes["source"]
        if not isinstance(pane, SourceView) or not pane.size.height or not pane.is_attached:
            return "no source"
        x, y = pane.content_region.offset
        at = (x + self._rng.randrange(6), y + self._rng.randrange(max(1, pane.size.height)))
        if at[0] < self.app.size.width and at[1] < self.app.size.height:
            await self._pilot.click(offset=at)
        return f"gutter {at}"

    async def _do_time(self) -> str:
        """Look at any moment, or play."""
        screen, seq = self.app.run_screen, self._rng.randrange(len(self.source.run.events) + 3)
        if screen is not None and self.app.screen is screen:
            said = screen.go_to_moment(str(seq))
            if self._rng.random() < 0.2:
                screen.action_play()
            return f"to {seq} {said}"
        return "no time"

    async def _do_report(self) -> str:
        """Something happens that nobody asked for."""
        rng, run = self._rng, self.source.run
        agent = f"n_{rng.randrange(1, 41)}"
        made: list[st.Stimulus] = [
            st.AgentLossReport(agent, "gone [/]"),
            st.AgentSilentReport(agent, "[bold]"),
            st.SetVariableRequest("level", rng.randrange(4)),
            st.BackRequest("measure"),
            st.RerunAllRequest("failed", go=True),
            st.PauseRequest(),
            st.GoRequest(),
            st.SkipRequest(InstanceId("measure", "probe", agent)),
        ]
        chosen = rng.choice(made)
        run.ask(chosen)
        self.source._came.set()
        return repr(chosen)[:80]
