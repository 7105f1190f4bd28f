"""The form that sets a variable: a name, offered from those that there are, and a value read as YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from octogram_tui.errors import OctogramError
from octogram_tui.projection.variables import Variable
from octogram_tui.tui.format import kind
from octogram_tui.tui.format import value as shown
from octogram_tui.tui.screens.dialogs import DialogText
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.typed_line import TypedLine

LABEL_CELLS = 7
NAME_CELLS = 24
OFFERED = 6
SAYS_CELLS = 62
OTHER_ROWS = 12
"""What the form takes besides the names that it offers; those give way on a low terminal."""


class Offer(NamedTuple):
    """A name that can be chosen; `variable` is None for one that the run does not have yet."""

    name: str
    variable: Variable | None


class FormLine(TypedLine):
    """A line to fill in. It hands keys that lead elsewhere to the form, in the order in which they were pressed.

    Not as bindings of the form: those would overtake characters that still wait in this line's queue.
    """

    form: VariableForm

    async def _on_key(self, event: Key) -> None:
        if self.form.focused is not self and isinstance(self.form.focused, FormLine):
            event.stop()
            event.prevent_default()
            # Pressed after the key that led there. As a new event: this one is marked as dealt with.
            self.form.focused.post_message(Key(event.key, event.character))
        elif event.key in ("tab", "shift+tab", "up", "down", "enter", "ctrl+s"):
            event.stop()
            event.prevent_default()
            self.form.leave(self, event.key)


class VariableForm(ModalScreen[tuple[str, Any] | None]):
    """Gives the name and the value, or None for never mind.

    Tab and enter lead from the name to the value and take the name that is pointed at; enter in the value sets.
    Ctrl+s writes the value into the scenario's file first, by `write`, which says why it did not; then the form stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(
        self, brush: Brush, variables: list[Variable], chosen: str = "", *, write: Callable[[str, Any], str]
    ) -> None:
        super().__init__()
        self.brush = brush
        self._write = write
        self._not_written = ""
        self.variables = variables
        self.chosen = chosen
        self.offers: list[Offer] = []
        self.pointed = 0
        self._typed: str | None = None  # the text that the offers are for
        self._prefilled: str | None = None  # the name whose value was filled in
        self.name_field = FormLine(chosen, id="variable-name", select_on_focus=False, restrict=r"[^=\s]*")
        self.value_field = FormLine(id="variable-value", select_on_focus=False)
        self.name_field.form = self.value_field.form = self
        self.offer_list = DialogText(brush, [])
        self.offer_list.id = "offers"
        self.says = DialogText(brush, [])
        self.says.id = "variable-says"

    def compose(self) -> ComposeResult:
        """Two lines to fill in, the names to choose from, and what will be set."""
        with Vertical(classes="dialog", id="prompt"):
            yield DialogText(self.brush, [[("Set a variable of the run", "strong")]])
            yield Horizontal(DialogText(self.brush, [[(fit("name", LABEL_CELLS), "dim")]]), self.name_field)
            yield self.offer_list
            yield Horizontal(DialogText(self.brush, [[(fit("value", LABEL_CELLS), "dim")]]), self.value_field)
            yield self.says

    def on_mount(self) -> None:
        """Start where there is something to fill in."""
        self._offer()
        if self.chosen:
            self._to_value()
        else:
            self.set_focus(self.name_field)

    def on_resize(self) -> None:
        """Offer as many names as fit."""
        self._show()

    # The name

    def _offer(self) -> None:
        """Offer the names that what was typed may mean."""
        typed = self._typed = self.name_field.value
        found = [variable for variable in self.variables if typed.lower() in variable.name.lower()]
        found.sort(key=lambda variable: (variable.name != typed, not variable.name.startswith(typed)))
        self.offers = [Offer(variable.name, variable) for variable in found]
        if typed and all(variable.name != typed for variable in found):
            self.offers.append(Offer(typed, None))
        self.pointed = 0
        self._show()

    @property
    def offer(self) -> Offer | None:
        """The name that is pointed at; what was typed counts, also when we have not heard of it yet."""
        if self.name_field.value != self._typed:
            self._offer()
        return self.offers[self.pointed] if self.offers else None

    def _show(self) -> None:
        brush = self.brush
        room = max(0, min(OFFERED, self.app.size.height - OTHER_ROWS))
        first = max(0, min(self.pointed - room // 2, len(self.offers) - room))
        lines: list[list[Piece]] = []
        for number in range(first, min(first + room, len(self.offers))):
            name, variable = self.offers[number]
            is_here = number == self.pointed
            mark = brush.pick("›", ">") if is_here and self.name_field.has_focus else " "
            lines.append(
                [
                    (fit("", LABEL_CELLS - 2) + f"{mark} ", "key"),
                    (fit(brush.text(name), NAME_CELLS) + " ", "accent" if is_here else ""),
                    ("a new variable" if variable is None else _now(variable, brush), "dim"),
                ]
            )
        self.offer_list.show([*lines, *([] for _ in range(room - len(lines)))])
        self._say()

    # The value

    def read(self) -> tuple[str, Any] | str:
        """Give the name and the value as typed, or say what is wrong with them."""
        from octogram_tui.scenario.assignments import parse_assignment

        name = self.offer.name if self.offer else ""
        if not name:
            return "type a name"
        try:
            return name, parse_assignment(f"{name}={self.value_field.value}")[1]
        except OctogramError as error:
            return error.message

    def _say(self) -> None:
        """Say what there was, and what would be set."""
        brush = self.brush
        variable = self.offer.variable if self.offer else None
        read = self.read()
        first: list[Piece] = []
        if self.offer is not None and variable is None:
            first = [("new: the run has no variable ", "retrying"), (brush.text(self.offer.name, limit=30), "strong")]
        elif variable is not None:
            by = "" if variable.now.by == "scenario" else f", set by {brush.text(variable.now.by)}"
            first = [(f"now {_now(variable, brush)[:40]}{by}", "dim")]
        second: list[Piece] = [("tab, enter: to the value   arrows: choose   esc: never mind", "faint")]
        if self._not_written:
            second = [(fit(f"not written: {brush.text(self._not_written)}", SAYS_CELLS), "failed")]
        elif self.value_field.has_focus and isinstance(read, str):
            second = [(brush.text(read), "failed")]
        elif self.value_field.has_focus:
            was = variable.now.value if variable is not None and not variable.now.removed else read[1]
            is_other = kind(read[1]).partition(" of ")[0] != kind(was).partition(" of ")[0]
            second = [
                (f"{kind(read[1])}", "retrying" if is_other else "accent"),
                (f", it was {kind(was)}" if is_other else "", "retrying"),
                ("   enter: set   ctrl+s: and write to the file", "faint"),
            ]
        self.says.show([first, second])

    def _to_value(self) -> None:
        """Take the name that is pointed at, and fill in the value that it has."""
        offer = self.offer
        if offer is None:
            self.set_focus(self.name_field)
            return
        if offer.name != self._prefilled:
            self._prefilled = offer.name
            variable = offer.variable
            has_value = variable is not None and not variable.now.removed
            self.value_field.value = written(variable.now.value) if variable is not None and has_value else ""
        if self.name_field.value != offer.name:
            self.name_field.value = offer.name
            self.name_field.cursor_position = len(offer.name)
        self.set_focus(self.value_field)  # at once: what is typed next may already wait
        self.value_field.select_all()

    # Keys

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer anew, or say anew what would be set."""
        self._not_written = ""
        if event.input is self.name_field and event.value != self._typed:
            self._offer()
        else:
            self._say()

    def on_descendant_focus(self) -> None:
        """What is said depends on where one is."""
        self._show()

    def leave(self, field: FormLine, key: str) -> None:
        """Go to the other field, point at another name, or be done."""
        if field is self.value_field and key in ("enter", "ctrl+s"):
            read = self.read()
            if isinstance(read, str):
                return  # said already, and the text stays
            if key == "ctrl+s":
                self._not_written = self._write(*read)
            if self._not_written and key == "ctrl+s":
                self._say()
            else:
                self.dismiss(read)
        elif field is self.value_field:
            self.set_focus(self.name_field)
        elif key in ("up", "down"):
            if self.offer is not None:
                self.pointed = (self.pointed + (1 if key == "down" else -1)) % len(self.offers)
                self._show()
        else:
            self._to_value()

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


def written(given: Any) -> str:
    """Write a value on one line so that it is read back as the same."""
    from octogram_tui.scenario.assignments import parse_assignment

    if isinstance(given, str) and given and given.isprintable():
        try:
            if parse_assignment(f"x={given}")[1] == given:
                return given
        except OctogramError:
            pass
        return json.dumps(given, ensure_ascii=False)
    return json.dumps(given)


def _now(variable: Variable, brush: Brush) -> str:
    return "removed" if variable.now.removed else brush.text(shown(variable.now.value))
