"""An app in which what is typed is done in the order in which it is typed, whatever opens and closes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from textual.app import App, ReturnType
from textual.await_complete import AwaitComplete
from textual.events import Event, Key, MouseDown, MouseEvent, Paste
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets._toast import ToastRack

from octogram_tui.tui.hearing import Hearing, OfHand
from octogram_tui.tui.typed_first import TypedFirst, is_of_hand
from octogram_tui.tui.typed_text import one_line

Taken = TypeVar("Taken")
FIRST_S = 3.0
"""So long what is typed at the very start waits at most for what the first screen shows."""
LONGEST_S = 10.0
"""So long what is typed waits at most for what opens, or is answered; then it has come to nothing."""
LEAVES_S = 1.0
"""So long what leaves waits at most."""
LEAVE = ("ctrl+q", "ctrl+c")


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

    async def first_look(self) -> None:
        """Wait for what is shown first: what was typed by then is meant for that."""

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
    at, and what comes while a dialog opens waits. What the mouse does waits its turn too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opening: object | None = None  # what cannot take keys yet
        self._early: list[OfHand] = []  # what was typed meanwhile
        self._hearing = Hearing(self)
        self.typed = TypedFirst()

    @property
    def is_terminal_behind(self) -> bool:
        """Whether what was drawn is still to be taken by whoever shows it."""
        return False

    @property
    def follows(self) -> bool:
        """Whether another app was shown before: what was typed by then was not meant for this one."""
        return False

    def on_mount(self) -> None:
        """Let what is typed already wait for the first screen."""
        self._opens(object(), self._shown_first())

    async def _shown_first(self) -> None:
        screen: Any = self.screen
        await screen._mounted_event.wait()
        if self.follows:
            self._early.clear()
        if isinstance(screen, ScreenManners):
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await screen.first_look()

    def open_dialog(self, dialog: Screen[Taken], take: Callable[[Taken | None], None] | None = None) -> None:
        """Open a dialog, which is given what is typed from now on, also before it is there."""
        if isinstance(dialog, Dialog):
            dialog.take = take
            take = None
        self._opens(dialog, self.push_screen(dialog, take))

    def open_line(self, line: Widget) -> None:
        """Put a line to type into on the screen, which is given what is typed from now on."""
        mounted = self.screen.mount(line)

        async def opened() -> None:
            await mounted
            line.screen.set_focus(line)

        self._opens(line, opened())

    def in_turn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do what takes a moment: what is typed meanwhile comes after it, for what it opens if it opens something."""
        self._opens(object(), work)

    def _opens(self, opened: object, work: Awaitable[object]) -> None:
        """Let what is typed wait for some work, but not for good: it may never be done."""
        self._opening = opened
        patience = asyncio.get_running_loop().call_later(LONGEST_S, self._give_up, opened)

        async def do() -> None:
            try:
                await work
            finally:
                patience.cancel()
                await self._hand_over(opened)

        self.run_worker(do(), group="dialogs")

    def _give_up(self, opened: object) -> None:
        """Wait no longer: what was typed was meant for what did not come, and is done for nothing else."""
        if self._opening is opened:
            self._opening = None
            if self._early:
                self._early.clear()
                self.notify("no answer came: what was typed meanwhile is left out", severity="warning", markup=False)

    def _go_past(self, event: Key, opened: object | None, place: int) -> None:
        """Do what leaves, when what it waits behind has not gone on at all."""
        if event not in self._early:
            return
        at = self._early.index(event)
        if self._opening is opened and at == place:
            del self._early[:at]
            self.in_turn(_nothing())
        else:
            self._leave_in_time(event)

    def _leave_in_time(self, event: Key) -> None:
        at = self._early.index(event)
        asyncio.get_running_loop().call_later(LEAVES_S, self._go_past, event, self._opening, at)

    async def _hand_over(self, opened: object) -> None:
        """Do what was typed before there was something to type into; what comes meanwhile waits behind it."""
        while self._early and self._opening is opened:
            await self._hearing.all_told(is_beside=True, asks_place=isinstance(self._early[0], MouseDown))
            if not self._early or self._opening is not opened or self._exit:
                break
            event = self._early.pop(0)
            try:
                await self._deliver(event)
            except Exception as error:  # of one key: those behind it have their turn
                self.key_failed(event, error)
        if self._opening is opened:
            self._opening = None

    def key_failed(self, event: OfHand, error: Exception) -> None:
        """Take note of a fault in what was done for a key."""
        self._handle_exception(error)

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
        if not isinstance(event, OfHand) or event.is_forwarded:
            await super().on_event(event)
        elif not self._exit:  # else it is for nobody: what was chosen is not chosen again
            is_first = not isinstance(event, MouseEvent) or isinstance(event, MouseDown)  # the rest goes with that
            if is_first and not self._is_opening():
                await self._hearing.all_told(asks_place=isinstance(event, MouseDown))
                if not self._is_opening() and self._hearing.has_news():
                    self.in_turn(_nothing())  # they are told to the app itself, behind this one
            if not self._is_opening():
                await self._deliver(event)
                return
            self._early.append(event)
            if isinstance(event, Key) and event.key in LEAVE:
                self._leave_in_time(event)

    def _is_opening(self) -> bool:
        return self._opening is not None

    async def _deliver(self, event: OfHand) -> None:
        if isinstance(event, MouseEvent):
            await super().on_event(event)
            return
        if isinstance(event, Key) and not self.app_focus:
            self.app_focus = True  # who types looks at it, whatever the terminal says: what had the keys has them again
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


async def _nothing() -> None:
    """Take a turn."""
