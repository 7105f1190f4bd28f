"""A question with a few answers, one key each; and lines of text, for any dialog."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.widgets.brush import Brush, Piece, fit


class Answer(NamedTuple):
    """One way to answer: its key, and what it means. `value` is what the asker gets."""

    key: str
    text: str
    value: str


class DialogText(Widget):
    """Text of a fixed size; never read as markup."""

    def __init__(self, brush: Brush, lines: list[list[Piece]]) -> None:
        super().__init__()
        self.brush = brush
        self.lines: list[list[Piece]] = []
        self.show(lines)

    def show(self, lines: list[list[Piece]]) -> None:
        """Say something else."""
        self.lines = lines
        width = max((sum(len(text) for text, _ in line) for line in lines), default=0)
        self.styles.width = width
        self.styles.height = len(lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        pieces = self.lines[y] if y < len(self.lines) else []
        return self.brush.strip(pieces, self.size.width).apply_style(self.rich_style)


class Question(ModalScreen[str]):
    """Asks; escape (and the answer '') means: never mind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer('')", show=False),
        Binding("enter", "take", show=False),
        Binding("ctrl+c", "app.interrupt", show=False),
    ]

    def __init__(self, brush: Brush, title: str, lines: list[str], answers: list[Answer]) -> None:
        super().__init__()
        self.brush = brush
        self.title_text = title
        self.body = lines
        self.answers = answers

    def compose(self) -> ComposeResult:
        """Title, text, and a line for each answer."""
        brush = self.brush
        room = max(20, min(76, self.app.size.width - 8))
        lines: list[list[Piece]] = [[(fit(brush.text(self.title_text), min(room, len(self.title_text))), "strong")], []]
        for text in self.body:
            lines += [[(part, "")] for part in wrap(brush.text(text), room)]
        lines += [[]] if self.body else []
        for answer in self.answers:
            lines.append([(fit(answer.key, 7), "key"), (brush.text(answer.text, limit=room - 7), "")])
        lines.append([(fit("esc", 7), "key"), ("never mind", "dim")])
        with Vertical(classes="dialog"):
            yield DialogText(brush, lines)

    def on_key(self, event: object) -> None:
        """Take the key of an answer."""
        key = getattr(event, "key", "")
        for answer in self.answers:
            if key == answer.key:
                getattr(event, "stop", lambda: None)()
                self.dismiss(answer.value)
                return

    def action_answer(self, value: str) -> None:
        """Close with an answer."""
        self.dismiss(value)

    def action_take(self) -> None:
        """Enter takes the first answer, which is the harmless one or what was asked for."""
        if self.answers:
            self.dismiss(self.answers[0].value)
