"""The list of breakpoints: what each is for, how often it was met, on and off, away, its row, new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Click, Key, Paste

from octogram_tui.engine.stimuli import RemoveBreakRequest, SwitchBreakRequest
from octogram_tui.projection.breakpoints import Listed
from octogram_tui.tui.format import break_look
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import DialogText
from octogram_tui.tui.widgets.brush import Piece, cells_of, fit, wrapped

if TYPE_CHECKING:
    from octogram_tui.tui.screens.break_verbs import BreakVerbs

MOST_CELLS = 100
AROUND = 6
"""Cells that frame and scroll bar take."""
OTHER_ROWS = 6
"""What stands around the list besides the keys: the heading, what is told of the chosen one, and blanks."""
FRAME_ROWS = 2
LEAST_ROWS = 7
"""Below so many, with the keys, nothing is told but the list."""
KEYS = (
    ("enter", "edit"),
    ("spc", "on, off"),
    ("d", "remove"),
    ("g", "to its row"),
    ("n", "new"),
    ("D", "remove all"),
    ("esc", "close"),
)
LOOKING = ("g", "esc")
ENDS_RUN = "while it is off, a failure ends the run, as without a console"


class BreakpointText(DialogText):
    """The lines; a click chooses one, on its sign it switches it."""

    def on_click(self, event: Click) -> None:
        """Tell the screen."""
        screen = self.screen
        if isinstance(screen, BreakpointScreen):
            event.stop()
            screen.clicked(event.y, event.x)


class BreakpointScreen(Dialog[None]):
    """Stays open until escape. What is done asks the run, and the list shows what came of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.interrupt", show=False)]

    def __init__(self, verbs: BreakVerbs) -> None:
        super().__init__()
        self.verbs = verbs
        self.brush = verbs.app.brush
        self.number = 0  # of the breakpoint under the cursor
        self._newest: int | None = None  # the highest number, as it was shown last
        self._top = 0
        self._first = 2  # the line on which the list begins
        self.text = BreakpointText(self.brush, [])

    def compose(self) -> ComposeResult:
        """A frame around the lines."""
        with Vertical(classes="dialog", id="breaks"):
            yield self.text

    def on_mount(self) -> None:
        """Show them."""
        self.sync()

    def on_resize(self) -> None:
        """Fit it anew."""
        self.sync()

    @property
    def listed(self) -> list[Listed]:
        """All that there are now."""
        return self.verbs.model.board.stops.breakpoints.listed

    @property
    def chosen(self) -> Listed | None:
        """The one under the cursor; the next one after what is gone."""
        found = self.listed
        return next((each for each in found if each.number >= self.number), found[-1] if found else None)

    def sync(self) -> None:
        """Show how they are now."""
        if not self.is_mounted or self.is_closed:
            return
        room = max(20, min(MOST_CELLS, self.app.size.width * 92 // 100 - AROUND))
        lines: list[list[Piece]] = [[("Breakpoints", "strong"), (self._holds(), "dim")], []]
        listed = self.listed
        newest = listed[-1].number if listed else 0
        if self._newest is not None and newest > self._newest:
            self.number = newest  # it was set just now
        self._newest = newest
        chosen = self.chosen
        keys = self._keys(room)
        within = max(3, self.app.size.height * 9 // 10 - FRAME_ROWS)
        is_low = within < LEAST_ROWS + len(keys)  # the list and the keys come first
        keys = keys[: max(1, within - 2)]
        rows = max(1, min(len(listed), within - len(keys) - (1 if is_low else OTHER_ROWS)))
        if is_low:
            del lines[1:]
        self._first = len(lines)
        at = listed.index(chosen) if chosen is not None else 0
        self._top = max(0, min(max(at - rows + 1, min(self._top, at)), len(listed) - rows))
        lines += [self._line(each, room, is_here=each is chosen) for each in listed[self._top : self._top + rows]]
        if chosen is None:
            lines += [[("there is none: `n` sets one, or `b` at a row", "dim")]]
        told = self._told(chosen, room) if chosen is not None else []
        lines += keys if is_low else [[], *[*told, [], []][:2], [], *keys]
        self.text.show(lines)

    def _holds(self) -> str:
        mode = self.verbs.model.board.stops.mode
        way = self.brush.way("hold mode")
        what = "what they meet alone" if mode == "alone" else "everything"
        return f"  they hold {what}   ({way} changes that)"

    def _line(self, listed: Listed, room: int, *, is_here: bool) -> list[Piece]:
        look = break_look(listed)
        count = f"  {listed.count}x" if listed.count else ""
        mark = self.brush.pick("›", ">") if is_here else " "
        head: list[Piece] = [(f"{mark} ", "key"), (f"{self.brush.sign(look)} ", look.style)]
        style = "faint" if not listed.breakpoint.is_on else "accent" if is_here else ""
        words = self.brush.text(f"{listed.number:>2}  {listed.words}")
        left = room - cells_of(head) - len(count)
        return [*head, (fit(words, left), style), (count, "dim")]

    def _told(self, listed: Listed, room: int) -> list[list[Piece]]:
        words = f"{break_look(listed).word}: {listed.standing}"
        if listed.last is not None and listed.last.message:
            words += f": {listed.last.message}"
        if listed.by not in ("operator", ""):
            words += f"  (set by {listed.by})"
        if listed.by == "run" and not listed.breakpoint.is_on:
            words = f"off: {ENDS_RUN}"
        return [[("  " + part, "dim")] for part in wrapped(self.brush.text(words), room - 2)]

    def _keys(self, room: int) -> list[list[Piece]]:
        is_idle = bool(self.verbs.app.why_not())
        lines: list[list[Piece]] = [[]]
        for key, word in KEYS:
            if is_idle and key not in LOOKING:
                continue
            pieces: list[Piece] = [(key, "key"), (f" {word}   ", "dim")]
            if cells_of(lines[-1]) + cells_of(pieces) > room:
                lines.append([])
            lines[-1] += pieces
        return lines

    def clicked(self, y: int, x: int) -> None:
        """Choose the breakpoint of a line; on its sign, switch it."""
        at = y - self._first + self._top
        if 0 <= at < len(self.listed) and y >= self._first:
            self.number = self.listed[at].number
            if x < 4:
                self._switch()
            self.sync()

    async def take_input(self, event: Key | Paste) -> bool:
        """Do what a key says."""
        if isinstance(event, Paste):
            return True
        chosen = self.chosen
        match event.key:
            case "escape" | "q":
                self.dismiss(None)
            case "down" | "j" | "up" | "k":
                self._move(1 if event.key in ("down", "j") else -1)
            case "home" | "pageup":
                self._move(-len(self.listed))
            case "end" | "pagedown":
                self._move(len(self.listed))
            case "n":
                self.verbs.action_new_breakpoint()
            case "M":
                self.verbs.action_toggle_hold_mode()
            case "D" if chosen is not None:
                self.verbs.action_clear_breakpoints()
            case "enter" | "e" if chosen is not None:
                self.verbs.edit_breakpoint(chosen)
            case "space" if chosen is not None:
                self._switch()
            case "d" | "delete" if chosen is not None:
                self.verbs.app.ask(RemoveBreakRequest(chosen.number))
            case "g" if chosen is not None:
                self.dismiss(None)
                self.verbs.go_to_breakpoint(chosen)
            case _:
                return False
        return True

    def _switch(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.verbs.app.ask(SwitchBreakRequest(chosen.number, not chosen.breakpoint.is_on))

    def _move(self, by: int) -> None:
        listed, chosen = self.listed, self.chosen
        if chosen is not None:
            at = max(0, min(listed.index(chosen) + by, len(listed) - 1))
            self.number = listed[at].number
            self.sync()
