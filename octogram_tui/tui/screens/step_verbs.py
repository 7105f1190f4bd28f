"""Stepping, going on and holding: what the operator lets through the gate, and of which agents."""

from __future__ import annotations

from collections.abc import Callable

from octogram_tui.engine.stimuli import (
    Depth,
    GoRequest,
    HoldModeRequest,
    PauseRequest,
    StepRequest,
    Stimulus,
    UntilRequest,
)
from octogram_tui.projection.places import pattern_of
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import AgentRow, InstanceRow, Kind, Row
from octogram_tui.tui.model import title_of
from octogram_tui.tui.scope import ScopeKind
from octogram_tui.tui.screens.pane_screen import PaneScreen

SCOPE_S = 3.0
_UNDER_WAY = (State.HELD, State.RUNNING, State.RETRYING)


class StepVerbs(PaneScreen):
    """The actions of keymap.py that move the run on, or hold it."""

    _stepped: Row | None = None  # what was let through, while the cursor is still on it

    def sync(self) -> None:
        """Go along with a step, and bring everything up to date."""
        self._go_along()
        super().sync()

    def _go_along(self) -> None:
        """Once nothing is left of what was stepped over, put the cursor on what comes next: a job after a job.

        Of an item, and of what one agent does, that is what this agent does next.
        """
        unit = self._stepped
        if unit is None:
            return
        if self.plan.is_following or self.plan.selected is not unit:
            self._stepped = None
            return
        rows = [unit] if isinstance(unit, InstanceRow) else list(unit.below())
        if any(row.state in _UNDER_WAY for row in rows):
            return
        held = self.model.scope.held()
        agent = unit.agent if unit.kind in (Kind.INSTANCE, Kind.AGENT) else ""
        following = next((row for row in held if row.agent == agent), None) if agent else None
        found = following or next(iter(held), None)
        if found is not None:
            self._stepped = None
            self.plan.select(_at_level(found, unit.kind))

    def is_held(self) -> bool:
        """Whether those whom steps are for stand at a shut gate."""
        return self.model.is_held

    def ask_each(self, request: Callable[[str], Stimulus]) -> None:
        """Ask for something that is done to whom steps are for."""
        if self.app.may_act():
            for agent in self.model.scope.agents():
                self.app.ask(request(agent))

    def action_continue(self) -> None:
        """Go on to the next stop; a stage that asks is answered."""
        if self.model.board.confirmations:
            self.action_toggle_pause()
        else:
            self.ask_each(GoRequest)

    def action_toggle_pause(self) -> None:
        """Hold, go on, or answer: run_verbs.py."""
        raise NotImplementedError

    def action_step(self, depth: Depth) -> None:
        """Let through what is next, or all of a row, or the rest around it."""
        if not self.app.may_act():
            return
        scope, unit = self.model.scope, self.unit()
        failed = self._failed_here(unit)
        if failed is not None:
            self._tell_failed(failed)
            return
        self._stepped = unit if depth == "over" and unit is self.plan.selected else None
        held = [row for row in scope.held() if unit is None or self._is_below(row, unit)]
        if scope.is_all:
            self.app.ask(StepRequest(depth, self._text_of(depth, unit)))
        elif not held:
            self.app.notify(
                f"nothing of {scope.words()} is held now: it runs, or waits for others",
                severity="warning",
                markup=False,
            )
        elif depth == "into" or unit is None:
            self.app.ask(StepRequest(depth, self._text_of(depth, unit), agent=held[0].agent))
        else:
            for agent in dict.fromkeys(row.agent for row in held):
                self.app.ask(StepRequest(depth, self._text_of(depth, unit), agent=agent))

    def _failed_here(self, unit: Row | None) -> InstanceRow | None:
        """Give what failed, and is not passed by stepping: the row under the cursor; else what all in scope waits for.

        unit: what a step would be about
        """
        row, failures, scope = self.place(), self.model.board.undecided, self.model.scope
        if isinstance(row, InstanceRow) and row.key in failures:
            return row
        if unit is not None or scope.held():
            return None
        return next((each for each in failures.values() if scope.takes(each.agent)), None)

    def _tell_failed(self, row: InstanceRow) -> None:
        brush = self.app.brush
        ways = (
            (brush.way("rerun"), "runs it again"),
            (brush.way("skip"), "passes over it"),
            (brush.way("edit"), "edits"),
        )
        words = ", ".join(f"{key} {does}" for key, does in ways)
        said = f"{brush.text(title_of(row))} failed, and steps do not pass it: {words} what it is given"
        self.app.notify(said, severity="warning", markup=False)

    def unit(self) -> Row | None:
        """The row under the cursor, if something of it is held, so that a step is about it; else None: what is next."""
        row = self.place()
        if row is None:
            return None
        scope = self.model.scope
        return (
            row
            if any(self._is_below(held, row) for held in self.model.board.queue if scope.takes(held.agent))
            else None
        )

    @staticmethod
    def _is_below(held: InstanceRow, row: Row) -> bool:
        above: Row | None = held
        while above is not None:
            if above is row:
                return True
            above = above.parent
        return False

    @staticmethod
    def _text_of(depth: Depth, unit: Row | None) -> str:
        return "" if unit is None or depth == "into" else pattern_of(unit)

    def action_run_until(self) -> None:
        """Go on until the row under the cursor."""
        row = self.place()
        if row is None:
            self.app.notify(
                "choose a row of the plan, or a line of the source, first", severity="warning", markup=False
            )
            return
        self.ask_each(lambda agent: UntilRequest(pattern_of(row), agent))

    # Whom steps are for, and what is held

    def agent_here(self) -> str:
        """Name the agent under the cursor; empty where there is none, or there are several."""
        subject = self.matrix.selected if self.pane == "agents" else self.row()
        return subject.name if isinstance(subject, AgentRow) else getattr(subject, "agent", "")

    def action_next_scope(self) -> None:
        """Go through whom steps can be for."""
        kind, agent = self.model.scope.after(self.agent_here())
        self._use_scope(kind, agent)

    def action_use_scope(self, kind: ScopeKind) -> None:
        """Choose whom steps are for."""
        agent = self.agent_here()
        if kind not in self.model.scope.kinds(agent):
            missing = "choose an agent, or what one does, first" if kind == "agent" else "there is no filter: & has one"
            self.app.notify(missing, severity="warning", markup=False)
            return
        self._use_scope(kind, agent if kind == "agent" else "")

    def _use_scope(self, kind: ScopeKind, agent: str) -> None:
        scope = self.model.scope
        scope.use(kind, agent)
        words = f"{scope.words()} alone" if not scope.is_all else "the whole run"
        self.app.clear_notifications()
        self.app.notify(f"steps, pause and go are for {self.app.brush.text(words)}", timeout=SCOPE_S, markup=False)
        self.sync()

    def action_toggle_agent(self) -> None:
        """Hold the agent under the cursor, or let it go on, whatever the others do."""
        name = self.agent_here()
        if name not in self.model.board.agents:
            self.app.notify("choose an agent, or what one does, first", severity="warning", markup=False)
            return
        self.app.ask(GoRequest(name) if self.model.board.is_agent_held(name) else PauseRequest(name))

    def action_toggle_hold_mode(self) -> None:
        """Choose what breakpoints and failures hold."""
        self.app.ask(HoldModeRequest("all" if self.model.board.stops.mode == "alone" else "alone"))


def _at_level(row: InstanceRow, kind: Kind) -> Row:
    """Give what holds a row and is of a kind; the row itself where nothing is."""
    above: Row | None = row
    while above is not None and above.kind is not kind:
        above = above.parent
    return above or row
