"""Welcome: the scenarios that lie here, the runs of this machine, and what else one can begin with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from octogram_tui import __version__
from octogram_tui.errors import OctogramError, ScenarioError
from octogram_tui.journal import archive
from octogram_tui.journal.runbook import Page, RunBook, RunEntry, wanted_first
from octogram_tui.scenario.nearby import Nearby, Search, search
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.choices import Choice, ChoiceList
from octogram_tui.tui.entry.lines import Said, keys_line
from octogram_tui.tui.entry.run_line import damage_rows, forget_question, run_pieces
from octogram_tui.tui.format import plural
from octogram_tui.tui.key_order import ScreenManners
from octogram_tui.tui.widgets.brush import Brush, Piece, fit

FEWEST_RUNS, MOST_RUNS = 3, 12
"""So many are shown at least, and at most where there is room; `octogram-tui runs` and `replay` know all."""
LOOK_AGAIN_S = 2.0
NAME_CELLS = 30
START_CELLS = 14
ABOUT_LINES = 2

Wish = tuple[str, ...]
"""The words of a command line, as if they had been typed."""


class Checked(NamedTuple):
    """What `check` says of a scenario, in short."""

    is_good: bool
    says: str  # how large it is, or what is wrong with it first
    errors: int = 0


class NewScenario(NamedTuple):
    """The row that writes one."""


class Doctor(NamedTuple):
    """The row that looks at the machines of one."""


class Demo(NamedTuple):
    """The row that teaches."""


class WelcomeScreen(ScreenManners, Screen[None]):
    """Ends the app with the words of a command."""

    app: EntryApp[Wish]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "leave", show=False),
        Binding("p", "paused", show=False),
        Binding("D", "doctor", show=False),
        Binding("E", "edit", show=False),
        Binding("N", "new", show=False),
        Binding("d,delete", "forget", show=False),
    ]

    def __init__(
        self,
        app: EntryApp[Wish],
        *,
        runs_dir: Path,
        directory: Path,
        note: str = "",
        wanted: str = "",
    ) -> None:
        """note: what came of the wish before this one; wanted: the name of the row to begin at."""
        super().__init__(id="welcome")
        self._brush = app.brush
        self._book = RunBook(runs_dir)
        self._directory = directory
        self._note = note
        self._wanted = wanted
        self._search: Search | None = None
        self._checked: dict[Path, Checked] = {}
        self._page = Page()
        self._asks_doctor = False  # the row of the doctor was chosen: which scenario?
        self._is_gone = False
        self._seen = {"scenarios": asyncio.Event(), "runs": asyncio.Event()}
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
        """Look around, in a thread that nobody waits for: a directory may hang."""
        self.set_focus(self.choices)
        self.draw()
        self._beside(self._look_around)
        self._beside(self._read_runs)
        self.set_interval(LOOK_AGAIN_S, lambda: self._beside(self._read_runs))

    async def first_look(self) -> None:
        """Wait for what there is to choose from: until then the first row is another one."""
        for each in self._seen.values():
            await each.wait()

    def on_unmount(self) -> None:
        """What is still looked for is not wanted any more."""
        self._is_gone = True

    def on_resize(self, _: events.Resize) -> None:
        """Lines are laid out for the width."""
        self.draw()

    # Looking around, in threads

    def _beside(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def _tell(self, take: Callable[..., None], *found: Any) -> None:
        if not self._is_gone:
            self.app.call_later(take, *found)

    def _look_around(self) -> None:
        found = search(self._directory)
        self._tell(self._take_search, found)
        for each in found.found:
            if self._is_gone:
                return
            self._tell(self._take_checked, each.path, checked(each.path))

    def _read_runs(self) -> None:
        self._tell(self._take_runs, self._book.read())

    def _take_search(self, found: Search) -> None:
        self._search = found
        self.draw()
        self._seen["scenarios"].set()

    def _take_checked(self, path: Path, found: Checked) -> None:
        self._checked[path] = found
        self.draw()

    def _take_runs(self, page: Page) -> None:
        self._page = page
        self.draw()
        self._seen["runs"].set()

    # Drawing

    def draw(self) -> None:
        """Say everything as it is now."""
        brush, width = self._brush, self.app.size.width
        place = brush.text(_home(self._directory))
        title = "Which scenario's machines?" if self._asks_doctor else f"octogram-tui {__version__}"
        self.title_line.say(
            [[(f" {title}", "strong"), ("  ", ""), (fit(place, max(0, width - len(title) - 4)), "dim")]]
        )
        rows = self._scenario_rows(width)
        if not self._asks_doctor:
            others = self._other_rows(width)
            rows += self._run_rows(width, self.app.size.height - len(rows) - len(others) - 7) + others
        self.choices.fill(rows, wanted=self._wanted)
        self._wanted = ""
        self._draw_about()

    def _scenario_rows(self, width: int) -> list[Choice]:
        brush = self._brush
        rows = [_heading("Scenarios here")]
        if self._search is None:
            return [*rows, _words("   looking ...")]
        if not self._search.found:
            text = "   none in this directory, nor two levels below it: N writes one, Demo shows one"
            return [*rows, _words(fit(text, width).rstrip())]
        rows += [Choice(str(e.path), self._scenario_pieces(brush, e, width), e) for e in self._search.found]
        if self._search.is_cut:
            rows.append(_words("   ... and perhaps more: this directory is large"))
        return rows

    def _scenario_pieces(self, brush: Brush, each: Nearby, width: int) -> tuple[Piece, ...]:
        found = self._checked.get(each.path)
        name = brush.text(_below(each.path, self._directory))
        sign: Piece = (f"   {brush.pick('◦', '.')} ", "pending")
        if found is not None:
            sign = (f"   {brush.pick('✓', 'v')} ", "ok") if found.is_good else (f"   {brush.pick('✗', 'x')} ", "failed")
        pieces: list[Piece] = [sign, (fit(name, NAME_CELLS), "strong" if found is None or found.is_good else "failed")]
        room = max(0, width - NAME_CELLS - 7)
        if found is not None and not found.is_good:
            return (*pieces, (fit("  " + brush.text(found.says), room), "failed"))
        size = found.says if found is not None else ""
        return (*pieces, (fit(f"  {size}", min(room, 22)), ""), (fit(brush.text(each.title), max(0, room - 22)), "dim"))

    def _run_rows(self, width: int, room: int) -> list[Choice]:
        brush = self._brush
        entries = list(wanted_first(self._page))
        waiting = sum(entry.wants_operator for entry in entries)
        rows = [_words(""), _heading("Runs", f"{waiting} waiting for you" if waiting else "")]
        shown = max(FEWEST_RUNS, min(MOST_RUNS, room), waiting)
        now_s = self.app.clock()
        rows += [Choice(e.run.id, run_pieces(e, brush, now_s, width), e) for e in entries[:shown]]
        if not entries:
            rows.append(_words("   none yet"))
        elif len(entries) > shown:
            rows.append(_words(f"   {plural(len(entries) - shown, 'older run')}: octogram-tui replay"))
        rows += damage_rows(self._page, self._book.runs_dir, brush, width)
        return rows

    def _other_rows(self, width: int) -> list[Choice]:
        others: tuple[tuple[str, str, Any], ...] = (
            ("Demo", "pause, repair, run again, go on: learnt in a minute, on this machine", Demo()),
            ("New scenario", "a small one to begin with", NewScenario()),
            ("Doctor", "try the machines of a scenario, before a run does", Doctor()),
        )
        rows = [_words(""), _heading("Start")]
        for name, text, value in others:
            said = fit(text, max(0, width - START_CELLS - 6)).rstrip()
            rows.append(Choice(name, (("     ", ""), (fit(name, START_CELLS), "strong"), (said, "dim")), value))
        return rows

    def _draw_about(self) -> None:
        value, width = self.choices.value, self.app.size.width
        about: list[Piece] = []
        keys = [("enter", "open")]
        match value:
            case Nearby():
                about = [(self._brush.text(value.title), "")]
                found = self._checked.get(value.path)
                if found is not None and not found.is_good:
                    about = [(self._brush.text(found.says), "failed")]
                keys = [("enter", "run"), ("p", "run, paused at its start"), ("D", "doctor"), ("E", "edit")]
                if self._asks_doctor:
                    keys = [("enter", "look at its machines")]
            case RunEntry():
                about = [(f"{self._brush.text(value.run.id)}  {self._brush.text(value.run.info.scenario)}", "dim")]
                keys = [("enter", value.use), *([("d", "delete")] if value.use == "replay" else [])]
        lines: list[list[Piece]] = [[(fit(f" {self._brush.text(self._note)}", width), "accent")]] if self._note else []
        for text, style in about:
            lines += [[(f" {part}", style)] for part in wrap(text, max(10, width - 2))]
        self.about.say([*lines, [], []][:ABOUT_LINES])  # always as many: the list keeps its place
        self.keys.say([keys_line([*keys, ("N", "new"), ("q", "back" if self._asks_doctor else "leave")])])

    # Choosing

    def on_line_view_cursor_moved(self) -> None:
        """Tell of another row."""
        self._note = ""
        self._draw_about()

    def on_choice_list_opened(self, message: ChoiceList.Opened) -> None:
        """Enter."""
        match message.value:
            case Nearby(path=path):
                name = _argument(path, self._directory)
                self._wish(*(("doctor", name) if self._asks_doctor else (name,)))
            case RunEntry() as entry:
                self._wish(entry.use, entry.run.id)
            case Demo():
                self._wish("demo")
            case NewScenario():
                self.action_new()
            case Doctor():
                self._ask_doctor()

    def _wish(self, *words: str) -> None:
        self.app.exit(words)

    def _ask_doctor(self) -> None:
        found = self._search.found if self._search is not None else []
        if len(found) == 1:
            self._wish("doctor", _argument(found[0].path, self._directory))
        elif found:
            self._asks_doctor = True
            self.draw()
        else:
            self.app.notify("there is no scenario here whose machines could be tried", severity="warning", markup=False)

    def action_leave(self) -> None:
        """Leave, or go back to the whole list."""
        if self._asks_doctor:
            self._asks_doctor = False
            self.draw()
        else:
            self.app.exit(None)

    def _chosen_scenario(self) -> Path | None:
        value = self.choices.value
        if isinstance(value, Nearby):
            return value.path
        self.app.notify("choose a scenario first", severity="warning", markup=False)
        return None

    def action_paused(self) -> None:
        """Run a scenario, held before its first stage."""
        path = self._chosen_scenario()
        if path is not None:
            self._wish(_argument(path, self._directory), "--paused")

    def action_doctor(self) -> None:
        """Look at a scenario's machines."""
        path = self._chosen_scenario()
        if path is not None:
            self._wish("doctor", _argument(path, self._directory))

    def action_edit(self) -> None:
        """Edit a scenario, and look at it again."""
        path = self._chosen_scenario()
        if path is not None:
            look = partial(self._beside, lambda: self._tell(self._take_checked, path, checked(path)))
            self.app.edit_file(str(path), 0, look)

    def action_new(self) -> None:
        """Write a scenario under a name that is free."""
        for number in range(1, 100):
            name = "scenario.yml" if number == 1 else f"scenario-{number}.yml"
            if not (self._directory / name).exists():
                self._wish("init", name)
                return

    def action_forget(self) -> None:
        """Delete a run that has ended, after a question."""
        entry = self.choices.value
        if not isinstance(entry, RunEntry):
            return
        if entry.use == "attach":
            self.app.notify("it goes on: stop it first", severity="warning", markup=False)
            return

        def take(answer: str | None) -> None:
            if answer:
                problem = archive.forget(self._book.runs_dir, entry.run)
                if problem:
                    self.app.notify(self._brush.text(problem), severity="warning", markup=False)
                self._beside(self._read_runs)

        self.app.open_dialog(forget_question(self._brush, entry), take)


