"""The form that sets a variable: a name, offered from those that there are, and a value read as YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key, Paste
from textual.widgets import Input, TextArea

from octogram_tui.cuts import beginning
from octogram_tui.engine.stimuli import SetVariableRequest
from octogram_tui.errors import OctogramError
from octogram_tui.projection.variables import Variable
from octogram_tui.secrecy.names import holds_mask
from octogram_tui.tui.format import kind
from octogram_tui.tui.format import value as shown
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import TITLE_ROWS, DialogText, room_of
from octogram_tui.tui.typed_text import written
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.title_line import cut
from octogram_tui.tui.widgets.typed_line import TypedLine
from octogram_tui.tui.widgets.value_field import MOST_LINES, ValueField

LABEL_CELLS = 7
NAME_CELLS = 24
OFFERED = 6
OTHER_ROWS = 12
"""What the form takes besides the names that it offers; those give way on a low terminal."""


class Offer(NamedTuple):
    """A name that can be chosen; `variable` is None for one that the run does not have yet."""

    name: str
    variable: Variable | None


class VariableForm(Dialog[SetVariableRequest]):
    """Gives what is to be asked of the run, or None for never mind.

    It begins in the value where the name is known: `chosen` is. Tab and enter lead from the name to the value and take
    the name that is pointed at, shift+tab and up lead back, and there all names are offered until another is typed.
    Enter in the value sets, after another enter where that makes a new variable or one of another type. Ctrl+s writes
    the value into the scenario's file first. Ctrl+r takes the variable away, after another one.
    Nothing that was typed is lost: another name leaves the value as it is typed, and what escape leaves is kept in
    `drafts`, by name.

    offered: the variables that there are now, the likeliest first
    write: writes into the file, and says why it did not; then the form stays
    agree: asks whether a variable is to be set, where that has to be asked, and then calls what sets it
    why_not: why nothing can be set now; empty while it can
    other: goes to the form of the row's arguments (ctrl+t), where the row has one
    """

    def __init__(
        self,
        brush: Brush,
        offered: Callable[[], list[Variable]],
        chosen: str = "",
        *,
        write: Callable[[str, Any], str],
        agree: Callable[[SetVariableRequest, Callable[[], bool]], None],
        why_not: Callable[[], str] = str,
        drafts: dict[str, str] | None = None,
        other: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.brush = brush
        self._offered = offered
        self._write = write
        self._agree = agree
        self._why_not = why_not
        self._drafts = {} if drafts is None else drafts
        self._other = other
        self._removing: tuple[str, str] | None = None  # the name, beside which text, that another ctrl+r takes away
        self._problem = ("", "")  # a value, and why it was not written
        self._asked: tuple[str, str] | None = None  # the name and the text that another enter sets in spite of a doubt
        self._taken = ""  # the name that the value is for; it narrows no offers
        self.chosen = chosen
        self.offers: list[Offer] = []
        self.pointed = 0
        self._typed: str | None = None  # the text that the offers are for
        self._filled: tuple[str, str] | None = None  # the name whose value was filled in, and that value
        self._seen = self._now_seen()
        self.name_field = TypedLine(brush.text(chosen), id="variable-name", restrict=r"[^=\s]*")
        self.value_field = ValueField()
        self.heading = DialogText(brush, [[("Set a variable of the run", "strong")]])
        self.offer_list = DialogText(brush, [])
        self.offer_list.id = "offers"
        self.says = DialogText(brush, [])
        self.says.id = "variable-says"

    def compose(self) -> ComposeResult:
        """Two fields to fill in, the names to choose from, and what will be set."""
        with Vertical(classes="dialog", id="prompt"):
            yield self.heading
            yield Horizontal(DialogText(self.brush, [[(fit("name", LABEL_CELLS), "dim")]]), self.name_field)
            yield self.offer_list
            yield Horizontal(
                DialogText(self.brush, [[(fit("value", LABEL_CELLS), "dim")]]), self.value_field, id="value-line"
            )
            yield self.says

    def on_mount(self) -> None:
        """Start where there is something to fill in."""
        self._offer()
        if self.chosen:
            self._to_value()
        else:
            self.set_focus(self.name_field)

    def on_resize(self) -> None:
        """Offer as many names as fit, and as many lines of the value."""
        self.heading.display = self.app.size.height >= TITLE_ROWS
        self.value_field.most_lines = max(1, min(MOST_LINES, self.app.size.height - OTHER_ROWS + 2))
        self.value_field.fit_height()
        self._show()

    def sync(self) -> None:
        """Take in what the run did meanwhile: other values, other names, its end."""
        if not self.is_mounted:
            return
        seen = self._now_seen()
        if seen == self._seen:
            return
        self._seen = seen
        pointed = self.offer.name if self.offer else ""
        self._offer()
        self.pointed = next((at for at, offer in enumerate(self.offers) if offer.name == pointed), 0)
        if self._filled is not None and not self._is_edited:
            self._fill()
        self._show()

    def _now_seen(self) -> tuple[object, ...]:
        return self._why_not(), [(variable.name, variable.version) for variable in self._offered()]

    # The name

    def _offer(self) -> None:
        """Offer the names that what was typed may mean."""
        typed = self._typed = self.name_field.value
        found = [(self.brush.text(variable.name), variable) for variable in self._offered()]
        if typed != self._taken:
            found = [(name, variable) for name, variable in found if typed.lower() in name.lower()]
            found.sort(key=lambda each: (each[0] != typed, not each[0].startswith(typed)))
        self.offers = [Offer(variable.name, variable) for _, variable in found]
        names = [name for name, _ in found]
        if typed and typed not in names:
            self.offers.append(Offer(typed, None))
            names.append(typed)
        self.pointed = names.index(typed) if typed and typed == self._taken else 0
        self._show()

    @property
    def offer(self) -> Offer | None:
        """The name that is pointed at; what was typed counts, also when we have not heard of it yet."""
        if self.name_field.value != self._typed:
            self._offer()
        return self.offers[self.pointed] if self.offers else None

    def _show(self) -> None:
        brush = self.brush
        lines_below = int(self.value_field.styles.height.value) if self.value_field.styles.height else 1
        most = min(OFFERED, len(self._offered()) + 1)  # one more may be new
        room = max(0, min(most, self.app.size.height - OTHER_ROWS + 1 - lines_below))
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

    @property
    def _is_edited(self) -> bool:
        return self._filled is not None and self.value_field.text != self._filled[1]

    def read(self) -> tuple[str, Any] | str:
        """Give the name and the value as typed, or say what is wrong with them."""
        from octogram_tui.scenario.assignments import parse_assignment

        name = self.offer.name if self.offer else ""
        if not name:
            return "type a name"
        try:
            return name, parse_assignment(f"{name}={self.value_field.text}")[1]
        except OctogramError as error:
            return error.message

    def _fill(self) -> None:
        """Put in the value that the variable has; those it had are above it, and what was typed and not set."""
        offer = self.offer
        if offer is None:
            return
        changes = offer.variable.changes if offer.variable is not None else []
        values = list(dict.fromkeys(written(change.value) for change in changes if not change.removed))
        now = "" if offer.variable is None or offer.variable.now.removed else written(offer.variable.now.value)
        if draft := self._drafts.get(offer.name):
            values.append(draft)
        if self._is_edited or self._filled == (offer.name, now):  # where one is in it stays too
            self.value_field.offer([*values, now])
            return
        self._filled = (offer.name, now)
        self.value_field.fill(now, values)
        self.value_field.fit_height()

    def _say(self) -> None:
        """Say what there was, and what would be set."""
        brush = self.brush
        variable = self.offer.variable if self.offer else None
        read = self.read()
        first: list[Piece] = []
        other = "   ctrl+t: arguments" if self._other is not None else ""
        if self.offer is not None and variable is None:
            first = [("new: the run has no variable ", "retrying"), (brush.text(self.offer.name, limit=30), "strong")]
        elif variable is not None:
            by = "" if variable.now.by == "scenario" else f", set by {brush.text(variable.now.by)}"
            first = [
                (fit(f"now {beginning(_now(variable, brush), 40)}{by}", room_of(self.app.size.width)).rstrip(), "dim")
            ]
        if first and self.value_field.has_focus:
            first.append((f"   shift+tab: name{other}   ctrl+r: unset", "faint"))
        second: list[Piece] = [(f"tab, enter: to the value   up, down: choose{other or '   esc: never mind'}", "faint")]
        text, problem = self._problem
        if problem := self._why_not() or (problem if text == self.value_field.text else ""):
            second = [(fit(brush.text(problem), room_of(self.app.size.width)).rstrip(), "failed")]
        elif self._is_removing:
            second = [("ctrl+r again: take it away", "retrying"), ("   its reads fail then", "faint")]
        elif self.value_field.has_focus and isinstance(read, str):
            second = [(fit(brush.text(read), room_of(self.app.size.width)).rstrip(), "failed")]
        elif self.value_field.has_focus:
            doubt = _doubt(variable, read[1])
            second = [(_kind(read[1]), "retrying" if doubt else "accent"), (doubt, "retrying")]
            if doubt and self._asked == (read[0], self.value_field.text):
                second.append(("   enter again: set it so", "key"))
            else:
                second.append(("   enter: set   ctrl+s: and write to the file", "faint"))
        room = room_of(self.app.size.width)
        self.says.show([cut(first, room), cut(second, room)])

    def _to_value(self) -> None:
        """Take the name that is pointed at, and fill in the value that it has, unless another is typed already."""
        offer = self.offer
        if offer is None:
            self.set_focus(self.name_field)
            return
        name = self._taken = self.brush.text(offer.name)
        if self.name_field.value != name:
            self.name_field.value = name
            self.name_field.cursor_position = len(name)
        self._offer()
        if self._filled is None or self._filled[0] != offer.name:
            self._fill()
        self.set_focus(self.value_field)  # at once: what is typed next may already wait

    # Keys

    async def take_input(self, event: Key | Paste) -> bool:
        """Do what is typed or pasted, one after the other."""
        field = self.value_field if self.focused is self.value_field else self.name_field
        key = event.key if isinstance(event, Key) else ""
        if key == "escape":
            self._leave_be()
        elif key == "ctrl+t" and self._other is not None:
            self._leave_be()
            self._other()
        elif key == "ctrl+r":
            self._remove()
        elif key in ("tab", "shift+tab", "enter", "ctrl+s") or (key in ("up", "down") and field is self.name_field):
            self._go(key)
        elif field is self.name_field and key == "equals_sign":
            self._go("tab")
        elif field is self.name_field and isinstance(event, Paste):
            self._paste_name(event.text)
        elif key == "up" and self.value_field.is_at_top:
            self._to_name()
        else:
            return await field.take_input(event)
        return True

    def _paste_name(self, text: str) -> None:
        """Take a pasted name, or `name=value` as after `-e`."""
        name, separator, value = text.partition("=")
        self.name_field.type_in("".join(name.split()))
        if separator:
            self._go("tab")
            self.value_field.type_in(value.rstrip("\r\n"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer anew."""
        if event.value != self._typed:
            self._offer()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Say anew what would be set."""
        self.value_field.fit_height()
        self._show()

    def on_descendant_focus(self) -> None:
        """What is said depends on where one is."""
        self._show()

    def _go(self, key: str) -> None:
        """Go to the other field, point at another name, or be done."""
        if self.focused is not self.value_field:
            if key in ("up", "down"):
                if self.offer is not None:
                    self.pointed = (self.pointed + (1 if key == "down" else -1)) % len(self.offers)
                    self._show()
            else:
                self._to_value()
        elif key in ("enter", "ctrl+s"):
            self._set(writes=key == "ctrl+s")
        elif key == "shift+tab":
            self._to_name()

    def _to_name(self) -> None:
        """Have another name: what is typed there takes the place of this one."""
        self.set_focus(self.name_field)
        self.name_field.select_all()

    def _set(self, *, writes: bool) -> None:
        """Be done, unless something is wrong with it, or it has to be asked first."""
        read = self.read()
        if isinstance(read, str) or self._why_not():
            self._say()
            return  # said already, and the text stays
        text = self.value_field.text
        variable = self.offer.variable if self.offer else None
        if _doubt(variable, read[1]) and self._asked != (read[0], text):
            self._asked = (read[0], text)
            self._say()
            return
        request = SetVariableRequest(*read)

        def go() -> bool:
            if writes and (problem := _why_not_written(variable) or self._write(*read)):
                self._problem = (text, f"not written: {problem}")
                self._say()
                return False
            self._drafts.pop(read[0], None)
            self.dismiss(request)
            return True

        self._agree(request, go)

    @property
    def _is_removing(self) -> bool:
        return self.offer is not None and self._removing == (self.offer.name, self.value_field.text)

    def _remove(self) -> None:
        """Have the variable that is pointed at taken away, once that was asked."""
        variable = self.offer.variable if self.offer is not None else None
        if variable is None or variable.now.removed or self._why_not():
            self._say()
        elif not self._is_removing:
            self._removing = (variable.name, self.value_field.text)
            self._say()
        else:
            request = SetVariableRequest(variable.name, remove=True)

            def go() -> bool:
                self.dismiss(request)
                return True

            self._agree(request, go)

    def _leave_be(self) -> None:
        """Leave everything as it is; what was typed is kept for the next time."""
        name = self.offer.name if self.offer else ""
        if name and self._is_edited:
            self._drafts[name] = self.value_field.text
        self.dismiss(None)


def _why_not_written(variable: Variable | None) -> str:
    """Say why a file must not have another value of a variable."""
    is_secret = variable is not None and not variable.now.removed and holds_mask(variable.now.value)
    return "it is a secret, or holds one, and no secret stands in a file" if is_secret else ""


def _kind(given: Any) -> str:
    if given == "" and isinstance(given, str):
        return "an empty text"
    lines = given.count("\n") + 1 if isinstance(given, str) else 1
    return kind(given) if lines == 1 else f"a text of {lines} lines"


def _doubt(variable: Variable | None, given: Any) -> str:
    """Say why the value may not be meant: it makes a new variable, or is of another type than it was, or empty."""
    if variable is None:
        return " for a new variable"
    if variable.now.removed or variable.now.value is None:
        return ""
    was = variable.now.value
    is_other = kind(given).partition(" of ")[0] != kind(was).partition(" of ")[0]
    return f", it was {_kind(was)}" if is_other or (given == "" and was != "") else ""


def _now(variable: Variable, brush: Brush) -> str:
    return "removed" if variable.now.removed else brush.text(shown(variable.now.value))
