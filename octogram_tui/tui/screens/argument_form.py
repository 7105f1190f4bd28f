"""The form of a row's arguments: what its next attempt is given, each value beside the template that it came of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key, Paste
from textual.widgets import TextArea

from octogram_tui.errors import OctogramError
from octogram_tui.tui.format import value as shown
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import AROUND_CELLS, TITLE_ROWS, DialogText
from octogram_tui.tui.typed_text import written
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_most
from octogram_tui.tui.widgets.title_line import cut
from octogram_tui.tui.widgets.value_field import MOST_LINES, ValueField

LABEL_CELLS = 7
LEAST_NAME_CELLS = 12
MOST_CELLS = 104
SHOWN = 6
OTHER_ROWS = 12
"""What the form takes besides the arguments; of those as many are seen as there is room for."""


class Entry(NamedTuple):
    """An argument, or a part of one that is a map: `path` leads to it.

    now: as it is rendered, or as it was given by hand (`is_given`); template: what it comes of; was: without that.
    """

    path: tuple[str, ...]
    now: Any
    template: str = ""
    is_given: bool = False
    was: Any = None

    @property
    def name(self) -> str:
        """What it is called."""
        return ".".join(self.path)


def entries_of(arguments: Mapping[str, Any], templates: Mapping[str, Any], given: Mapping[str, Any]) -> list[Entry]:
    """List arguments as they are now, those that are maps part by part."""
    found: list[Entry] = []
    for name in dict.fromkeys([*arguments, *given]):
        was = arguments.get(name)
        now = given.get(name, was)
        template = templates.get(name)
        if not isinstance(now, dict) or not now:
            found.append(Entry((name,), now, _written(template), name in given, was))
            continue
        within = template if isinstance(template, dict) else {}
        before = was if isinstance(was, dict) else {}
        found += [
            Entry((name, part), each, _written(within.get(part)), name in given, before.get(part))
            for part, each in now.items()
        ]
    return found


def _written(template: Any) -> str:
    """Write what is a template in a line; what has none in it is left out."""
    text = template if isinstance(template, str) else shown(template) if template is not None else ""
    return " ".join(text.split()) if "{{" in text or "{%" in text else ""


def together(entries: Sequence[Entry], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments that values are of, each whole: a part of a map brings the other parts along."""
    found: dict[str, Any] = {}
    touched = {each.path[0] for each in entries if each.name in values}
    for each in entries:
        if each.path[0] in touched:
            value = values.get(each.name, each.now)
            if len(each.path) == 1:
                found[each.path[0]] = value
            else:
                found.setdefault(each.path[0], {})[each.path[1]] = value
    return found


