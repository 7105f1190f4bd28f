"""The inspector: all that is known of what is chosen, wrapped to the pane."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len, chop_cells
from textual.events import Click

from octogram_tui.projection.rows import AgentRow, Group, InstanceRow
from octogram_tui.tui.look.describe import describe
from octogram_tui.tui.look.pieces import FOLD_WORDS, SHORT_ROWS, Sight
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView

UNSEEN_LINES = 10


class Detail(LineView):
    """Lines to read; made again when the subject changes."""

    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="detail")
        self.subject: Subject | None = None
        self.is_unfolded = False  # long values are whole
        self.has_log = False  # what the subject wrote is on the screen as well
        self._basis: object = None
        self._lines: list[tuple[Piece, ...]] = []

    def look_at(self, subject: Subject | None) -> None:
        """Tell of something else."""
        if subject is not self.subject:
            self.subject = subject
            self.is_unfolded = False
            self.scroll_line(0)
        self.sync()

    def wanted_lines(self) -> int:
        """As long as it is not seen its lines are not laid out: then a guess."""
        return max(UNSEEN_LINES if self.subject is not None else 0, super().wanted_lines())

    def open(self) -> bool:
        """Nothing is behind it."""
        return True

    def count(self) -> int:
        """Say how many lines it takes."""
        return len(self._lines)

    def sync(self) -> None:
        """Tell anew when what is told of has changed, or its time has."""
        subject = self.subject
        seconds = -1
        if isinstance(subject, (Group, InstanceRow)):
            took = subject.duration_s(self.model.now_s)
            seconds = -1 if took is None else int(took)
        services = len(self.model.board.services) if isinstance(subject, AgentRow) else 0
        version = -1 if subject is None else subject.version
        is_short = self.size.height < SHORT_ROWS
        sight = Sight(self.model, self.brush, is_short, self.is_unfolded, self.has_log)
        seen = (self.line_cells, sight[2:], self.brush.version, self.model.source.version)
        basis = (id(subject), version, seconds, services, self._written(), seen)
        if basis != self._basis and self.has_place:
            self._basis = basis
            width = max(10, self.line_cells - 2)
            self._lines = []
            for line in describe(subject, sight):
                self._lines += _wrapped(line, width)
        super().sync()

    def line_key(self, index: int) -> Hashable:
        """A line is what it says."""
        return self._lines[index]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a line that was laid out before."""
        return [(" ", ""), *self._lines[index]]

    def _written(self) -> int:
        """How many lines it wrote: the last of them are told."""
        subject = self.subject
        if not isinstance(subject, InstanceRow):
            return 0
        return sum(origin.total for origin in self.model.logbook.attempts.get(subject.key, ()))

    def action_sideways(self, by: int) -> None:
        """Unfold long values, or fold them again."""
        self.is_unfolded = by > 0
        self.sync()

    def on_click(self, event: Click) -> None:
        """Unfold where it says that something is folded."""
        index = self.scroll_offset.y + event.y - self.gutter.top
        if 0 <= index < len(self._lines) and any(
            FOLD_WORDS in text and style == "faint" for text, style in self._lines[index]
        ):
            self.action_sideways(1)

    def text_of_selected(self) -> str:
        """Give all of it, for the clipboard: no line is broken and no value folded."""
        lines = describe(self.subject, Sight(self.model, self.brush, is_unfolded=True))
        return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def _wrapped(line: list[Piece], width: int) -> list[tuple[Piece, ...]]:
    """Lay a line over as many as it takes; those that follow stand below its last piece."""
    if sum(cell_len(text) for text, _ in line) <= width:
        return [tuple(line)]
    *first, (text, style) = [piece for piece in line if piece[0]]
    indent = min(sum(cell_len(piece) for piece, _ in first), width // 2)
    indent += min(len(text) - len(text.lstrip()), width // 4) if not first else 0
    parts = _broken(text.lstrip() if not first else text, max(4, width - indent))
    head: tuple[Piece, ...] = tuple(first) if first else ((" " * indent, ""),)
    return [(*head, (parts[0], style)), *(((" " * indent, ""), (part, style)) for part in parts[1:])]


def _broken(text: str, width: int) -> list[str]:
    """Break a text where its words end; a word that is too long for a line wherever that is full."""
    parts: list[str] = []
    while cell_len(text) > width:
        head = chop_cells(text, width)[0]
        rest = text[len(head) :]
        if not rest.startswith(" ") and " " in head.strip() and cell_len(head[: head.rindex(" ")]) > width // 2:
            head = head[: head.rindex(" ")]
        parts.append(head)
        text = text[len(head) :].removeprefix(" ")
    return [*parts, text] if text or not parts else parts
