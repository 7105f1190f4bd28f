"""An app that outlives its own faults: an exception is one line and a redraw, and never the end of the console.

The library ends an app at the first exception, in whatever it was raised, and the one widget whose handler raised stops
listening for good. Here a handler that raised has just not done what it should, and a widget that cannot be drawn says
so in its own place, until it is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from weakref import WeakKeyDictionary

from rich.segment import Segment
from rich.style import Style
from textual._context import active_app
from textual.app import App, ReturnType
from textual.events import Key, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack
from textual.worker import WorkerFailed

from octogram_tui.projection.text import safe
from octogram_tui.tui.faults import Faults, said
from octogram_tui.tui.key_order import KeyOrderApp

TRY_AGAIN_S = (2.0, 10.0, 60.0)
"""After so long a widget that could not be drawn is drawn again: the first time, the second, and from then on."""

LAST_KEY = "ctrl+q"
"""This one leaves also when what should make of it that somebody leaves has failed."""

_DRAWS = ("render_lines", "render_line", "row_texts")
_MEASURES = ("get_content_width", "get_content_height")


class GuardedApp(KeyOrderApp[ReturnType]):
    """Keeps going. `faults` has what went wrong; `is_strict` (for tests) lets everything through."""

    is_strict = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.faults = Faults()
        self._undrawn: WeakKeyDictionary[Widget, int] = WeakKeyDictionary()  # how often each could not be drawn
        self._covered: WeakKeyDictionary[Widget, str] = WeakKeyDictionary()

    def write_faults_to(self, *folders: Path) -> None:
        """Name the directories where tracebacks may go, the best first."""
        self.faults.folders = folders

    def caught(self, error: BaseException, pump: object = None, *, is_drawing: bool = False) -> None:
        """Take note of a fault, tell of it, and cover what cannot be drawn."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if _is_of_a_layout_cut_short(error.__traceback__):
            self.faults.add(error, "layout")
            self._lay_out_again()
            return
        undrawn = _undrawn_by(error.__traceback__)
        if undrawn is None and is_drawing and isinstance(pump, Widget):
            undrawn = pump
        owners = _owners(error.__traceback__)
        if owners and (pump is None or pump is self):
            pump = owners[-1]
        line = self.faults.add(error, _name(undrawn or pump))
        if undrawn is not None:
            self._cover(undrawn, said(error))
        else:
            self._close_dialog_of([*owners, pump])
        if line and not isinstance(undrawn or pump, (Toast, ToastRack)):  # a notice about notices would never end
            self.notify(safe(line, limit=300), severity="error", markup=False)

    def go_at_once(self) -> None:
        """Leave by the library's own way, whatever ours is worth: nobody is to be locked in."""
        App.exit(self)

    @contextmanager
    def guarding(self, pump: object) -> Iterator[None]:
        """Keep a fault of one thing from those that come after it."""
        try:
            yield
        except Exception as error:
            if self.is_strict:
                raise
            self.caught(error, pump)

    def bring_up_to_date(self, widget: Widget) -> None:
        """Call a widget's `sync`; one that fails is covered, and left alone until it is tried again."""
        if widget in self._covered:
            return
        try:
            cast("Any", widget).sync()
        except Exception as error:
            if self.is_strict:
                raise
            self.caught(error, widget, is_drawing=True)

    def _close_dialog_of(self, owners: Sequence[object]) -> None:
        """Close a dialog that failed: it may be without its way out, and whoever is in it could not even leave."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(screen, ModalScreen) and any(
            isinstance(owner, Widget) and screen in owner.ancestors_with_self for owner in owners
        ):
            self.call_later(self._close, screen)

    def _close(self, screen: Screen[Any]) -> None:
        if len(self.screen_stack) > 1 and self.screen_stack[-1] is screen:
            self.pop_screen()

    # Covering what cannot be drawn

    def _cover(self, widget: Widget, what: str) -> None:
        if widget in self._covered:
            return
        text = f"{_name(widget)} cannot be drawn: {what}"
        self._covered[widget] = text
        tries = self._undrawn.get(widget, 0)
        self._undrawn[widget] = tries + 1

        def render_lines(crop: Region) -> list[Strip]:
            return _cover_lines(text, crop)

        # On the one object: its class, and others of it, draw as ever.
        cover = cast("Any", widget)
        cover.render_lines = render_lines
        cover.get_content_width = lambda container, viewport: container.width
        cover.get_content_height = lambda container, viewport, width: 1
        self.set_timer(TRY_AGAIN_S[min(tries, len(TRY_AGAIN_S) - 1)], lambda: self._uncover(widget))
        self._lay_out_again()  # what was to be drawn in this frame is lost with it

    def _lay_out_again(self) -> None:
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def _uncover(self, widget: Widget) -> None:
        if self._covered.pop(widget, None) is None:
            return
        for name in ("render_lines", *_MEASURES):
            widget.__dict__.pop(name, None)
        widget.refresh(layout=True)

    def key_failed(self, event: object, error: Exception) -> None:
        """Take note of a fault in what was done for a key that had waited; the last of all leaves whatever fails."""
        self._handle_exception(error)
        if isinstance(event, Key) and event.key == LAST_KEY and not self.is_strict:
            self.go_at_once()

    # What the library does with exceptions

    def _handle_exception(self, error: Exception) -> None:
        """From timers, workers, callbacks, layout and drawing; before the app runs there is nothing to go on with."""
        if self.is_strict or not self.is_running:
            super()._handle_exception(error)
        else:
            self.caught(error)

    def _fatal_error(self) -> None:
        """End without pages of locals: who called us says it in a line."""
        if self.is_strict:
            super()._fatal_error()
            return
        error = self._exception
        if error is not None:
            self.faults.add(error, "console")
        self._close_messages_no_wait()


_dispatch = MessagePump._dispatch_message


async def _dispatch_guarded(self: MessagePump, message: Message) -> None:
    """Hand a message to a widget, which goes on listening when its handler raises.

    A screen that is laid out for a size tells itself that size: of two that it is told at once, each would bring the
    other back, for ever. So it hears only of the size that the terminal has now.
    """
    if isinstance(message, Resize) and isinstance(self, Screen) and message.size != self.app.size:
        return
    try:
        await _dispatch(self, message)
    except Exception as error:
        app = active_app.get(None)
        if not isinstance(app, GuardedApp) or app.is_strict:
            raise
        app.caught(error, self)
        if isinstance(message, Key) and message.key == LAST_KEY:
            app.go_at_once()


# The one place through which every handler of every widget is called, also of the library's own.
MessagePump._dispatch_message = _dispatch_guarded  # type: ignore[method-assign]


def _name(pump: object) -> str:
    """Name a widget as people know it."""
    if isinstance(pump, MessagePump):
        name = getattr(pump, "id", None) or type(pump).__name__
        return str(name).lstrip("-")
    return str(pump) if pump else "console"


def _owners(trace: TracebackType | None) -> list[Widget]:
    """List the widgets whose methods were at work, the innermost last."""
    found = []
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        if isinstance(owner, Widget):
            found.append(owner)
        trace = trace.tb_next
    return found


def _is_of_a_layout_cut_short(trace: TracebackType | None) -> bool:
    """Tell whether the places of the widgets are wrong, and none of them is to blame.

    What raises while a screen is laid out for a new size, leaves it with the places of the old one: the next frame may
    then be drawn beyond the edge, by the library itself.
    """
    file = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
    return file.endswith("_compositor.py")


def _undrawn_by(trace: TracebackType | None) -> Widget | None:
    """Find the widget that could not be drawn or measured, when that is what failed."""
    found = None
    caller = ""
    while trace is not None:
        frame = trace.tb_frame
        owner = frame.f_locals.get("self")
        code = frame.f_code
        is_drawn = code.co_name in _DRAWS and caller.endswith("_compositor.py")
        if isinstance(owner, Widget) and (is_drawn or code.co_name in _MEASURES):
            found = owner
        caller = code.co_filename
        trace = trace.tb_next
    return found


def _cover_lines(text: str, crop: Region) -> list[Strip]:
    """Say in a pane's place that it is not there: the text's lines on the terminal's own ground, reversed."""
    size = Size(crop.right, crop.bottom)
    lines = []
    for y in range(crop.y, crop.bottom):
        segment = Segment(f" {text}" if y == 0 else "", Style(reverse=y == 0))
        lines.append(Strip([segment]).adjust_cell_length(size.width).crop(crop.x, crop.right))
    return lines
