"""The form in which an expression is typed: enter gives its value, another enter watches it, up gives earlier ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key, Paste
from textual.widgets import Input

from octogram_tui.tui.format import block
from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.screens.dialogs import TITLE_ROWS, DialogText, room_of
from octogram_tui.tui.widgets.brush import Brush, Piece, fit, fit_most
from octogram_tui.tui.widgets.typed_line import TypedLine

LABEL_CELLS = 7
OTHER_ROWS = 8


class EvaluateForm(Dialog[str]):
    """Gives the expression that is to be watched, or None.

    ask: gives {value} or {problem}; earlier: expressions that were evaluated, the latest last
    """

    def __init__(
        self,
        brush: Brush,
        where: str,
        ask: Callable[[str], Awaitable[dict[str, Any]]],
        earlier: list[str],
        expression: str = "",
    ) -> None:
        super().__init__()
        self.brush = brush
        self._ask = ask
        self._earlier = list(earlier)
        self._later: list[str] = []
        self._asked = ""  # what the value is of
        self._answer: dict[str, Any] | None = None
        self._is_asking = False
        self.heading = DialogText(brush, [[("Evaluate ", "strong"), (brush.text(where, limit=44), "dim")]])
        self.field = TypedLine(expression, id="expression")
        self.value = DialogText(brush, [])
        self.says = DialogText(brush, [])

    def compose(self) -> ComposeResult:
        """A line to type into, the value, and what can be done."""
        with Vertical(classes="dialog", id="prompt"):
            yield self.heading
            yield Horizontal(DialogText(self.brush, [[(fit("=", LABEL_CELLS), "dim")]]), self.field)
            yield self.value
            yield self.says

    def on_mount(self) -> None:
        """Take the keys."""
        self.set_focus(self.field)
        self.field.cursor_position = len(self.field.value)
        self._show()

    def on_resize(self) -> None:
        """Say it in what room there is."""
        self.heading.display = self.app.size.height >= TITLE_ROWS
        self._show()

    def on_input_changed(self, _: Input.Changed) -> None:
        """What was said was of another expression."""
        self._show()

    def _show(self) -> None:
        room = room_of(self.app.size.width)
        is_of_this = self._answer is not None and self._asked == self.field.value.strip()
        lines: list[list[Piece]] = []
        if is_of_this and self._answer is not None:
            problem = self._answer.get("problem")
            text = [str(problem)] if problem else block(self._answer.get("value"))
            most = max(1, self.app.size.height - OTHER_ROWS)
            shown = text if len(text) <= most else [*text[: most - 1], f"and {len(text) - most + 1} more lines"]
            style = "failed" if problem else ""
            lines = [[(fit_most(self.brush.text(line, limit=4096), room), style)] for line in shown]
        self.value.show(lines)
        can_watch = is_of_this and self._answer is not None and not self._answer.get("problem")
        words = "enter again: watch it" if can_watch else "enter: evaluate"
        words = "asking the run" if self._is_asking else words
        self.says.show([[(words, "key" if can_watch else "faint"), ("   up: earlier   esc: close", "faint")]])

    async def take_input(self, event: Key | Paste) -> bool:
        """Type, ask, or leave."""
        key = event.key if isinstance(event, Key) else ""
        if key == "escape":
            self.dismiss(None)
        elif key == "enter":
            self._go()
        elif key in ("up", "down"):
            self._turn(self._earlier, self._later) if key == "up" else self._turn(self._later, self._earlier)
        else:
            return await self.field.take_input(event)
        return True

    def _turn(self, source: list[str], others: list[str]) -> None:
        if source:
            others.append(self.field.value)
            self.field.value = source.pop()
            self.field.cursor_position = len(self.field.value)
            self._show()

    def _go(self) -> None:
        expression = self.field.value.strip()
        if not expression or self._is_asking:
            return
        if self._answer is not None and self._asked == expression and not self._answer.get("problem"):
            self.dismiss(expression)
            return
        self._is_asking = True
        self._show()
        self.run_worker(self._look(expression), exclusive=True)

    async def _look(self, expression: str) -> None:
        try:
            self._answer = await self._ask(expression)
            self._asked = expression
        finally:
            self._is_asking = False
        self._show()
