"""Breakpoints: set and taken away at the cursor by one key, and the list of all of them."""

from __future__ import annotations

from octogram_tui.engine.stimuli import BreakRequest, RemoveBreakRequest, SwitchBreakRequest
from octogram_tui.model.breakpoint import When
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.places import pattern_of
from octogram_tui.projection.rows import AgentRow, Group, Kind, Row
from octogram_tui.projection.stops import is_plain
from octogram_tui.tui.screens.pane_screen import PaneScreen

SAID_S = 3.0


class BreakVerbs(PaneScreen):
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


def place_of(row: Row | AgentRow) -> tuple[str, When]:
    """Say what a breakpoint at a row is about: a stage stops before it begins, all else before each attempt."""
    is_stage = isinstance(row, Group) and row.kind is Kind.STAGE
    return pattern_of(row), "stage" if is_stage else "before"
