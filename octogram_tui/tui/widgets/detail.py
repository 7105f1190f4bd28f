"""The inspector: all that is known of what is chosen, wrapped to the pane."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from rich.cells import cell_len, chop_cells
from textual.events import Click

from octogram_tui.projection.compare import Side, compare, compare_lines, partners
from octogram_tui.projection.explain import explain, explain_lines, loudest_first
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow
from octogram_tui.projection.tree import Shown, unfolded
from octogram_tui.tui.foothold import Foothold, key_of
from octogram_tui.tui.look.compare import compared
from octogram_tui.tui.look.describe import describe
from octogram_tui.tui.look.explain import INDENT_CELLS, explained
from octogram_tui.tui.look.pieces import FOLD_WORDS, SHORT_ROWS, Sight, hanging
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView

UNSEEN_LINES = 10


Page = Literal["look", "explain", "compare"]


class Detail(LineView):
    """Lines to read, made again when the subject changes. Its pages: what is known, why it is so, and how it differs.

    In the page that explains the cursor goes from line to line of the tree, and folds.
    """

    has_cursor = False

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="detail")
        self.subject: Subject | None = None
        self.page: Page = "look"
        self._foothold = Foothold(model)
        self.is_unfolded = False  # long values are whole
        self.has_log = False  # what the subject wrote is on the screen as well
        self.partner = 0  # the how manieth of those to compare with
        self.partners: list[Side] = []
        self._toggled: frozenset[tuple[str, ...]] = frozenset()  # of the tree: what is not as it is at first
        self._tree: list[Shown] = []
        self._owners: list[int] = []  # by line: which of `_tree` it belongs to
        self._basis: object = None
        self._lines: list[tuple[Piece, ...]] = []

    def look_at(self, subject: Subject | None) -> None:
        """Tell of something else."""
        if subject is not self.subject:
            former, self.subject = self.subject, subject
            is_same = subject is not None and former is not None and key_of(subject) == key_of(former)
            if not is_same:  # at another moment it is: what is unfolded stays
                self.is_unfolded = False
                self.partner = 0
                self._toggled = frozenset()
                self.cursor = 0
                self.scroll_line(0)
            self.sync()

    def turn_to(self, page: Page) -> None:
        """Show another page; the one that is shown gives way to the first, or to the next to compare with."""
        if page != self.page:
            self.page = page
            self.partner = 0
        elif page == "compare" and self.partner + 1 < len(self.partners):
            self.partner += 1
        else:
            self.page = "look"
        self.has_cursor = self.page == "explain"
        self.cursor = 0
        self.scroll_line(0)
        self._basis = None
        self.sync()

    def title(self) -> list[Piece]:
        """Name the page, where it is not the first."""
        if self.page == "look":
            return []
        count = f" {self.partner + 1}/{len(self.partners)}" if self.page == "compare" and self.partners else ""
        return [(self.page + count, "accent")]

    def moment_changed(self) -> None:
        """Tell of the same as it was then."""
        super().moment_changed()
        self.subject = self._foothold.again(self.subject)
        self._basis = None

    def wanted_lines(self) -> int:
        """As long as it is not seen its lines are not laid out: then a guess."""
        return max(UNSEEN_LINES if self.subject is not None else 0, super().wanted_lines())

    def open(self) -> bool:
        """Fold or unfold a line of the tree; else nothing is behind it."""
        if self.page == "explain":
            self._toggle(self._here())
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
        basis = (id(subject), version, seconds, services, self._written(), seen, self._of_page())
        if basis != self._basis and self.has_place:
            self._basis = basis
            self._lay_out(sight, max(10, self.line_cells - 2))
        super().sync()

    def _of_page(self) -> object:
        """Name what the other pages depend on besides."""
        if self.page == "look":
            return None
        board = self.model.board
        versions = (self.model.variables.version, board.queue.version, board.stops.version, board.is_paused)
        return (self.page, versions, self._toggled, self.partner)

    def _lay_out(self, sight: Sight, width: int) -> None:
        lines: list[list[Piece]]
        if self.page == "explain":
            self._tree = unfolded(explain(self.subject, self.model.known), self._toggled)
            lines = [explained(shown, self.brush) for shown in self._tree]
        elif self.page == "compare":
            lines = self._compared(width)
        else:
            lines = describe(self.subject, sight)
        self._lines, self._owners = [], []
        for index, line in enumerate(lines):
            parts = self._laid(index, line, width)
            self._lines += parts
            self._owners += [index] * len(parts)

    def _laid(self, index: int, line: list[Piece], width: int) -> list[tuple[Piece, ...]]:
        if self.page == "explain":
            indent = min(width // 2, INDENT_CELLS * (self._tree[index].depth + 2))
            return [tuple(row) for row in hanging(line, width, indent)]
        if self.page == "compare":
            return [tuple(row) for row in hanging(line, width, 2)]
        return _wrapped(line, width)

    def _compared(self, width: int) -> list[list[Piece]]:
        row = self._row_to_compare()
        self.partners = []
        if row is None or row.last is None:
            return [[("choose a row that has run: what it did is then compared with where it went well", "dim")]]
        known = self.model.known
        self.partners = partners(row, known)
        if not self.partners:
            return [[("there is nothing to compare it with: no other attempt, agent or item has run", "dim")]]
        self.partner = min(self.partner, len(self.partners) - 1)
        other = self.partners[self.partner]
        return compared(compare(Side(row, row.last), other, known, self.model.written), self.brush, width)

    def _row_to_compare(self) -> InstanceRow | None:
        """The row that is told of; of a stage or a job the loudest of its rows that have run."""
        if isinstance(self.subject, Group):
            return next((row for row in loudest_first(self.subject) if row.last is not None), None)
        return self.subject if isinstance(self.subject, InstanceRow) else None

    # The tree

    def _here(self) -> Shown | None:
        """The line of the tree that the cursor is on."""
        if self.page != "explain" or self.cursor >= len(self._owners):
            return None
        return self._tree[self._owners[self.cursor]]

    def _toggle(self, shown: Shown | None) -> None:
        if shown is not None and shown.node.can_unfold:
            self._toggled = self._toggled ^ {shown.path}
            self.sync()

    def action_move(self, by: int) -> None:
        """Move by lines; in the tree over what only goes on with the line before."""
        step = 1 if by > 0 else -1
        at = self.cursor + by
        while self.page == "explain" and 0 < at < len(self._owners) and self._owners[at] == self._owners[at - 1]:
            at += step
        super().action_move(at - self.cursor if at < len(self._owners) else by)

    def _fold(self, by: int) -> None:
        """Unfold a line of the tree or go into it; fold it, or go to what it is below."""
        here = self._here()
        if here is None:
            return
        if by > 0 and not here.is_open:
            self._toggle(here)
        elif by > 0:
            self.action_move(1)
        elif here.is_open:
            self._toggle(here)
        else:
            above = [index for index, each in enumerate(self._tree) if each.path == here.path[:-1]]
            if above:
                self.move_to(self._owners.index(above[0]))

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
        """Unfold long values, or fold them again; in the tree the line of the cursor."""
        if self.page == "explain":
            self._fold(by)
            return
        self.is_unfolded = by > 0
        self.sync()

    def on_click(self, event: Click) -> None:
        """Unfold where it says that something is folded."""
        index = self.scroll_offset.y + event.y - self.gutter.top
        if not 0 <= index < len(self._lines):
            return
        if self.page == "explain":
            self.move_to(index)
            self._toggle(self._here())
        elif any(FOLD_WORDS in text and style == "faint" for text, style in self._lines[index]):
            self.action_sideways(1)

    def text_of_selected(self) -> str:
        """Give all of it, for the clipboard: no line is broken and no value folded."""
        known = self.model.known
        if self.page == "explain":
            return "\n".join(explain_lines(self.subject, known))
        row = self._row_to_compare()
        if self.page == "compare" and self.partners and row is not None and row.last is not None:
            left = Side(row, row.last)
            return "\n".join(compare_lines(compare(left, self.partners[self.partner], known, self.model.written)))
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
