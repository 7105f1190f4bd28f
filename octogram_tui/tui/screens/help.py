"""Help: every key by group, and the signs, made from the same tables as the keys and the panes themselves."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from octogram_tui.tui.commands import VERBS, key_names
from octogram_tui.tui.format import LOOKS
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView

KEY_CELLS = 14
NAME_CELLS = 16


class HelpText(LineView):
    """The lines of the help."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="help-text")
        self._lines: list[list[Piece]] = []
        group = ""
        for verb in VERBS:
            if verb.group != group:
                group = verb.group
                self._lines += [[], [(f" {group}", "accent")]]
            keys = " ".join(key_names(verb)) or "palette"
            self._lines.append(
                [(" " + fit(keys, KEY_CELLS), "key"), (fit(verb.name, NAME_CELLS), ""), (f" {verb.help}", "dim")]
            )
        self._lines += [[], [(" Signs", "accent")]]
        for look in LOOKS.values():
            self._lines.append([(f"  {brush.sign(look)}  ", look.style), (look.word, "")])
        self._lines = self._lines[1:]

    def on_mount(self) -> None:
        """Show it."""
        self.call_after_refresh(self.sync)

    def on_resize(self) -> None:
        """Lay it out."""
        self.sync()

    def count(self) -> int:
        """Say how many lines there are."""
        return len(self._lines)

    def line_key(self, index: int) -> Hashable:
        """A line never changes."""
        return index

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line."""
        *first, last = self._lines[index] or [("", "")]
        room = width - sum(len(text) for text, _ in first)
        return [*first, (fit(last[0], max(0, room)), last[1])]


class Help(ModalScreen[None]):
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