def checked(path: Path) -> Checked:
    """Look at a scenario as `check` does. Never raises."""
    from octogram_tui.scenario.documents import ASK_HINT
    from octogram_tui.scenario.load import load_scenario

    try:
        scenario = load_scenario(str(path)).scenario
    except ScenarioError as error:
        problems = [problem for problem in error.problems if not problem.is_warning]
        if problems and all(problem.hint == ASK_HINT for problem in problems):
            return Checked(True, "its agents are told by a program, which a run asks")
        first = problems[0] if problems else error.problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        where = f"line {first.line}: " if first.line else ""
        return Checked(False, f"{where}{first.message}{more}", len(problems))
    except OctogramError as error:
        return Checked(False, error.message, 1)
    except Exception as error:  # a defect of ours: the list stays, and `check` shows it whole
        return Checked(False, f"cannot be looked at: {type(error).__name__}: {error}", 1)
    return Checked(True, f"{plural(len(scenario.stages), 'stage')}, {plural(len(scenario.agents), 'agent')}")


def _heading(text: str, more: str = "") -> Choice:
    return Choice(text, ((f" {text}", "accent"), (f"  {more}" if more else "", "held")))


def _words(text: str, style: str = "dim") -> Choice:
    return Choice(text, ((text, style),))


def _below(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)


def _argument(path: Path, directory: Path) -> str:
    """Give a path as one would type it; one that reads as an option or a command gets its directory."""
    text = _below(path, directory)
    return f"./{text}" if text.startswith("-") or ("/" not in text and "." not in text) else text


def _home(directory: Path) -> str:
    try:
        return f"~/{directory.relative_to(Path.home())}".removesuffix("/.")
    except (ValueError, RuntimeError):
        return str(directory)
