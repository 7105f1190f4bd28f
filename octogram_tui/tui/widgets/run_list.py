"""The runs of this machine, beside the one that is looked at: enter opens another."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from textual import events
from textual.message import Message

from octogram_tui.journal.runbook import Page, RunEntry, wanted_first
from octogram_tui.tui.entry.run_line import damage_rows, run_pieces
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView

LOOK_AGAIN_S = 2.0


class RunList(LineView):
    """Read while it is seen, now and then; those that wait for somebody stand first."""

    BINDINGS = bindings("runs")

    class Opened(Message):
        """A run was chosen."""

        def __init__(self, entry: RunEntry) -> None:
            super().__init__()
            self.entry = entry

    class Unwanted(Message):
        """A run is to be deleted."""

        def __init__(self, entry: RunEntry) -> None:
            super().__init__()
            self.entry = entry

    class Compared(Message):
        """A run is to be held against the one that is looked at."""

        def __init__(self, entry: RunEntry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="runs")
        self._page: Page | None = None
        self._entries: list[RunEntry] = []
        self._damage: list[tuple[Piece, ...]] = []
        self._read_at_s = -LOOK_AGAIN_S

    def sync(self) -> None:
        """Read the list when it was not for a while."""
        book = self.model.runs
        if book is not None and self.has_place and self.size:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._read_at_s >= LOOK_AGAIN_S:
                self._read_at_s = now_s
                self.run_worker(self._read(), group="runs", exclusive=True)
        super().sync()

    async def _read(self) -> None:
        book = self.model.runs
        if book is None:
            return
        page = await asyncio.to_thread(book.read)
        here = self._entries[self.cursor].run.id if self.cursor < len(self._entries) else ""
        self._page, self._entries = page, list(wanted_first(page))
        self._damage = [row.pieces for row in damage_rows(page, book.runs_dir, self.brush, max(20, self.line_cells))]
        names = [entry.run.id for entry in self._entries]
        if here in names:
            self.cursor = names.index(here)
        super().sync()

    def read_again(self) -> None:
        """Read the list now: it is not what it was."""
        self._read_at_s = -LOOK_AGAIN_S
        self.sync()

    @property
    def entry(self) -> RunEntry | None:
        """The run under the cursor."""
        return self._entries[self.cursor] if self.cursor < len(self._entries) else None

    def text_of_selected(self) -> str:
        """Give the run's name."""
        return self.entry.run.id if self.entry is not None else ""

    def open(self) -> bool:
        """Open the run."""
        if self.entry is not None:
            self.post_message(self.Opened(self.entry))
        return True

    def action_delete_run(self) -> None:
        """Delete a run that is over, after a question."""
        entry, book = self.entry, self.model.runs
        if entry is None or book is None:
            return
        if entry.run.id == self.model.board.run or entry.use == "attach":
            why = "this is the run that you look at" if entry.run.id == self.model.board.run else "that run goes on"
            self.app.notify(f"{why}: it is not deleted", severity="warning", markup=False)
            return
        self.post_message(self.Unwanted(entry))

    def action_compare_runs(self) -> None:
        """Say where the run under the cursor and the one that is looked at first differ."""
        if self.entry is None or self.entry.run.id == self.model.board.run:
            self.app.notify("choose another run to compare this one with", markup=False)
        else:
            self.post_message(self.Compared(self.entry))

    def title(self) -> list[Piece]:
        """Say how many wait."""
        waiting = sum(entry.wants_operator and entry.run.id != self.model.board.run for entry in self._entries)
        return [(f"{waiting} waiting for you", "held")] if waiting else []

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        if self.model.runs is None:
            return [("the runs of this machine are not known here", "dim")]
        return [("looking ...", "dim")] if self._page is None else [("there is none", "dim")]

    def count(self) -> int:
        """Say how many lines there are."""
        return len(self._entries) + len(self._damage)

    def line_key(self, index: int) -> Hashable:
        """A run is drawn anew when it stands otherwise, and while it goes on with each second."""
        if index >= len(self._entries):
            return self._damage[index - len(self._entries)]
        entry = self._entries[index]
        minutes = int(self.model.wall_s // (1 if entry.use == "attach" else 60))
        return entry.run.id, entry.says, entry.failures, minutes, entry.run.id == self.model.board.run

    def paint(self, index: int, width: int) -> list[Piece]:
        """Draw a run; the one that is looked at is marked."""
        if index >= len(self._entries):
            return list(self._damage[index - len(self._entries)])
        entry = self._entries[index]
        line = list(run_pieces(entry, self.brush, self.model.wall_s, width))
        if entry.run.id == self.model.board.run:
            sign, style = line[0]
            line[0] = (f" {self.brush.pick('›', '*')} {sign.lstrip()}", style)
        return line

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; what it is on already is opened."""
        event.prevent_default()  # what the base does with a click is done here
        index = self.scroll_offset.y + event.y - self.gutter.top
        if 0 <= index < len(self._entries):
            if index == self.cursor:
                self.open()
            else:
                self.move_to(index)
                self.moved()
