"""Before a run that leaves this machine: what its machines are like, and the word that lets it begin."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, Paste, Resize
from textual.screen import Screen

from octogram_tui.projection.checkup import COLUMNS, Checkup, Cluster, Finding, MachineReport, in_words
from octogram_tui.tui.entry.app import EntryApp
from octogram_tui.tui.entry.choices import Choice, ChoiceList
from octogram_tui.tui.entry.lines import Said, keys_line
from octogram_tui.tui.entry.saved import Saved
from octogram_tui.tui.format import plural
from octogram_tui.tui.key_order import ScreenManners
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.widgets.brush import Piece, fit

HEADS = {"connection": "conn", "host key": "key", "start": "sh"}
CELL = 7
LEAST_TABLE_CELLS = 84
"""On fewer columns what is wrong stands in words beside the machine, and nothing beside one that is well."""
ABOUT_LINES = 6
NAMED_KEYS = 6
SIGNS = {
    "ok": ("✓", "v", "ok"),
    "warn": ("~", "~", "retrying"),
    "fail": ("✗", "x", "failed"),
    "not come to": ("◦", ".", "pending"),
    "": ("", "", ""),
}


class HostLine(Protocol):
    """The run's process, which looks at the machines: a pipe to read, and what is decided."""

    is_over: bool

    def fileno(self) -> int:
        """Give what the event loop waits for."""
        ...

    def take(self) -> list[dict[str, Any]]:
        """Give the lines that have come."""
        ...

    def put_back(self, records: Sequence[dict[str, Any]]) -> None:
        """Leave lines to whoever listens next."""
        ...

    def tell(self, decision: dict[str, Any]) -> None:
        """Say what was decided."""
        ...


