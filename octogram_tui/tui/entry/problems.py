"""What is wrong with a scenario, as a list: each with its line, the place in it, and what to do. Saving it goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from octogram_tui.errors import Problem
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.choices import Choice, ChoiceList
from octogram_tui.tui.entry.lines import Said, keys_line
from octogram_tui.tui.entry.saved import Saved
from octogram_tui.tui.format import plural
from octogram_tui.tui.key_order import ScreenManners
from octogram_tui.tui.widgets.brush import Piece, fit

LOOK_S = 0.5
AGAIN = "again"
ABOUT_LINES = 7
HINT_LINES = 3
_MARGIN = 8


class ProblemsScreen(ScreenManners, Screen[None]):
    """Ends the app with AGAIN once a file of the scenario was saved, else with None."""

    app: EntryApp[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "leave", show=False),
        Binding("E", "edit", show=False),
        Binding("r", "again", show=False),
    ]

    def __init__(self, app: EntryApp[str], *, scenario: str, problems: Sequence[Problem]) -> None:
        super().__init__(id="problems")
        self._brush = app.brush
        self._scenario = scenario
        self._problems = problems
        self._saved = Saved({scenario, *(problem.file for problem in problems if problem.file)})
        self.title_line = Said(app.brush, id="entry-title")
        self.choices = ChoiceList(app.model, app.brush)
        self.about = Said(app.brush, id="entry-about")
        self.keys = Said(app.brush, id="entry-keys")

    def compose(self) -> ComposeResult:
        """A list, the chosen problem in full, and the keys."""
        yield self.title_line
        yield self.choices
        yield self.about
        yield self.keys

    def on_mount(self) -> None:
        """See to edits, whoever makes them."""
        self.set_focus(self.choices)
        self.set_interval(LOOK_S, self._look_for_edits)
        self.draw()

    def on_resize(self, _: events.Resize) -> None:
        """Lines are laid out for the width."""
        self.draw()

    def draw(self) -> None:
        """Say everything for the width."""
        brush, width = self._brush, self.app.size.width
        errors = sum(not problem.is_warning for problem in self._problems)
        chip = (f" {plural(errors, 'error')} ", "chip-failed")
        name = brush.text(os.path.basename(self._scenario), limit=28)
        self.title_line.say([[(f" {name}", "strong"), ("  cannot run yet  ", ""), chip]])
        several = len({problem.file for problem in self._problems}) > 1
        digits = max(len(str(problem.line)) for problem in self._problems)
        rows = []
        for number, problem in enumerate(self._problems):
            sign: Piece = (brush.pick("✗", "x"), "failed") if not problem.is_warning else ("~", "retrying")
            file = f"{brush.text(os.path.basename(problem.file), limit=20)}:" if several else ""
            place = f" {file}{str(problem.line or '').rjust(digits)}  "
            said = fit(brush.text(problem.message), max(0, width - 2 - cell_len(place))).rstrip()
            rows.append(Choice(str(number), ((" ", ""), sign, (place, "dim"), (said, "")), problem))
        self.choices.fill(rows)
        self._draw_about()

    def _draw_about(self) -> None:
        problem, width = self.choices.value, self.app.size.width
        if not isinstance(problem, Problem):
            return
        brush = self._brush
        lines: list[list[Piece]] = []
        place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        lines.append([(fit(f" {brush.text(place)}", width), "accent")])
        lines += [[(f" {part}", "strong")] for part in wrap(brush.text(problem.message), max(20, width - 2))[:3]]
        if problem.line and problem.source.strip():
            lines += self._source(problem, width)
        lines += [[(f" = {part}", "")] for part in wrap(brush.text(problem.hint), max(20, width - 4))[:HINT_LINES]]
        self.about.say([*lines, *([[]] * ABOUT_LINES)][: max(ABOUT_LINES, len(lines))])
        self.keys.say([keys_line([("E", "edit at this line"), ("r", "read it again"), ("q", "leave")])])

    def _source(self, problem: Problem, width: int) -> list[list[Piece]]:
        """Show the line and a caret below its place; of a long line that part of it."""
        source = problem.source.expandtabs(1)
        room = max(10, width - _MARGIN - 1)
        start = max(0, min(problem.column - 1 - room // 2, len(source) - room)) if len(source) > room else 0
        before = self._brush.text(source[start : max(start, problem.column - 1)])
        shown = self._brush.text(source[start : start + room])
        return [
            [(f"{problem.line:>5} ", "dim"), ("| ", "faint"), (fit(shown, room).rstrip(), "")],
            [(" " * 6, ""), ("| ", "faint"), (" " * min(cell_len(before), room - 1) + "^", "failed")],
        ]

    # Going on

    def on_line_view_cursor_moved(self) -> None:
        """Tell of another problem."""
        self._draw_about()

    def on_choice_list_opened(self) -> None:
        """Enter edits, at the line."""
        self.action_edit()

    def action_edit(self) -> None:
        """Edit the file of the problem, at its line."""
        problem = self.choices.value
        if isinstance(problem, Problem):
            self.app.edit_file(problem.file or self._scenario, problem.line, self._look_for_edits)

    def action_again(self) -> None:
        """Read the scenario again."""
        self.app.exit(AGAIN)

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.app.exit(None)

    def _look_for_edits(self) -> None:
        if self._saved.is_changed():
            self.app.exit(AGAIN)
