"""A line to type any verb of the table into, with what it takes below; many have a better form elsewhere too."""

from __future__ import annotations

import shlex

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.errors import UsageError
from octogram_tui.projection.rows import InstanceRow, Row
from octogram_tui.runtime import typed_verbs
from octogram_tui.runtime.argument_types import INSTANCE, PATTERN
from octogram_tui.runtime.arguments import Argument
from octogram_tui.runtime.verbs import VERBS, Asked, Verb, usage
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import TITLE_ROWS, DialogText, room_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, wrapped
from octogram_tui.tui.widgets.typed_line import TypedLine

AROUND_ROWS = 7
"""What stands on the screen besides the lines of help."""


def begun(verb: Verb, row: Row | None) -> str:
    """Give the line for a verb as far as the chosen row tells it."""
    words = [verb.name]
    for argument in verb.arguments:
        word = _of_row(argument, row) if verb.is_required(argument) else None
        if word is None:
            break
        words.append(word)
    return shlex.join(words) + (" " if verb.arguments else "")


def _of_row(argument: Argument, row: Row | None) -> str | None:
    if row is None:
        return None
    if argument.type is INSTANCE:
        return str(row.key) if isinstance(row, InstanceRow) else None
    if argument.type is PATTERN:
        return str(row.key) if isinstance(row, InstanceRow) else row.full_name
    return {"stage": row.stage.name, "agent": row.agent or None}.get(argument.name)


class VerbLine(Dialog[Asked]):
    """Gives what is asked for, or None for never mind. Enter asks, or says what is wrong; tab completes a name."""

    def __init__(self, brush: Brush, text: str = "") -> None:
        super().__init__()
        self.brush = brush
        self._problem = ("", "")  # a text, and what is wrong with it
        self.line = TypedLine(text, id="verb-line")
        self.heading = DialogText(brush, [[("Ask the run", "strong")]])
        self.says = DialogText(brush, [])

    def compose(self) -> ComposeResult:
        """A line to fill in, and what it says to that."""
        with Vertical(classes="dialog", id="prompt"):
            yield self.heading
            yield self.line
            yield self.says

    def on_mount(self) -> None:
        """Take the keys."""
        self.set_focus(self.line)
        self.line.cursor_position = len(self.line.value)
        self._say()

    def on_resize(self) -> None:
        """Say it in what room there is."""
        self.heading.display = self.app.size.height >= TITLE_ROWS
        self._say()

    def on_input_changed(self, _: Input.Changed) -> None:
        """What was said was about another text."""
        self._say()

    def _words(self) -> list[str]:
        """Take what is typed apart. Raises UsageError."""
        try:
            return shlex.split(self.line.value)
        except ValueError as error:
            raise UsageError(f"{str(error).lower()}: quote a name that holds spaces") from None

    def _say(self) -> None:
        room = room_of(self.app.size.width)
        typed, problem = self._problem
        if problem and typed == self.line.value:
            last: list[Piece] = [(part, "failed") for part in wrapped(self.brush.text(problem), room)]
        else:
            last = [(fit("enter: ask it   tab: complete   esc: never mind", room).rstrip(), "faint")]
        above = max(0, self.app.size.height - AROUND_ROWS - len(last))
        self.says.show([[piece] for piece in [*self._help(room)[:above], *last]])

    def _help(self, room: int) -> list[Piece]:
        """Say what the verb takes, or which verbs there are."""
        name = self.line.value.split(" ")[0]
        verb = VERBS.get(name)
        if verb is None:
            names = ", ".join(each for each in VERBS if each.startswith(name)) or f"there is no verb {name}"
            return [(part, "dim") for part in wrapped(self.brush.text(names), room)]
        lines: list[Piece] = [(part, "") for part in wrapped(verb.help, room)]
        lines += [(part, "accent") for part in wrapped(usage(verb), room)]
        width = max((len(argument.name) for argument in verb.arguments), default=0) + 2
        for argument in verb.arguments:
            parts = wrapped(f"{argument.help} ({argument.type.name})", max(8, room - width))
            lines += [(f"{fit('' if at else argument.name, width)}{part}", "dim") for at, part in enumerate(parts)]
        return lines

    def _complete(self) -> None:
        """Complete the name of the verb, or of an argument, where there is one way to."""
        before, _, part = self.line.value.rpartition(" ")
        if not before:
            names = [f"{name} " for name in VERBS]
        else:
            verb = VERBS.get(before.split(" ")[0])
            names = [f"{arg.name}=" for arg in verb.arguments if not verb.is_required(arg)] if verb is not None else []
        fitting = [name for name in names if name.startswith(part)]
        if len(fitting) == 1:
            self.line.value = f"{before} {fitting[0]}" if before else fitting[0]
            self.line.cursor_position = len(self.line.value)

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, ask, or leave."""
        key = event.key if isinstance(event, Key) else ""
        if key == "escape":
            self.dismiss(None)
        elif key == "tab":
            self._complete()
        elif key == "enter":
            self._ask()
        else:
            return await self.line.take_input(event)
        return True

    def _ask(self) -> None:
        try:
            self.dismiss(typed_verbs.parse(self._words()))
        except UsageError as error:
            self._problem = (self.line.value, error.message)
            self._say()
