"""Agents by stages: one sign where they meet, and what each agent does now; below them, what they offer.

The better view beyond twenty agents.
"""

from __future__ import annotations

from collections.abc import Hashable

from octogram_tui.engine.events import ServiceAnnounced
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.rows import AgentRow, Group
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, duration, place
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, fit
from octogram_tui.tui.widgets.line_view import LineView

CELL_CELLS = 3
NAME_CELLS = 20
NOW_CELLS = 16


class AgentMatrix(LineView):
    """A row for each agent, a column for each stage; the cursor is a cell."""

    header_lines = 1

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="matrix")
        self.column = 0  # the stage under the cursor
        self._first_column = 0  # as it was asked for; `_columns` keeps it where there are stages
        self._rows: list[AgentRow] = []
        self._services: list[ServiceAnnounced] = []  # below the agents, after a headline
        self._basis: object = None
        self._name_cells = NAME_CELLS

    @property
    def selected(self) -> AgentRow | None:
        """The agent under the cursor."""
        if self.cursor < len(self._rows):
            return self._rows[self.cursor]
        service = self._service(self.cursor)
        return self.model.board.agents.get(service.agent) if service is not None else None

    def text_of_selected(self) -> str:
        """Give the agent's name."""
        return self.selected.name if self.selected is not None else ""

    def _service(self, index: int) -> ServiceAnnounced | None:
        place = index - len(self._rows) - 1
        return self._services[place] if 0 <= place < len(self._services) else None

    @property
    def is_on_agent(self) -> bool:
        """Whether the cursor is on an agent, and not on what one offers."""
        return self.cursor < len(self._rows)

    @property
    def stage(self) -> Group | None:
        """The stage under the cursor."""
        stages = self.model.board.stages
        return stages[self.column] if self.column < len(stages) else None

    def select(self, agent: AgentRow | None) -> None:
        """Put the cursor on an agent."""
        if agent in self._rows:
            self.move_to(self._rows.index(agent))

    def count(self) -> int:
        """Say how many lines there are: agents, and what they offer."""
        return len(self._rows) + (1 + len(self._services) if self._services else 0)

    def sync(self) -> None:
        """Bring the list of agents up to date."""
        board = self.model.board
        failed_only = self.model.outline.failed_only
        basis = (len(board.agents), failed_only, tuple(board.failures) if failed_only else ())
        if basis != self._basis:
            self._basis = basis
            failing = {instance.agent for instance in board.failures.values()}
            bad = (AgentState.FAILED, AgentState.LOST, AgentState.UNCLEAN)
            self._rows = [
                agent
                for agent in board.agents.values()
                if not failed_only or agent.name in failing or agent.state in bad
            ]
            longest = max((len(agent.name) for agent in self._rows), default=0)
            self._name_cells = min(NAME_CELLS, longest)
        # What the whole run looks at comes first.
        services = () if failed_only else board.services.values()
        self._services = sorted(services, key=lambda service: service.kind != "prometheus")
        self._keep_column_in_view()
        super().sync()

    def title(self) -> list[Piece]:
        """Name the stage under the cursor, for columns have only numbers."""
        stage = self.stage if self.has_focus else None
        return [] if stage is None else [(f"{self.column + 1} {self.brush.text(stage.name, limit=60)}", "")]

    def _columns(self, width: int) -> range:
        """The stages that are seen at a width: always some that there are, whatever the width was before."""
        stages = len(self.model.board.stages)
        fitting = min(stages, max(1, (width - self._name_cells - NOW_CELLS - 5) // CELL_CELLS))
        first = max(0, min(self._first_column, stages - fitting))
        return range(first, first + fitting)

    def _keep_column_in_view(self) -> None:
        self.column = max(0, min(self.column, len(self.model.board.stages) - 1))
        if not self.has_place or not self.size.width:
            return  # hidden: no width says what fits
        seen = self._columns(self.size.width)
        self._first_column = min(seen.start, self.column)
        if self.column >= seen.stop > seen.start:
            self._first_column = self.column - len(seen) + 1

    def action_sideways(self, by: int) -> None:
        """Go to another stage."""
        self.column += by
        self._keep_column_in_view()
        self.sync()
        self.moved()

    def header_key(self) -> Hashable:
        """The stages, where one is, and how many fit."""
        board = self.model.board
        states = tuple(stage.state for stage in board.stages)
        return (states, self.column, self._first_column, self._name_cells)

    def paint_header(self, width: int) -> list[Piece]:
        """The numbers of the stages, each in the colour of its state."""
        pieces: list[Piece] = [(" " * (self._name_cells + 4), "")]
        stages = self.model.board.stages
        seen = self._columns(width)
        for number in seen:
            style = "key" if number == self.column and self.has_focus else LOOKS[stages[number].state].style
            pieces.append((fit(str(number + 1), CELL_CELLS - 1, right=True) + " ", style))
        more = f"+{len(stages) - seen.stop}" if seen.stop < len(stages) else ""
        stage = self.stage if self.has_focus else None
        here = f"{self.column + 1} {self.brush.text(stage.name, limit=60)}" if stage is not None else "now"
        return [*pieces, (fit(more, 3), "faint"), (here, "key" if stage is not None else "faint")]

    def line_key(self, index: int) -> Hashable:
        """An agent's version, the column, and its time while something runs."""
        if index >= len(self._rows):
            service = self._service(index)
            return ("service", index, self._name_cells, None if service is None else (service.seq, service.state))
        agent = self._rows[index]
        stages = tuple((stage.started_s, stage.final) for stage in self.model.board.stages)
        return (agent.name, agent.version, self.column, self._first_column, self._name_cells, stages, self._time(agent))

    def _time(self, agent: AgentRow) -> str:
        if not agent.running or agent.current is None:
            return ""
        return duration(agent.current.duration_s(self.model.now_s))

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        if self.model.outline.failed_only:
            return [("no agent has failed", "ok"), ("f shows everything again", "dim")]
        return [("waiting for agents ...", "dim")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """Sign and name of the agent, its cells, and what it does."""
        if index >= len(self._rows):
            return self._offered(self._service(index))
        agent = self._rows[index]
        brush = self.brush
        look = AGENT_LOOKS[agent.state]
        pieces: list[Piece] = [
            (f" {brush.sign(look)} ", look.style),
            (fit(brush.text(agent.name), self._name_cells) + " ", "failed" if look.style == "failed" else ""),
        ]
        stages = self.model.board.stages
        for number in self._columns(width):
            state = agent.cell_state(stages[number])
            is_here = index == self.cursor and number == self.column and self.has_focus
            sign, style = (brush.sign(LOOKS[state]), LOOKS[state].style) if state is not None else (" ", "faint")
            pieces.append((f"[{sign}]" if is_here else f" {sign} ", style))
        now, style = self._now(agent)
        return [*pieces, ("   ", ""), (fit(now, max(0, width - sum(len(text) for text, _ in pieces) - 3)), style)]

    def _offered(self, service: ServiceAnnounced | None) -> list[Piece]:
        """Where something is offered; the headline for None."""
        if service is None:
            return [(" Services", "accent")]
        brush = self.brush
        is_up = service.state == "up"
        look = AGENT_LOOKS[AgentState.READY if is_up else AgentState.FAILED]
        places = "  ".join(
            place(service.address, port)
            if name in ("http", "rpc") or service.kind == "prometheus"
            else f"{name} {place(service.address, port, scheme='')}"
            for name, port in service.ports.items()
        )
        what = service.name if service.name == service.kind else f"{service.kind} {service.name}"
        trouble = "" if is_up else f"  {service.state} {service.reason}".rstrip()
        return [
            (f" {brush.sign(look)} ", look.style),
            (fit(brush.text(service.agent), self._name_cells) + "  ", ""),
            (brush.text(what), "strong" if service.kind == "prometheus" else ""),
            (f"  {brush.text(places)}", "accent"),
            (brush.text(trouble), "failed"),
        ]

    def _now(self, agent: AgentRow) -> Piece:
        brush = self.brush
        if agent.state not in (AgentState.READY, AgentState.STOPPED):
            word = AGENT_LOOKS[agent.state].word
            text = f"{word}: {brush.text(agent.message)}" if agent.message else word
            return text, AGENT_LOOKS[agent.state].style
        current = agent.current
        if current is None:
            return brush.text(agent.host or agent.address), "faint"
        name = brush.text(current.job.name)
        if current.state in (State.FAILED, State.LOST, State.RETRYING):
            return f"{name}: {brush.text(current.message)}", LOOKS[current.state].style
        if agent.running:
            extra = f" (+{agent.running - 1})" if agent.running > 1 else ""
            progress = f"  {brush.text(current.progress)}" if current.progress else ""
            return f"{name} {self._time(agent)}{extra}{progress}", ""
        return name, "faint"
