"""Help: the keys of now, those of the pane that had them first; what to do when something fails; and the signs."""

from __future__ import annotations

from collections.abc import Hashable, ItemsView
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.tui.format import AGENT_LOOKS, AT_BREAKPOINT, BREAK_LOOKS, LOOKS, Look
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.keymap import ACTIONS, Action
from octogram_tui.tui.model import Model
from octogram_tui.tui.views import BY_NAME
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.typed_line import TypedLine

KEY_CELLS = 13
SIGN_CELLS = 19
FAILED = (
    "The line at the top says what failed, and why; {first failure} goes from one to the next, {open} shows all of it.",
    "{edit} sets a variable, where the failure is about one, else the row's arguments: type and enter. {edit scenario} "
    "opens the file, which is read again once it is saved.",
    "{rerun failed} runs again all that failed, and nothing else, and goes on; of several it asks. {rerun} runs the "
    "row again, {rerun menu} offers more, {skip} goes on without it.",
    "{pause or go} lets the run go on; what ran with what was changed since is marked ~, stale.",
)


class HelpText(LineView):
    """The lines of the help; `wanted` narrows them to what has a text."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush, pane: str) -> None:
        super().__init__(model, brush, id="help-text")
        self._pane = pane
        self._wanted = ""
        self._lines: list[list[Piece]] = []

    def narrow(self, wanted: str) -> None:
        """Show only what has a text in it, headings apart."""
        self._wanted = wanted.lower()
        self.on_resize()
        self.scroll_line(0)

    def _lay_out(self, width: int) -> None:
        lines: list[list[Piece]] = []
        for title, part in (
            (self._title(), self._of_keys(self._here(), width)),
            ("When something fails", self._of_failing(width)),
            ("The run", self._of_keys(_group("Run"), width)),
            ("Stepping and breakpoints", self._of_keys(_group("Debug"), width)),
            ("Doing again", self._of_keys(_group("Again"), width)),
            ("Looking", self._of_keys(_group("Look"), width)),
            ("Variables and arguments", self._of_keys(_group("Data"), width)),
            ("Time", self._of_keys(_group("Time"), width)),
            ("The file", self._of_keys(_group("File"), width)),
            ("The session", self._of_keys(_group("Session"), width)),
            *((_pane_title(where), self._of_keys(actions, width)) for where, actions in self._others()),
            ("Signs of jobs", self._of_signs(list(LOOKS.values()), width)),
            ("Signs of breakpoints", self._of_signs([AT_BREAKPOINT, *BREAK_LOOKS], width)),
            ("Signs of agents", self._of_signs(list(AGENT_LOOKS.values()), width)),
        ):
            found = [entry for entry in part if self._wanted in _text(entry).lower()]
            if found:
                lines += [[]] if lines else []
                lines += [[(title, "accent")], *(line for entry in found for line in entry)]
        self._lines = lines or [[("nothing here has that in it", "dim")]]

    def _title(self) -> str:
        return f"{_pane_title(self._pane)}, where you are" if self._pane else "Moving"

    def _here(self) -> list[Action]:
        """Give what the pane alone can do, and then what can be done in each."""
        own = [action for action in ACTIONS if action.where and action.where == self._pane]
        return own + [action for action in ACTIONS if action.where == "list"]

    def _others(self) -> ItemsView[str, list[Action]]:
        found: dict[str, list[Action]] = {}
        for action in ACTIONS:
            if action.where not in ("", "list", self._pane):
                found.setdefault(action.where, []).append(action)
        return found.items()

    def _of_keys(self, actions: list[Action], width: int) -> list[list[list[Piece]]]:
        """Give an entry for each action: its keys, and what it does, over as many lines as that takes."""
        entries = []
        for action in actions:
            keys = " ".join(self.brush.keys.here(action.name, self._pane))
            entry: list[list[Piece]] = []
            if not keys:
                keys = f"{self.brush.key('palette')} {action.name}".strip()  # by name, in the palette
            if len(keys) >= KEY_CELLS:
                entry.append([(keys, "key")])
                keys = ""
            for number, part in enumerate(wrap(action.says, max(20, width - KEY_CELLS - 1))):
                entry.append([(fit("" if number else keys, KEY_CELLS), "key"), (part, "")])
            entries.append(entry)
        return entries

    def _of_failing(self, width: int) -> list[list[list[Piece]]]:
        names = {action.name: self.brush.key(action.name) or "the palette" for action in ACTIONS}
        entries = []
        for number, text in enumerate(FAILED, 1):
            parts = wrap(text.format_map(names), max(20, width - 4))
            entries.append(
                [[(f"{number}  " if not row else "   ", "key"), (part, "")] for row, part in enumerate(parts)]
            )
        return entries

    def _of_signs(self, looks: list[Look], width: int) -> list[list[list[Piece]]]:
        """Lay sign and word side by side, each in its colour."""
        per_line = max(1, width // SIGN_CELLS)
        return [
            [
                [
                    piece
                    for look in looks[at : at + per_line]
                    for piece in ((f" {self.brush.sign(look)} ", look.style), (fit(look.word, SIGN_CELLS - 3), ""))
                ]
            ]
            for at in range(0, len(looks), per_line)
        ]

    def on_resize(self) -> None:
        """Lay it out for the width."""
        self._lay_out(self.size.width)
        self.notify_style_update()
        self.sync()
        self.refresh()

    def count(self) -> int:
        """Say how many lines there are."""
        return len(self._lines)

    def line_key(self, index: int) -> Hashable:
        """A line is what it says."""
        return (index, self._wanted)

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line."""
        return self._lines[index]


def _text(entry: list[list[Piece]]) -> str:
    return " ".join(text for line in entry for text, _ in line)


def _group(name: str) -> list[Action]:
    return [action for action in ACTIONS if action.group == name and not action.where]


def _pane_title(where: str) -> str:
    return BY_NAME[where].title if where in BY_NAME else where.capitalize()


class HelpScreen(Dialog[None]):
    """Closes on escape, q or the key that opened it; `/` narrows it to what has a text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("q", "dismiss", show=False),
        Binding("slash", "find", show=False),
        Binding("ctrl+c", "app.interrupt", show=False),
    ]

    def __init__(self, model: Model, brush: Brush, pane: str = "") -> None:
        super().__init__()
        self.brush = brush
        self.text = HelpText(model, brush, pane)
        self.line = TypedLine(placeholder="find in the help", id="help-find")

    def compose(self) -> ComposeResult:
        """The lines, and one to type into."""
        with Vertical(classes="dialog", id="help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "/ find   esc close"
            yield self.text
            yield self.line

    def on_mount(self) -> None:
        """Nothing is looked for yet."""
        self.line.display = False
        self.set_focus(self.text)

    async def take_input(self, event: Key | Paste) -> bool:
        """Close on the keys that open it, and go back from what is looked for to the lines."""
        key = event.key if isinstance(event, Key) else ""
        if self.focused is not self.line and key in self.brush.keys.of("help"):
            self.dismiss()
        elif self.focused is self.line and key == "enter":
            self.set_focus(self.text)
        else:
            return False
        return True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow it while one types."""
        event.stop()
        self.text.narrow(event.value)

    def action_find(self) -> None:
        """Ask what to look for."""
        self.line.display = True
        self.set_focus(self.line)

    def action_close(self) -> None:
        """Show all of it again, or close."""
        if self.line.display:
            self.line.value = ""
            self.line.display = False
            self.set_focus(self.text)
        else:
            self.dismiss()