class ArgumentForm(Dialog[None]):
    """Changes arguments one after the other: tab and shift+tab go about, enter has all that was changed taken.

    Nothing is taken before the run has said so: what it says against a value stands in the form, and the text stays.
    Ctrl+r gives an argument the text's value again. Ctrl+s writes into the scenario's file what was changed, first.

    entries: the arguments as they are now
    send: asks the run for the arguments that are to be another than the text's; says how many answers come
    heard: how many answers have come so far, and what the latest said against it
    write: writes values into the file, and says why it did not
    other: goes to the form of variables
    """

    def __init__(
        self,
        brush: Brush,
        title: str,
        entries: Callable[[], list[Entry]],
        *,
        send: Callable[[dict[str, Any], bool], int],
        heard: Callable[[], tuple[int, str]],
        write: Callable[[dict[tuple[str, ...], Any]], str],
        why_not: Callable[[], str] = str,
        other: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.brush = brush
        self._entries, self._send, self._heard, self._write = entries, send, heard, write
        self._why_not = why_not
        self._other = other
        self.entries = entries()
        self.texts: dict[str, str] = {}  # what was typed, where it is not what there was
        self.resets: set[str] = set()  # those that are to be the text's again
        self.pointed = 0
        self._waits: int | None = None  # for how many answers
        self._problem = ""
        self.heading = DialogText(brush, [[(brush.text(title, limit=100), "strong")]])
        self.list = DialogText(brush, [])
        self.list.id = "offers"
        self.template = DialogText(brush, [])
        self.value_field = ValueField()
        self.says = DialogText(brush, [])
        self.says.id = "variable-says"

    def compose(self) -> ComposeResult:
        """The arguments, the one that is changed, and what comes of it."""
        with Vertical(classes="dialog", id="arguments"):
            yield self.heading
            yield self.list
            yield self.template
            label = DialogText(self.brush, [[(fit("value", LABEL_CELLS), "dim")]])
            yield Horizontal(label, self.value_field, id="value-line")
            yield self.says

    def on_mount(self) -> None:
        """Begin at the first."""
        self._fill()
        self.set_focus(self.value_field)

    def on_resize(self) -> None:
        """Show as many as fit."""
        self.heading.display = self.app.size.height >= TITLE_ROWS
        self.value_field.most_lines = max(1, min(MOST_LINES, self.app.size.height - OTHER_ROWS + 2))
        self.value_field.fit_height()
        self._show()

    def sync(self) -> None:
        """Take in what the run says: its answer, other values."""
        if not self.is_mounted or self.is_closed:
            return
        count, problem = self._heard()
        if self._waits is not None and count >= self._waits:
            self._waits = None
            self._problem = problem
            if not problem:
                self.dismiss(None)
                return
        fresh = self._entries()
        if fresh != self.entries:
            self._keep()  # what was typed is perhaps not heard of yet
            name = self.entry.name if self.entry else ""
            is_typed = name in self.texts
            self.entries = fresh
            self.pointed = next((at for at, each in enumerate(fresh) if each.name == name), 0)
            if not is_typed:
                self._fill()
        self._show()

    # One argument

    @property
    def entry(self) -> Entry | None:
        """The argument that is pointed at."""
        return self.entries[self.pointed] if self.pointed < len(self.entries) else None

    def _fill(self) -> None:
        entry = self.entry
        if entry is None:
            return
        now = written(entry.now)
        typed = self.texts.get(entry.name)
        self.value_field.fill(now if typed is None else typed, [now] if typed not in (None, now) else [])
        self.value_field.fit_height()

    def _keep(self) -> None:
        """Remember what was typed for the argument that is pointed at."""
        entry = self.entry
        if entry is None:
            return
        text = self.value_field.text
        if text != written(entry.now):
            self.texts[entry.name] = text
            self.resets.discard(entry.path[0])
        else:
            self.texts.pop(entry.name, None)

    def _go(self, by: int) -> None:
        self._keep()
        if self.entries:
            self.pointed = (self.pointed + by) % len(self.entries)
        self._fill()
        self._show()

    def read(self, entry: Entry, text: str) -> tuple[Any, str]:
        """Give what a text means as a value, and what is wrong with it. What is a text stays one."""
        from octogram_tui.scenario.assignments import parse_assignment

        try:
            value = parse_assignment(f"value={text}")[1]
        except OctogramError as error:
            return None, error.message
        return (text if isinstance(entry.now, str) and isinstance(value, (bool, int, float)) else value), ""

    # What is said

    @property
    def _room(self) -> int:
        return max(10, min(MOST_CELLS, self.app.size.width * 92 // 100 - AROUND_CELLS))

    def _show(self) -> None:
        brush, room = self.brush, self._room
        height = self.value_field.styles.height
        lines_below = int(height.value) if height else 1
        seen = max(0, min(SHOWN, len(self.entries), self.app.size.height - OTHER_ROWS + 1 - lines_below))
        first = max(0, min(self.pointed - seen // 2, len(self.entries) - seen))
        name_cells = min(room // 3, max([LEAST_NAME_CELLS, *(len(each.name) for each in self.entries)]))
        lines: list[list[Piece]] = []
        for at in range(first, first + seen):
            entry = self.entries[at]
            mark = brush.pick("›", ">") if at == self.pointed else " "
            is_changed = entry.name in self.texts or entry.is_given
            sign = "-" if entry.path[0] in self.resets else "*" if is_changed else " "
            name = fit(brush.text(entry.name), name_cells)
            typed = self.texts.get(entry.name)
            now = brush.text(shown(entry.now) if typed is None else typed)
            after = f"  {brush.text(entry.template)}" if entry.template else ""
            cells = (room - name_cells - 4) // 2 if after else room - name_cells - 4
            line: list[Piece] = [(f"{mark}{sign} ", "key"), (f"{name} ", "accent" if at == self.pointed else "")]
            lines.append(cut([*line, (fit(now, cells), ""), (after, "name-4")], room))
        self.list.show(lines)
        here = self.entry
        template = brush.text(here.template) if here is not None else ""
        self.template.show([[(fit_most(f"{fit('from', LABEL_CELLS)}{template}", room), "name-4")]] if template else [])
        self.says.show([cut(self._first(), room), cut(self._second(), room)])

    def _first(self) -> list[Piece]:
        entry = self.entry
        if entry is None:
            return [("this row has no arguments", "dim")]
        if entry.path[0] in self.resets:
            return [("the text's value again, as its template is rendered then", "retrying")]
        _, problem = self.read(entry, self.value_field.text)
        if problem:
            return [(self.brush.text(problem), "failed")]
        by = "given by you" if entry.is_given else "as the text gives it"
        return [(f"now {fit_most(self.brush.text(shown(entry.now)), self._room // 2)}, {by}", "dim")]

    def _second(self) -> list[Piece]:
        problem = self._why_not() or self._problem
        if problem:
            return [(self.brush.text(problem), "failed")]
        if self._waits is not None:
            return [("asking the run", "dim")]
        more = "   ctrl+t: vars" if self._other is not None else ""
        return [("enter: give   ctrl+s: to the file too   ctrl+r: reset", "faint"), (more, "faint")]

    # Keys

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, go about, or be done."""
        key = event.key if isinstance(event, Key) else ""
        field = self.value_field
        if key == "escape":
            self.dismiss(None)
        elif key == "ctrl+t" and self._other is not None:
            self.dismiss(None)
            self._other()
        elif key in ("tab", "shift+tab"):
            self._go(1 if key == "tab" else -1)
        elif key == "up" and field.is_at_top:
            self._go(-1)
        elif key == "down" and field.is_at_bottom:
            self._go(1)
        elif key in ("enter", "ctrl+s"):
            self._done(writes=key == "ctrl+s")
        elif key == "ctrl+r":
            self._reset()
        else:
            self._problem = ""
            return await field.take_input(event)
        return True

    def on_text_area_changed(self, _: TextArea.Changed) -> None:
        """Say anew what it is."""
        self._keep()
        self.value_field.fit_height()
        self._show()

    def _reset(self) -> None:
        """Have the text's value again for the argument that is pointed at."""
        entry = self.entry
        if entry is None:
            return
        self.texts.pop(entry.name, None)
        if entry.is_given:
            self.resets.symmetric_difference_update({entry.path[0]})
        self._fill()
        self._show()

    def _done(self, *, writes: bool) -> None:
        """Ask the run for all that was changed, unless something is wrong with it."""
        self._keep()
        values: dict[str, Any] = {}
        for at, entry in enumerate(self.entries):
            if entry.name not in self.texts:
                continue
            values[entry.name], problem = self.read(entry, self.texts[entry.name])
            if problem:
                self.pointed = at
                self._fill()
                self._show()
                return
        stays = [each for each in self.entries if each.is_given and each.path[0] not in self.resets]
        wanted = {**together(stays, {each.name: each.now for each in stays}), **together(self.entries, values)}
        if self._why_not() or self._waits is not None:
            self._show()
            return
        paths = {each.path: values[each.name] for each in self.entries if each.name in values}
        paths |= {each.path: each.now for each in stays if each.name not in values and each.now != each.was}
        if writes and (problem := self._write(paths) if paths else "nothing is changed here"):
            self._problem = f"not written: {problem}"
            self._show()
            return
        if not values and not self.resets:
            self.dismiss(None)
            return
        self._problem = ""
        self._waits = self._heard()[0] + self._send(wanted, bool(self.resets))
        self._show()
