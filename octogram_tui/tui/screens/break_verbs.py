"""Breakpoints: set and taken away at the cursor by one key, and the list of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from octogram_tui.engine.stimuli import BreakRequest, RemoveBreakRequest, SwitchBreakRequest
from octogram_tui.model.breakpoint import Breakpoint, When
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.board import Board
from octogram_tui.projection.breakpoints import Listed
from octogram_tui.projection.places import is_about, pattern_of
from octogram_tui.projection.reach import reach_of
from octogram_tui.projection.rows import AgentRow, Group, Kind, Row
from octogram_tui.projection.stops import is_plain
from octogram_tui.tui.format import plural
from octogram_tui.tui.screens.dialogs import Answer, Asked, Question
from octogram_tui.tui.screens.step_verbs import StepVerbs

SAID_S = 3.0


class BreakVerbs(StepVerbs):
    """The actions of keymap.py that say where the run is to stop."""

    def action_toggle_breakpoint(self) -> None:
        """Stop before what is under the cursor, or no more; one for which something was typed is switched off."""
        place = self.place_here()
        if place is None:
            self.app.notify("choose a row, or a line of a job, first", severity="warning", markup=False)
            return
        self.toggle_at(*place)

    def toggle_at(self, pattern: str, when: When) -> None:
        """Set a breakpoint at a place, or take it away."""
        found = self.model.board.stops.just_at(pattern, when)
        if found is None:
            self.app.ask(BreakRequest(pattern, when))
        elif is_plain(found) and found.breakpoint.is_on:
            self.app.ask(RemoveBreakRequest(found.number))
        elif self.app.may_act():
            turned = not found.breakpoint.is_on
            self.app.ask(SwitchBreakRequest(found.number, turned))
            if not turned:
                words = f"breakpoint {found.number} is switched off: what was typed for it stays"
                self.app.notify(words, timeout=SAID_S, markup=False)

    def place_here(self) -> tuple[str, When] | None:
        """Say what a breakpoint under the cursor would be about, and at which point."""
        if self.pane == "agents":
            agent, stage = self.matrix.selected, self.matrix.stage
            if agent is None:
                return None
            name = stage.name if stage is not None and self.matrix.is_on_agent else ""
            return str(Pattern.of(name, agent=agent.name)), "before"
        row = self.place()
        return None if row is None else place_of(row)

    # All of them

    def action_breakpoints(self) -> None:
        """Show the list."""
        from octogram_tui.tui.screens.breakpoint_screen import BreakpointScreen

        self.app.open_dialog(BreakpointScreen(self))

    def action_new_breakpoint(self) -> None:
        """Ask what kind of breakpoint, and fill in the form."""
        place = self.place_here()
        pattern = place[0] if place is not None else "*"
        here = f" {pattern}" if place is not None else " a row"
        answers = [
            Answer("b", f"before{here}", "before"),
            Answer("a", f"after{here}", "after"),
            Answer("w", f"write a text at{here}, and go on", "log"),
            Answer("f", "when something fails", "failed"),
            Answer("t", "when something is tried again", "retried"),
            Answer("s", "when something is skipped", "skipped"),
            Answer("g", "before a stage begins", "stage"),
            Answer("v", "when a variable changes", "variable"),
            Answer("l", "when an agent is lost", "lost"),
        ]

        def take(answer: str | None) -> None:
            if answer:
                self.action_break(answer)

        if self.app.may_act():
            self.app.open_dialog(Question(self.app.brush, "Stop where?", [], answers), take)

    def action_break(self, kind: str) -> None:
        """Fill in the form for a kind of breakpoint: a point of WHEN, or `log`."""
        place, row = self.place_here(), self.place()
        pattern = place[0] if place is not None and kind in ("before", "after", "log") else "*"
        if kind == "stage" and row is not None:
            pattern = pattern_of(row.stage)
        when = cast("When", "before" if kind == "log" else kind)
        name = ""
        if kind == "variable":
            chosen = self.variables.selected if self.pane == "variables" else None
            name = chosen.name if chosen is not None else ""
        first = {"log": "log", "variable": "name", "failed": "name", "retried": "name", "lost": "pattern"}
        self._fill_in_breakpoint(Breakpoint(pattern, when, name), 0, first.get(kind, ""))

    def edit_breakpoint(self, listed: Listed) -> None:
        """Fill in the form for one that there is."""
        self._fill_in_breakpoint(listed.breakpoint, listed.number)

    def _fill_in_breakpoint(self, given: Breakpoint, number: int, first: str = "") -> None:
        from octogram_tui.tui.screens.breakpoint_form import BreakpointForm

        def take(request: BreakRequest | None) -> None:
            if request is not None:
                self.app.ask(request)

        if self.app.may_act():
            self.app.open_dialog(BreakpointForm(self.app.brush, given, number, about=self.about, first=first), take)

    def about(self, given: Breakpoint) -> str:
        """Say what a breakpoint is about now."""
        board = self.model.board
        pattern = Pattern.parse(given.pattern)
        if given.when == "lost":
            return plural(sum(map(pattern.matches_agent, board.agents)), "agent")
        if given.when == "stage":
            count = sum(not stage.is_gone and pattern.matches_stage(stage.name) for stage in board.stages)
            return plural(count, "stage") if count else "matches nothing now"
        reach = reach_of(board, pattern)
        whose = "changed by " if given.when == "variable" else ""
        return (
            f"{whose}{plural(reach.jobs, 'job')} on {plural(reach.agents, 'agent')}" if reach else "matches nothing now"
        )

    def action_clear_breakpoints(self) -> None:
        """Take all away, after a question."""

        def ask() -> Asked | None:
            count = len(self._own())
            if not count or self.app.why_not():
                return None
            lines = ["What holds at failures stays: it is removed by itself."]
            return Asked(f"Remove {plural(count, 'breakpoint')}?", lines, [Answer("r", "remove", "yes")])

        def take(answer: str | None) -> None:
            if answer:
                self.app.ask(RemoveBreakRequest(0))

        if self.app.may_act():
            self.app.open_dialog(Question(self.app.brush, ask=ask), take)

    def action_switch_breakpoints(self) -> None:
        """Switch all off, or, when none is on, all on."""
        is_any_on = any(each.breakpoint.is_on for each in self._own())
        self.app.ask(SwitchBreakRequest(0, not is_any_on))

    def _own(self) -> list[Listed]:
        """Those that all of them at once means: not the one that the run has set to hold at failures."""
        return [each for each in self.model.board.stops.breakpoints.listed if each.by != "run"]

    def go_to_breakpoint(self, listed: Listed) -> None:
        """Put the plan's cursor where a breakpoint was met last, else at the first row that it is about."""
        board = self.model.board
        last = listed.last
        row: Row | None = board.instances.get(last.instance) if last is not None and last.instance else None
        if row is None:
            row = next((each for each in rows_of(board) if is_about(listed.pattern, each)), None)
        if row is None:
            self.app.notify("it is about no row of the plan alone", severity="warning", markup=False)
            return
        self.show("plan")
        self.plan.select(row)


def rows_of(board: Board) -> Iterator[Row]:
    """Go through all rows that there are, the narrowest of each job first: a breakpoint is at the row that it names."""
    for stage in board.stages:
        jobs = [job for job in stage.children if isinstance(job, Group) and not job.is_gone]
        for job in jobs:
            yield from job.below()
        yield from jobs
        yield stage


def place_of(row: Row | AgentRow) -> tuple[str, When]:
    """Say what a breakpoint at a row is about: a stage stops before it begins, all else before each attempt."""
    is_stage = isinstance(row, Group) and row.kind is Kind.STAGE
    return pattern_of(row), "stage" if is_stage else "before"
