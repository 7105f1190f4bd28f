"""Help: every key by group, and the signs, made from the same tables as the keys and the panes themselves."""

from __future__ import annotations

from collections.abc import Hashable
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from octogram_tui.tui.format import LOOKS
from octogram_tui.tui.keymap import ACTIONS, key_names
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView

KEY_CELLS = 12


class HelpText(LineView):
    """The lines of the help."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="help-text")
        self._lines: list[list[Piece]] = []

    def _lay_out(self, width: int) -> None:
        lines: list[list[Piece]] = []
        group = ""
        for action in ACTIONS:
            if action.group != group:
                group = action.group
                lines += [[], [(group, "accent")]] if lines else [[(group, "accent")]]
            keys = " ".join(key_names(action)) or "palette"
            for number, part in enumerate(wrap(action.says, max(20, width - KEY_CELLS - 1))):
                lines.append([(fit("" if number else keys, KEY_CELLS), "key"), (part, "")])
        lines += [[], [("Signs", "accent")]]
        lines += [[(f" {self.brush.sign(look)}  ", look.style), (look.word, "")] for look in LOOKS.values()]
        self._lines = lines

    def on_resize(self) -> None:
        """Lay it out for the width."""
        self._lay_out(self.size.width)
        self.notify_style_update()
        self.sync()

    def count(self) -> int:
        """Say how many lines there are."""
        return len(self._lines)

    def line_key(self, index: int) -> Hashable:
        """A line never changes."""
        return index

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line."""
        return self._lines[index]


class HelpScreen(ModalScreen[None]):
    """Closes on escape, q or the key that opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "dismiss", show=False)]

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__()
        self.model = model
        self.brush = brush

    def compose(self) -> ComposeResult:
        """One pane of lines."""
        with Vertical(classes="dialog", id="help"):
            yield HelpText(self.model, self.brush)
