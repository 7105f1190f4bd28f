"""A question with a few answers, one key each; and lines of text, for any dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Click, Key, Paste
from textual.strip import Strip
from textual.widget import Widget

from octogram_tui.tui.key_order import Dialog
from octogram_tui.tui.widgets.brush import Brush, Piece, cells_of, fit, wrapped
from octogram_tui.tui.widgets.scrollbar import draw_whole_cells
from octogram_tui.tui.widgets.title_line import cut

KEY_CELLS = 7
MOST_CELLS = 76
FORM_CELLS = 62
LEAST_CELLS = 10
AROUND_CELLS = 5
"""A frame, a blank at each side of the text, and a scroll bar."""
AROUND_ROWS = 4
TITLE_ROWS = 9
"""On fewer rows forms have no title: it would take the place of what is filled in."""


class Answer(NamedTuple):
    """One way to answer: its key, and what it means. `value` is what the asker gets."""

    key: str
    text: str
    value: str


class Asked(NamedTuple):
    """What a question asks. Without answers it tells, and can only be closed."""

    title: str
    lines: Sequence[str] = ()
    answers: Sequence[Answer] = ()


def room_of(width: int) -> int:
    """Say how many cells a line of a form has, on a screen of some width."""
    return max(LEAST_CELLS, min(FORM_CELLS, _inside(width)))


def _inside(width: int) -> int:
    """Say how many cells there are within the widest dialog, which is given 92 of 100 by console.tcss."""
    return width * 92 // 100 - AROUND_CELLS


class DialogText(Widget):
    """Text of a fixed size; never read as markup."""

    def __init__(self, brush: Brush, lines: list[list[Piece]]) -> None:
        super().__init__()
        self.brush = brush
        self.lines: list[list[Piece]] = []
        self._has_size = False
        self.show(lines)

    def show(self, lines: list[list[Piece]]) -> None:
        """Say something else."""
        if lines == self.lines and self._has_size:
            return
        self._has_size = True
        self.lines = lines
        self.styles.width = max((cells_of(line) for line in lines), default=0)
        self.styles.height = len(lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        pieces = self.lines[y] if y < len(self.lines) else []
        if cells_of(pieces) > self.size.width:
            pieces = cut(pieces, self.size.width)  # with a mark that says so
        return self.brush.strip(pieces, self.size.width).apply_style(self.rich_style)


class QuestionText(DialogText):
    """The lines of a question, of which those with an answer can be clicked."""

    def __init__(self, brush: Brush) -> None:
        self.values: dict[int, str] = {}  # by line
        super().__init__(brush, [])

    def lay_out(self, asked: Asked, columns: int, rows: int) -> None:
        """Fit it to the screen: where not all is seen at once, the answers stand before what is said."""
        brush = self.brush
        room = max(LEAST_CELLS, min(MOST_CELLS, _inside(columns)))
        title: list[list[Piece]] = [[(part, "strong")] for part in wrapped(brush.text(asked.title), room)]
        said: list[list[Piece]] = [[(part, "")] for text in asked.lines for part in wrapped(brush.text(text), room)]
        answers: list[list[Piece]] = []
        values: list[str] = []
        for key, text, value in [*asked.answers, Answer("esc", "never mind" if asked.answers else "close", "")]:
            style = "" if value else "dim"
            for number, part in enumerate(wrapped(brush.text(text), room - KEY_CELLS)):
                answers.append([(fit("" if number else key, KEY_CELLS), "key"), (part, style)])
                values.append(value)
        is_low = len(title) + len(said) + len(answers) + 2 > rows - AROUND_ROWS
        if is_low:
            lines = [*title, *answers, *said]
            first = len(title)
        else:
            lines = [*title, [], *said, *([[]] if said else []), *answers]
            first = len(lines) - len(answers)
        self.values = {first + number: value for number, value in enumerate(values)}
        self.show(lines)

    def on_click(self, event: Click) -> None:
        """Answer."""
        if event.y in self.values:
            event.stop()
            self.screen.dismiss(self.values[event.y])


class Question(Dialog[str]):
    """Asks; escape (and the answer '') means: never mind. Enter takes the first answer, the harmless or expected one.

    ask: says what is asked, as often as the run changes; None when there is nothing to be asked any more
    interrupt: what ctrl+c answers; empty for what it does anywhere
    other: what tab does, after which it is asked anew
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.interrupt", show=False)]

    def __init__(
        self,
        brush: Brush,
        title: str = "",
        lines: Sequence[str] = (),
        answers: Sequence[Answer] = (),
        *,
        ask: Callable[[], Asked | None] | None = None,
        interrupt: str = "",
        other: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._ask = ask
        self._other = other
        self.interrupt = interrupt
        self.asked = (ask() if ask is not None else None) or Asked(title, tuple(lines), tuple(answers))
        self.text = QuestionText(brush)

    def compose(self) -> ComposeResult:
        """Title, text, and a line for each answer."""
        with VerticalScroll(classes="dialog question", can_focus=False):
            yield self.text

    def on_mount(self) -> None:
        """Fit it to the screen."""
        draw_whole_cells(self.query_one(VerticalScroll))
        self._lay_out()

    def on_resize(self) -> None:
        """Fit it anew."""
        self._lay_out()

    def sync(self) -> None:
        """Ask what there is to be asked now; where that is nothing, say so, and take no answer."""
        if self._ask is None:
            return
        asked = self._ask()
        if asked is None:
            asked = Asked(self.asked.title, ["That is over: there is nothing to answer any more."])
        if asked != self.asked:
            self.asked = asked
            self._lay_out()

    def _lay_out(self) -> None:
        if self.is_mounted:
            self.text.lay_out(self.asked, *self.app.size)

    async def take_input(self, event: Key | Paste) -> bool:
        """Take the key of an answer, or scroll."""
        if isinstance(event, Paste):
            return True
        body = self.query_one(VerticalScroll)
        page = max(1, body.size.height - 1)
        steps = {"down": 1, "up": -1, "pagedown": page, "pageup": -page, "home": -10_000, "end": 10_000}
        if event.key in steps:
            body.scroll_relative(y=steps[event.key], animate=False, force=True)
        elif event.key == "escape":
            self.dismiss("")
        elif event.key == "enter":
            self.dismiss(self.asked.answers[0].value if self.asked.answers else "")
        elif event.key == "tab" and self._other is not None:
            self._other()
            self.sync()
        else:
            for answer in self.asked.answers:
                if event.key == answer.key:
                    self.dismiss(answer.value)
                    return True
            return False
        return True
