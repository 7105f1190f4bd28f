"""The top line: how the run stands."""

from __future__ import annotations

from rich.cells import cell_len

from octogram_tui.projection.row_states import Phase
from octogram_tui.tui.format import clock, plural
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.bar import Bar, fitting
from octogram_tui.tui.widgets.brush import Brush, Piece


class StatusBar(Bar):
    """File, state with its reason, stage, jobs, failures, agents, filter, time, and how we are attached."""

    def __init__(self, model: Model, brush: Brush, *, scenario: str) -> None:
        super().__init__(model, brush, id="status")
        self.scenario = scenario
        self.marks: list[str] = []  # ro, replay, lost

    def compose_lines(self, width: int) -> list[list[Piece]]:
        """The time stands at the right end, and goes last."""
        board = self.model.board
        end: list[Piece] = [(f" {mark} ", "retrying") for mark in self.marks]
        end.append((f" {clock(self.model.now_s)} ", "strong"))
        room = width - sum(cell_len(text) for text, _ in end)
        state, style = self.state()
        parts: list[list[Piece]] = [
            [(f" {self.brush.text(self.scenario.rpartition('/')[2], limit=28)} ", "strong")],
            [(f" {self.brush.text(state, limit=40)} ", style), (" ", "")],
        ]
        if self.model.outline.is_narrowed:  # early, for what is not shown must not be forgotten
            parts.append([(f" {self.brush.text(self._narrowed(), limit=40)} ", "chip-failed"), (" ", "")])
        stage = board.current_stage
        if stage is not None:
            number = board.number_of(stage) or "-"
            parts.append([(" stage ", "dim"), (f"{number}/{sum(not each.is_gone for each in board.stages)} ", "")])
        elif board.stages:
            parts.append([(f" {plural(len(board.stages), 'stage')} ", "dim")])
        if board.total:
            more = "+" if any(stage.final is None for stage in board.stages) else ""
            parts.append([(" jobs ", "dim"), (f"{board.done}/{board.total}{more} ", "")])
        counts: list[Piece] = []
        if board.failures:
            counts.append((f" {self.brush.pick('✗', 'x')}{len(board.failures)} ", "failed"))
        if board.retry_count:
            counts.append((f" {self.brush.pick('↻', 'r')}{board.retry_count} ", "retrying"))
        if counts:
            parts.append(counts)
        if board.agents:
            up = board.agents_up
            style = "" if up == len(board.agents) or board.phase is not Phase.RUNNING else "retrying"
            parts.append([(" agents ", "dim"), (f"{up}/{len(board.agents)} ", style)])
        line = fitting(parts, room)
        used = sum(cell_len(text) for text, _ in line)
        return [[*line, (" " * (room - used), ""), *end]]

    def _narrowed(self) -> str:
        """Say what is shown of all there is, and how much that is."""
        outline = self.model.outline
        shown, total = outline.counted()
        what = "failed only" if outline.failed_only else ""
        if outline.filtered_by:
            what = f"filter: {outline.filtered_by.text}" + (f", {what}" if what else "")
        return f"{what} {shown} of {total}"

    def state(self) -> Piece:
        """Say in a word or two how the run stands, and in which colours."""
        board = self.model.board
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
            return f"PAUSED {board.reason}".rstrip(), style
        if board.phase is Phase.RUNNING:
            return "RUNNING", "chip-running"
        return ("STARTING", "chip-starting") if board.phase is Phase.STARTING else ("WAITING", "chip-starting")
