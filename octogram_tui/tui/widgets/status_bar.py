"""The top line: how the run stands."""

from __future__ import annotations

from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import Phase
from octogram_tui.tui.format import clock, plural
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, Part
from octogram_tui.tui.widgets.brush import Brush, Piece

PROGRESS_CELLS = 18
PROGRESS_FROM = 110
"""On a narrower screen the words come first."""


class StatusBar(Bar):
    """File, state with its reason, stage, jobs, failures, agents, filter, time, and how we are attached."""

    def __init__(self, model: Model, brush: Brush, *, scenario: str) -> None:
        super().__init__(model, brush, id="status")
        self.scenario = scenario
        self.marks: list[str] = []  # attached n, ro, replay, lost, catching up

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """What does not fit is dropped from the right; but how we are attached and the time stay."""
        end = [*(Part([(f" {mark} ", "retrying")], "about") for mark in self.marks), self._time(width)]
        room = max(0, width - sum(part.cells for part in end))
        parts: list[Part] = []
        found = self._parts(width)
        if found[0].cells + found[1].cells > room:
            del found[0]  # how it stands says more than its name
            if found[0].cells > room:
                state, style = self.state()
                found = [Part([(f" {state.split()[0]} ", style)], "view('plan')")]
        for part in found:
            if part.cells > room:
                break
            parts.append(part)
            room -= part.cells
        return [self.lay([*parts, Part([(" " * room, "")]), *end], width)]

    def _parts(self, width: int) -> list[Part]:
        board, brush = self.model.board, self.brush
        state, style = self.state()
        name = brush.text(self.scenario.rpartition("/")[2], limit=28)
        dirty = "*" if board.problems else ""  # the file on disk is not what runs
        parts = [
            Part([(f" {name}", "strong"), (f"{dirty} ", "failed")], "view('source')"),
            Part([(f" {brush.text(state, limit=40)} ", style), (" ", "")], "view('plan')"),
        ]
        if self.model.outline.is_narrowed:  # early, for what is not shown must not be forgotten
            parts.append(Part([(f" {brush.text(self._narrowed(), limit=40)} ", "chip-failed"), (" ", "")], "back"))
        parts += self._holds()
        stage = board.current_stage
        if stage is not None:
            place = f"{board.number_of(stage) or '-'}/{sum(not each.is_gone for each in board.stages)} "
            parts.append(Part([(" stage ", "dim"), (place, "")], "view('plan')"))
            if width >= PROGRESS_FROM:
                parts.append(Part(self._progress(), "view('timeline')"))
        elif board.stages:
            parts.append(Part([(f" {plural(len(board.stages), 'stage')} ", "dim")], "view('plan')"))
        if board.total:
            more = "+" if any(stage.final is None for stage in board.stages) else ""
            parts.append(Part([(" jobs ", "dim"), (f"{board.done}/{board.total}{more} ", "")], "view('plan')"))
        if board.failures:
            parts.append(Part([(f" {brush.pick('✗', 'x')}{len(board.failures)} ", "failed")], "first_failure"))
        if board.retry_count:
            parts.append(Part([(f" {brush.pick('↻', 'r')}{board.retry_count} ", "retrying")], "view('plan')"))
        if board.agents:
            up = board.agents_up
            style = "" if up == len(board.agents) or board.phase is not Phase.RUNNING else "retrying"
            parts.append(Part([(" agents ", "dim"), (f"{up}/{len(board.agents)} ", style)], "view('agents')"))
        return parts

    def _holds(self) -> list[Part]:
        """Say for whom steps are where that is not all, which agents are held alone, and what a stop holds."""
        stops, scope, brush = self.model.board.stops, self.model.scope, self.brush
        parts: list[Part] = []
        if not scope.is_all:
            words = brush.text(scope.words(), limit=24)
            parts.append(Part([(f" for {words} ", "chip-starting"), (" ", "")], "next_scope"))
        held = [] if self.model.board.is_paused else stops.held_agents
        if held:
            names = brush.text(held[0], limit=20) if len(held) == 1 else plural(len(held), "agent")
            parts.append(Part([(f" {names} held ", "held")], "view('agents')"))
        if stops.mode == "alone":
            parts.append(Part([(" stops: alone ", "retrying")], "toggle_hold_mode"))
        return parts

    def _narrowed(self) -> str:
        """Say what is shown of all there is, and how much that is."""
        outline = self.model.outline
        shown, total = outline.counted()
        what = "failed only" if outline.failed_only else ""
        if outline.filtered_by:
            what = f"filter: {outline.filtered_by.text}" + (f", {what}" if what else "")
        return f"{what} {shown} of {total}"

    def _progress(self) -> list[Piece]:
        """Draw how far the run is, each stage for the same part; what stands failed is a part of what is done."""
        board = self.model.board
        stages = [stage for stage in board.stages if not stage.is_gone]
        done = sum(
            1.0 if stage.final is not None else stage.done / stage.total if stage.total else 0 for stage in stages
        )
        cells = int(PROGRESS_CELLS * done / max(1, len(stages)))
        begun = min(PROGRESS_CELLS - cells, 1 if board.in_flight else 0)
        left = PROGRESS_CELLS - cells - begun
        style = "failed" if board.failures else "ok"
        return [("[", "dim"), ("#" * cells, style), (">" * begun, "running"), ("-" * left, "faint"), ("] ", "dim")]

    def _time(self, width: int) -> Part:
        """The time, and when it will be done as far as former runs tell."""
        pieces: list[Piece] = [(f" {clock(self.model.now_s)} ", "strong")]
        estimate_s = self.model.estimate_s
        if estimate_s is not None and width >= PROGRESS_FROM and self.model.board.phase is Phase.RUNNING:
            pieces.append((f"of about {clock(estimate_s)} ", "dim"))
        return Part(pieces, "view('timeline')")

    def state(self, board: Board | None = None) -> Piece:
        """Say in a word or two how the run stands, and in which colours. board: at another moment than is shown."""
        board = board or self.model.board
        if board.phase is Phase.FINISHED:
            code = board.exit_code or 0
            return (f"FINISHED exit {code}", "chip-failed") if code else ("FINISHED ok", "chip-ok")
        if board.phase is Phase.STOPPING:
            return "STOPPING", "chip-stopping"
        if board.phase is Phase.DONE:
            return ("DONE", "chip-ok") if not board.done_exit_code else ("DONE, failed", "chip-failed")
        if board.confirmations:
            return "ASKS", "chip-held"
        if board.is_paused:
            style = "chip-failed" if board.failures and board.reason == "failure" else "chip-held"
            if board.in_flight:
                return f"PAUSING {board.in_flight} in flight", style
            met = board.stops.met if board.reason == "breakpoint" else None
            return f"PAUSED {board.reason}{f' {met.number}' if met is not None else ''}".rstrip(), style
        if board.phase is Phase.RUNNING:
            return "RUNNING", "chip-running"
        return ("STARTING", "chip-starting") if board.phase is Phase.STARTING else ("WAITING", "chip-starting")
