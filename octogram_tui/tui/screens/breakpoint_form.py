"""The form of a breakpoint: where, at which point, under which condition, how often, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.engine.breakpoint_check import problem_of
from octogram_tui.engine.stimuli import BreakRequest
from octogram_tui.model.breakpoint import HAS_NAME, WHEN, Breakpoint, When
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import TITLE_ROWS, DialogText, room_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_most
from octogram_tui.tui.widgets.title_line import cut
from octogram_tui.tui.widgets.typed_line import TypedLine

LABEL_CELLS = 7
WHEN_FIELD = "when"
TEXTS = ("pattern", "name", "condition", "hits", "log")
LABELS = {"pattern": "where", "condition": "if", "log": "write"}
MEANS: dict[str, str] = {
    "pattern": "stage/job@agent[item]: each part optional, * is anything",
    "name": "the variable, or the kind: exit, timeout, assert ...; empty: any",
    "condition": "over vars, agent, re, item, res; empty: always",
    "hits": "3: from the third time on, =3: then only, %3: each third",
    "log": "a text, with templates; it goes on then; empty: it stops",
}
POINTS: dict[When, str] = {
    "before": "before each attempt",
    "after": "after each attempt",
    "failed": "when it failed",
    "retried": "when it failed and is tried again",
    "skipped": "when it was skipped",
    "stage": "before a stage begins",
    "variable": "when a variable changes",
    "lost": "when an agent is lost",
}


class BreakpointForm(Dialog[BreakRequest]):
    """Gives the request, or None for never mind. Tab, enter in all but the last field, up and down go about.

    Enter sets from anywhere; what the run would refuse is said at once, and the form stays.

    about: says what a pattern is about now
    """

    def __init__(
        self, brush: Brush, given: Breakpoint, number: int = 0, *, about: Callable[[Breakpoint], str], first: str = ""
    ) -> None:
        super().__init__()
        self.brush = brush
        self._given = given
        self._number = number
        self._about = about
        self._first = first or ("condition" if given.pattern else "pattern")
        self.when: When = given.when
        self._shown = {name: brush.text(getattr(given, name), limit=4000) for name in TEXTS}
        self.fields = {name: TypedLine(self._shown[name], id=f"break-{name}") for name in TEXTS}
        title = f"Breakpoint {number}" if number else "A new breakpoint"
        self.heading = DialogText(brush, [[(title, "strong"), ("   enter: set   esc: never mind", "faint")]])
        self.point = DialogText(brush, [])
        self.says = DialogText(brush, [])
        self.says.id = "variable-says"

    def compose(self) -> ComposeResult:
        """A line for each thing that can be said of it, and what comes of that."""
        with Vertical(classes="dialog", id="prompt"):
            yield self.heading
            for name in ("pattern", WHEN_FIELD, "name", "condition", "hits", "log"):
                label = DialogText(self.brush, [[(fit(LABELS.get(name, name), LABEL_CELLS), "dim")]])
                yield Horizontal(label, self.point if name == WHEN_FIELD else self.fields[name], id=f"line-{name}")
            yield self.says

    def on_mount(self) -> None:
        """Start where there is something to fill in."""
        self._show()
        self._go_to(self._first)

    def on_resize(self) -> None:
        """Say it in what room there is."""
        self.heading.display = self.app.size.height >= TITLE_ROWS + 4
        self._show()

    def sync(self) -> None:
        """What it is about may be more by now."""
        if self.is_mounted and not self.is_closed:
            self._show()

    # What was filled in

    @property
    def here(self) -> str:
        """The field that has the keys."""
        return next((name for name, field in self.fields.items() if field is self.focused), WHEN_FIELD)

    def _order(self) -> list[str]:
        named = ["name"] if self.when in HAS_NAME else []
        return ["pattern", WHEN_FIELD, *named, "condition", "hits", "log"]

    def read(self) -> Breakpoint:
        """Give what is filled in, right or wrong."""
        texts: dict[str, Any] = {name: self._text(name) for name in TEXTS}
        if self.when not in HAS_NAME:
            texts["name"] = ""
        texts["pattern"] = texts["pattern"] or "*"
        return replace(self._given, when=self.when, **texts)

    def _text(self, name: str) -> str:
        """Give a field's text; what was not touched stays as it was set, whatever can be shown of it."""
        value = self.fields[name].value
        given: str = getattr(self._given, name)
        return given if value == self._shown[name] else value.strip()

    def _show(self) -> None:
        room = room_of(self.app.size.width)
        is_here = self.here == WHEN_FIELD
        self.point.show([[(fit_most(POINTS[self.when], room - LABEL_CELLS), "accent" if is_here else "")]])
        for line in self.query("#line-name"):  # not there yet, where the size changes while it opens
            line.display = self.when in HAS_NAME
        given = self.read()
        problem = problem_of(given)
        first: list[Piece] = [(self.brush.text(problem), "failed")] if problem else [(self._about(given), "dim")]
        means = "left, right: choose" if is_here else MEANS[self.here]
        second: list[Piece] = [(means, "faint")]
        self.says.show([cut(first, room), cut(second, room)])

    # Keys

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, go about, choose, set."""
        key = event.key if isinstance(event, Key) else ""
        order = self._order()
        at = order.index(self.here) if self.here in order else 0
        if key == "escape":
            self.dismiss(None)
        elif key == "enter":
            self._set()
        elif key in ("tab", "down"):
            self._go_to(order[(at + 1) % len(order)])
        elif key in ("shift+tab", "up"):
            self._go_to(order[at - 1])
        elif self.here == WHEN_FIELD:
            if key in ("left", "right", "space"):
                self._choose(-1 if key == "left" else 1)
            return key != "ctrl+c"
        else:
            return await self.fields[self.here].take_input(event)
        return True

    def _choose(self, by: int) -> None:
        self.when = WHEN[(WHEN.index(self.when) + by) % len(WHEN)]
        self._show()

    def _go_to(self, name: str) -> None:
        if name == WHEN_FIELD:
            self.set_focus(None)
        else:
            field = self.fields[name]
            self.set_focus(field)
            field.cursor_position = len(field.value)
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say anew what it is about."""
        event.stop()
        self._show()

    def on_descendant_focus(self) -> None:
        """What is said depends on where one is."""
        self._show()

    def _set(self) -> None:
        given = self.read()
        if problem_of(given):
            self._show()
            return
        self.dismiss(
            BreakRequest(
                given.pattern,
                given.when,
                given.name,
                given.condition,
                given.hits,
                given.log,
                given.is_once,
                given.is_on,
                self._number,
            )
        )
