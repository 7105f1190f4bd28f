"""A list of runs to choose one from: for `attach` and `replay` without a name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from octogram_tui.journal import archive
from octogram_tui.journal.runbook import Page, RunBook, RunEntry, Use, wanted_first
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.choices import Choice, ChoiceList
from octogram_tui.tui.entry.lines import Said, keys_line
from octogram_tui.tui.entry.run_line import damage_rows, forget_question, run_pieces
from octogram_tui.tui.key_order import ScreenManners

LOOK_AGAIN_S = 2.0


class ChooserScreen(ScreenManners, Screen[None]):
    """Ends the app with the name of a run. use: `attach` shows those that go on, `replay` all of them."""

    app: EntryApp[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "leave", show=False),
        Binding("d,delete", "forget", show=False),
    ]

    def __init__(self, app: EntryApp[str], *, runs_dir: Path, use: Use) -> None:
        super().__init__(id="chooser")
        self._brush = app.brush
        self._book = RunBook(runs_dir)
        self._use: Use = use
        self._page: Page | None = None
        self._seen = asyncio.Event()
        self.title_line = Said(app.brush, id="entry-title")
        self.choices = ChoiceList(app.model, app.brush)
        self.about = Said(app.brush, id="entry-about")
        self.keys = Said(app.brush, id="entry-keys")

    def compose(self) -> ComposeResult:
        """A list between two lines."""
        yield self.title_line
        yield self.choices
        yield self.about
        yield self.keys

    def on_mount(self) -> None:
        """Read the list, now and then."""
        self.set_focus(self.choices)
        self.set_interval(LOOK_AGAIN_S, self._look_again)
        self._look_again()

    def on_resize(self, _: events.Resize) -> None:
        """Lines are laid out for the width."""
        self.draw()

    async def first_look(self) -> None:
        """Wait for the list."""
        await self._seen.wait()

    def _look_again(self) -> None:
        self.run_worker(self._read(), group="runs", exclusive=True)

    async def _read(self) -> None:
        self._page = await asyncio.to_thread(self._book.read)
        self.draw()
        self._seen.set()

    def draw(self) -> None:
        """Say everything as it is now."""
        brush, width = self._brush, self.app.size.width
        title = "Which run? It is shown again; nothing is run" if self._use == "replay" else "Which run? It goes on"
        self.title_line.say([[(f" {title}", "strong")]])
        if self._page is None:
            return
        entries = [entry for entry in wanted_first(self._page) if self._use == "replay" or entry.use == "attach"]
        now_s = self.app.clock()
        rows = [Choice(e.run.id, run_pieces(e, brush, now_s, width), e) for e in entries]
        if not rows:
            rows = [Choice("", (("   there is none any more", "dim"),))]
        self.choices.fill(rows + damage_rows(self._page, self._book.runs_dir, brush, width))
        self._draw_about()

    def _draw_about(self) -> None:
        entry = self.choices.value
        if not isinstance(entry, RunEntry):
            self.about.say([[]])
            self.keys.say([keys_line([("q", "leave")])])
            return
        self.about.say([[(f" {self._brush.text(entry.run.id)}  {self._brush.text(entry.run.info.scenario)}", "dim")]])
        keys = [("enter", self._use), *([("d", "delete")] if entry.use == "replay" else []), ("q", "leave")]
        self.keys.say([keys_line(keys)])

    def on_line_view_cursor_moved(self) -> None:
        """Tell of another run."""
        self._draw_about()

    def on_choice_list_opened(self, message: ChoiceList.Opened) -> None:
        """Take it."""
        self.app.exit(message.value.run.id)

    def action_leave(self) -> None:
        """Take none."""
        self.app.exit(None)

    def action_forget(self) -> None:
        """Delete a run that has ended, after a question."""
        entry = self.choices.value
        if not isinstance(entry, RunEntry) or entry.use == "attach":
            return

        def take(answer: str | None) -> None:
            problem = archive.forget(self._book.runs_dir, entry.run) if answer else ""
            if problem:
                self.app.notify(self._brush.text(problem), severity="warning", markup=False)
            self._look_again()

        self.app.open_dialog(forget_question(self._brush, entry), take)
