"""An app in which what is typed is done in the order in which it is typed, whatever opens and closes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from textual.app import App, ReturnType
from textual.await_complete import AwaitComplete
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import AwaitMount, Widget
from textual.widgets._toast import ToastRack

from octogram_tui.tui.typed_first import TypedFirst, is_of_hand
from octogram_tui.tui.typed_text import one_line

Taken = TypeVar("Taken")
TURNS = 50
"""So many turns of the loop what a key leads to is given, before the clock is looked at: most of it takes three."""
MOST_S = 0.25
"""So long a key waits at most for what the one before led to."""


@runtime_checkable
class TakesInput(Protocol):
    """A line or a dialog that does at once what is typed."""

    async def take_input(self, event: Key | Paste) -> bool:
        """Do what a key or a pasted text asks for; False when it means nothing here."""
        ...


class ScreenManners:
    """What all screens have in common. No widget: of several bases the library takes styles and keys from the first.

    Notices are shown only by what is on top: below a dialog they would be seen twice. While the terminal has not taken
    what was drawn, as at the end of a slow line, nothing more is: what comes next would only be seen later.
    """

    _is_drawn_late = False

    def on_screen_suspend(self) -> None:
        """Leave notices to what is on top."""
        self._show_notices(False)

    def on_screen_resume(self) -> None:
        """Show them again."""
        self._show_notices(True)

    def _show_notices(self, are_seen: bool) -> None:
        for rack in cast("Widget", self).query(ToastRack):
            rack.visible = are_seen

    def _compositor_refresh(self) -> None:
        screen = cast("Screen[Any]", self)
        app = cast("KeyOrderApp[Any]", screen.app)
        self._is_drawn_late = app.is_terminal_behind and screen is app.screen
        if self._is_drawn_late:
            screen._update_timer.resume()
        else:
            super()._compositor_refresh()  # type: ignore[misc]

    def _on_timer_update(self) -> None:
        super()._on_timer_update()  # type: ignore[misc]
        if self._is_drawn_late:
            self._compositor_refresh()


class Dialog(ScreenManners, ModalScreen[Taken]):
    """A dialog that is closed once, and whose answer is taken at once: what is typed next comes after what it asks."""

    take: Callable[[Taken | None], None] | None = None
    is_closed = False

    def sync(self) -> None:
        """Take in what the run did meanwhile."""

    def dismiss(self, result: Taken | None = None) -> AwaitComplete:
        """Close it with an answer."""
        if self.is_closed:
            return AwaitComplete()
        self.is_closed = True
        closed = super().dismiss(result)
        if self.take is not None:
            self.take(result)
        return closed


class KeyOrderApp(App[ReturnType]):
    """An App in which no key overtakes another, and none is lost while a dialog opens.

    The library hands a key to what has the focus when it comes, which does it when its own turn comes. In a burst that
    is too late: what the key before opens or leads to is not there yet, and what was meant as text is taken for
    commands, or gets lost. Here each is done, with all that widgets tell each other about it, before the next is looked
    at, and what comes while a dialog opens waits.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opening: object | None = None  # what cannot take keys yet
        self._early: list[Key | Paste] = []  # what was typed meanwhile
        self.typed = TypedFirst()

    @property
    def is_terminal_behind(self) -> bool:
        """Whether what was drawn is still to be taken by whoever shows it."""
        return False

    def open_dialog(self, dialog: Screen[Taken], take: Callable[[Taken | None], None] | None = None) -> None:
        """Open a dialog, which is given what is typed from now on, also before it is there."""
        self._opening = dialog
        if isinstance(dialog, Dialog):
            dialog.take = take
            take = None
        opened = self.push_screen(dialog, take)

        async def hand_over() -> None:
            try:
                await opened
            finally:
                await self._hand_over(dialog)

        self.run_worker(hand_over(), group="dialogs")

    def open_line(self, line: Widget) -> None:
        """Put a line to type into on the screen, which is given what is typed from now on."""
        self._opening = line
        opened: AwaitMount = self.screen.mount(line)

        async def hand_over() -> None:
            try:
                await opened
                line.screen.set_focus(line)
            finally:
                await self._hand_over(line)

        self.run_worker(hand_over(), group="dialogs")

    def in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what takes a moment: what is typed meanwhile comes after it, for what it opens if it opens something."""
        self._opening = token = object()

        async def do() -> None:
            try:
                await work
            finally:
                await self._hand_over(token)

        self.run_worker(do(), group="dialogs")

    async def _hand_over(self, opened: object) -> None:
        """Do what was typed before there was something to type into; what comes meanwhile waits behind it."""
        while self._early and self._opening is opened:
            await self._all_told()
            if not self._early or self._opening is not opened:
                break
            try:
                await self._deliver(self._early.pop(0))
            except Exception as error:  # of one key: those behind it have their turn
                self._handle_exception(error)
        if self._opening is opened:
            self._opening = None

    def post_message(self, message: Message) -> bool:
        """Take in what comes, and note what of it was typed."""
        self.typed.came(message)
        return super().post_message(message)

    def post_display_hook(self) -> None:
        """Something was drawn."""
        super().post_display_hook()
        self.typed.shown()

    async def on_event(self, event: Event) -> None:
        """Do what is typed, or keep it for what opens."""
        is_typed = is_of_hand(event)  # asked before it is handed on, for then it is marked as it would be by a child
        try:
            await self._do_or_keep(event)
        finally:
            if is_typed:
                self.typed.done()

    async def _do_or_keep(self, event: Event) -> None:
        if not isinstance(event, (Key, Paste)) or event.is_forwarded:
            await super().on_event(event)
        else:
            if not self._is_opening():
                await self._all_told()
            if self._is_opening():
                self._early.append(event)
            else:
                await self._deliver(event)

    def _is_opening(self) -> bool:
        return self._opening is not None

    async def _all_told(self) -> None:
        """Let the widgets hear what the key before led to, and those be gone that are on their way."""
        loop = asyncio.get_running_loop()
        turns, end_s = 0, loop.time() + MOST_S
        while any(node._message_queue.qsize() > 0 or node._pruning for node in self._registry):
            if turns >= TURNS and loop.time() >= end_s:
                return
            await asyncio.sleep(0 if turns < TURNS else 0.002)
            turns += 1

    async def _deliver(self, event: Key | Paste) -> None:
        takers: tuple[object, object] = (self.screen, self.focused)
        for taker in takers:
            if isinstance(taker, TakesInput) and await taker.take_input(event):
                return
        if isinstance(event, Paste):  # the library's own fields send what is in them to the terminal as it is
            event.text = one_line(event.text)
        elif await self._check_bindings(event.key, priority=True):
            return
        elif not event.is_printable or self.focused is None or isinstance(self.focused, TakesInput):
            # Here and now: by way of the widgets it would come back behind what is typed next, to what is there then.
            await self._check_bindings(event.key)
            return
        await super().on_event(event)