class PreflightScreen(ScreenManners, Screen[None]):
    """Ends the app with `go`, `paused`, or `again` after an edit; with None when the run is not wanted."""

    app: EntryApp[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "leave", show=False),
        Binding("p", "start('paused')", show=False),
        Binding("a", "accept", show=False),
        Binding("r", "look_again", show=False),
        Binding("E", "edit", show=False),
    ]

    def __init__(self, app: EntryApp[str], *, host: HostLine, scenario: str, expected: int) -> None:
        super().__init__(id="preflight")
        self._brush = app.brush
        self._host = host
        self._scenario = scenario
        self._drawn = -1, 0  # version and width
        self.checkup = Checkup()
        self.checkup.begin(expected)
        self.title_line = Said(app.brush, id="entry-title")
        self.head = Said(app.brush, id="entry-head")
        self.choices = ChoiceList(app.model, app.brush)
        self.about = Said(app.brush, id="entry-about")
        self.keys = Said(app.brush, id="entry-keys")

    def compose(self) -> ComposeResult:
        """A table, what is to be said of the chosen row, and the keys."""
        yield self.title_line
        yield self.head
        yield self.choices
        yield self.about
        yield self.keys

    def on_mount(self) -> None:
        """Ask for the look: from here on machines are touched."""
        self.set_focus(self.choices)
        asyncio.get_running_loop().add_reader(self._host.fileno(), self._hear)
        self._host.tell({"do": "look"})
        self.draw()

    def on_unmount(self) -> None:
        """Leave the pipe to whoever listens next."""
        asyncio.get_running_loop().remove_reader(self._host.fileno())

    def on_resize(self, _: Resize) -> None:
        """Lines are laid out for the width."""
        self.draw()

    # What the run's process says

    def _hear(self) -> None:
        for record in self._host.take():
            if "exit_code" in record:  # it will not run: whoever listens next says why
                self._host.put_back([record])
                self.app.exit("go")
            self.take(record)
        if self._host.is_over:
            asyncio.get_running_loop().remove_reader(self._host.fileno())
            self.app.exit("go")
        self.draw()

    def take(self, record: dict[str, Any]) -> None:
        """Take in a line."""
        checkup = self.checkup
        if "machine" in record:
            findings = tuple(Finding(*row[1:]) for row in record["rows"])
            key = record["new_key"]
            machine = MachineReport(
                str(record["place"]), tuple(record["agents"]), findings, (key[0], key[1]) if key else None
            )
            checkup.take(int(record["machine"]), machine)
        elif "seen" in record:
            checkup.end(MachineReport(row[0], (), (Finding(*row[1:]),)) for row in record["seen"])
        elif "trouble" in record:
            checkup.troubles.append(str(record["trouble"]))
            checkup.version += 1

    # Drawing

    def draw(self) -> None:
        """Say everything as it is now."""
        checkup, width = self.checkup, self.app.size.width
        if self._drawn == (checkup.version, width):
            return
        self._drawn = checkup.version, width
        self.title_line.say([self._title(width)])
        is_table = width >= LEAST_TABLE_CELLS
        self.head.say([self._head(width)] if is_table else [])
        clusters = checkup.clusters
        rows = [
            Choice(f"{c.first.place} {c.first.findings[:1]}", self._row(c, width, is_table=is_table), c)
            for c in clusters
        ]
        waiting = checkup.expected - checkup.seen
        if waiting:
            rows.append(_words(f"   ... {plural(waiting, 'machine')} still to be seen"))
        rows += [
            Choice("", ((fit(f"   {self._brush.text(said)}", width).rstrip(), "failed"),)) for said in checkup.troubles
        ]
        if checkup.new_keys:
            rows += [
                _words(""),
                Choice("", ((" New host keys", "accent"), ("  compare each with the machine's own", "dim"))),
            ]
            rows += [_words(f"   {self._brush.text(f'{name}  {says}')}") for name, says in checkup.new_keys]
        self.choices.fill(rows)
        self._draw_about()

    def _title(self, width: int) -> list[Piece]:
        checkup = self.checkup
        name = self._brush.text(os.path.basename(self._scenario), limit=28)
        title: list[Piece] = [(f" {name}", "strong"), ("  before the run  ", "")]
        if not checkup.is_over:
            chip = (f" LOOKING {checkup.seen} of {plural(checkup.expected, 'machine')} ", "chip-running")
        elif checkup.failing:
            chip = (f" {checkup.failing} of {plural(checkup.expected, 'machine')} cannot be used ", "chip-failed")
        else:
            chip = (f" {plural(checkup.expected, 'machine')} can be used ", "chip-ok")
        return [*title, chip, (f"  {plural(checkup.agents, 'agent')}", "dim")]

    def _head(self, width: int) -> list[Piece]:
        line: list[Piece] = [("     ", ""), (fit("machines", width - 6 - CELL * len(COLUMNS)), "dim")]
        return [*line, *((fit(HEADS.get(column, column), CELL), "dim") for column in COLUMNS)]

    def _row(self, cluster: Cluster, width: int, *, is_table: bool) -> tuple[Piece, ...]:
        brush, first = self._brush, cluster.first
        name = brush.text(in_words(cluster.machines)) if first.place else first.findings[0].check
        line: list[Piece] = [("   ", ""), self._sign(first.state), (" ", "")]
        told = first.told[0] if first.told else None
        is_ours = not first.agents  # no machine of an agent: in words
        if is_table and not is_ours:
            line.append((fit(name, width - 6 - CELL * len(COLUMNS)), "strong" if first.state != "ok" else ""))
            for column in COLUMNS:
                state = first.cell(column)
                sign, style = self._sign(state if state or first.state != "fail" else "not come to")
                line.append((fit(sign, CELL), style))
            return tuple(line)
        room = width - 6
        said = f"{told.check}: {brush.text(told.detail)}" if told is not None else ""
        named = min(room, max(24, room // 3))
        return (*line, (fit(name, named), "strong"), (fit(f" {said}", max(0, room - named)), line[1][1]))

    def _sign(self, state: str) -> Piece:
        sign, ascii_sign, style = SIGNS[state]
        return self._brush.pick(sign, ascii_sign), style

    def _draw_about(self) -> None:
        width, cluster = max(20, self.app.size.width - 2), self.choices.value
        lines: list[list[Piece]] = []
        if isinstance(cluster, Cluster):
            for finding in cluster.first.told:
                lines += self._told(finding, width)
            if cluster.agents:
                lines.append([(fit(f" agents: {self._brush.text(', '.join(cluster.agents))}", width).rstrip(), "dim")])
        self.about.say([*lines, *([[]] * ABOUT_LINES)][:ABOUT_LINES])
        keys = self.checkup.new_keys
        offered = [("enter", "start"), ("p", "start paused")]
        if keys:
            offered.append(("a", f"accept {plural(len(keys), 'new key')}"))
        self.keys.say([keys_line([*offered, ("r", "look again"), ("E", "edit"), ("q", "not now")])])

    def _told(self, finding: Finding, width: int) -> list[list[Piece]]:
        brush, style = self._brush, SIGNS[finding.state][2]
        lines: list[list[Piece]] = [
            [(f" {part}", style)]
            for part in wrap(brush.text(f"{finding.check}: {finding.detail}".removesuffix(": ")), width)
        ]
        return lines + [[(f"   {part}", "")] for part in wrap(brush.text(finding.hint), width - 2)]

    # Deciding

    def on_line_view_cursor_moved(self) -> None:
        """Tell of another row."""
        self._draw_about()

    def on_choice_list_opened(self) -> None:
        """Enter starts, wherever the cursor is; so does a second click."""
        self.action_start("go")

    async def take_input(self, event: Key | Paste) -> bool:
        """Enter starts also while there is no row yet."""
        is_start = isinstance(event, Key) and event.key == "enter" and self.choices.value is None
        if is_start:
            self.action_start("go")
        return is_start

    def action_start(self, how: str) -> None:
        """Let the run begin; when it cannot go well, after a question."""
        checkup = self.checkup
        if checkup.is_over and not checkup.failing:
            self._decide(how)
            return
        if checkup.is_over:
            title = f"Start, though {plural(checkup.failing, 'machine')} cannot be used?"
        else:
            title = f"Start now, with {plural(checkup.expected - checkup.seen, 'machine')} not seen yet?"
        lines = ["A run needs all of its agents: it will most likely end at once."] if checkup.failing else []

        def take(answer: str | None) -> None:
            if answer:
                self._decide(how)

        self.app.open_dialog(Question(self._brush, title, lines, [Answer("s", "start all the same", "yes")]), take)

    def _decide(self, how: str) -> None:
        self._host.tell({"do": how})
        self.app.exit(how)

    def action_accept(self) -> None:
        """Accept the keys that are listed, and no others, after a question that names them."""
        keys = self.checkup.new_keys
        if not keys:
            self.app.notify("no host key waits to be accepted", markup=False)
            return
        lines = [f"{name}  {says}" for name, says in keys[:NAMED_KEYS]]
        lines += [f"and {len(keys) - NAMED_KEYS} more, which the list has"] if len(keys) > NAMED_KEYS else []
        lines.append("Whoever can answer at these addresses is believed from now on.")

        def take(answer: str | None) -> None:
            if answer and self.checkup.new_keys == keys:
                self._host.tell({"do": "accept"})
                self.checkup.look_again(new_keys_only=True)
                self.draw()

        title = f"Accept {plural(len(keys), 'new host key')}?"
        self.app.open_dialog(Question(self._brush, title, lines, [Answer("a", "accept", "yes")]), take)

    def action_look_again(self) -> None:
        """Look at all machines once more."""
        self._host.tell({"do": "look"})
        self.checkup.look_again(new_keys_only=False)
        self.draw()

    def action_edit(self) -> None:
        """Edit the scenario; when it was saved, begin from its new text."""
        saved = Saved([self._scenario])

        def begin_anew() -> None:
            if saved.is_changed():
                self.app.exit("again")

        self.app.edit_file(self._scenario, 0, begin_anew)

    def action_leave(self) -> None:
        """The run is not wanted."""
        self.app.exit(None)


def _words(text: str) -> Choice:
    return Choice("", ((text, "dim"),))
