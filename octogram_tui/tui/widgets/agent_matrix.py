"""Agents by stages: one sign where they meet, how busy each agent is and what it does; below them, what they offer.

The better view beyond twenty agents. agent_line.py draws the lines.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable

from rich.cells import cell_len
from textual.events import Click

from octogram_tui.engine.events import ServiceAnnounced
from octogram_tui.projection.agent_list import ORDERS, AgentGroup, AgentList, Order
from octogram_tui.projection.rows import AgentRow, Group
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.agent_line import NAME_CELLS, AgentLines, Columns, columns_for, failed_as, time_of
from octogram_tui.tui.widgets.brush import Brush, Piece
from octogram_tui.tui.widgets.line_view import LineView
from octogram_tui.tui.widgets.title_line import PaneMark

ON_THE_NAME = -1
"""The column of the cursor when it is on the agent itself, and on no stage."""

SORTED_BY: dict[str, Order] = {"name": "name", "state": "state", "load": "load", "now": "failures"}


class AgentMatrix(LineView):
    """A row for each agent, a column for each stage; the cursor is an agent, or a cell."""

    BINDINGS = bindings("agents")
    header_lines = 1

    def __init__(self, model: Model, brush: Brush) -> None:
        super().__init__(model, brush, id="matrix")
        self.column = ON_THE_NAME
        self.agents = AgentList(model.outline, model.loads)
        self._foothold = Foothold(model)
        self._first_column = 0  # as it was asked for; `_columns` keeps it where there are stages
        self._services: list[ServiceAnnounced] = []  # below the agents, after a headline
        self._offers: Counter[str] = Counter()  # how many are up, by agent
        self._name_cells = NAME_CELLS
        self._of_list = -1
        self._has_load = self._has_counts = False  # whether any agent has something for these columns

    @property
    def selected(self) -> AgentRow | None:
        """The agent under the cursor; nothing on a group."""
        if self.is_on_agent:
            row = self.agents.rows[self.cursor]
            return row if isinstance(row, AgentRow) else None
        service = self._service(self.cursor)
        return self.model.board.agents.get(service.agent) if service is not None else None

    def text_of_selected(self) -> str:
        """Give the agent's name."""
        return self.selected.name if self.selected is not None else ""

    def _service(self, index: int) -> ServiceAnnounced | None:
        place = index - len(self.agents.rows) - 1
        return self._services[place] if 0 <= place < len(self._services) else None

    @property
    def is_on_agent(self) -> bool:
        """Whether the cursor is on an agent or a group of them, and not on what one offers."""
        return self.cursor < len(self.agents.rows)

    @property
    def stage(self) -> Group | None:
        """The stage under the cursor."""
        stages = self.model.board.stages
        return stages[self.column] if 0 <= self.column < len(stages) else None

    def select(self, agent: AgentRow | None) -> None:
        """Put the cursor on an agent, unfolding what holds it."""
        if agent is None:
            return
        for group in [row for row in self.agents.rows if isinstance(row, AgentGroup)]:
            if agent in group.agents and not self.agents.is_unfolded(group):
                self._toggle(group)
        if agent in self.agents.rows:
            self.move_to(self.agents.rows.index(agent))

    def open(self) -> bool:
        """Unfold or fold a group."""
        row = self.agents.rows[self.cursor] if self.is_on_agent else None
        if not isinstance(row, AgentGroup):
            return False
        self._toggle(row)
        return True

    def _toggle(self, group: AgentGroup) -> None:
        self.agents.toggle(group)
        self.sync()

    def count(self) -> int:
        """Say how many lines there are: agents, and what they offer."""
        return len(self.agents.rows) + (1 + len(self._services) if self._services else 0)

    def sync(self) -> None:
        """Bring the list of agents up to date, and keep the cursor on its agent."""
        board, here = self.model.board, self.selected
        self.agents.refresh(time.monotonic())
        if self.agents.rebuilt != self._of_list:
            self._of_list = self.agents.rebuilt
            names = (self.brush.text(row.label) for row in self.agents.rows)
            widest = max((cell_len(name) for name in names), default=NAME_CELLS)
            self._name_cells = min(NAME_CELLS, max(widest, len("agent")))
            if here is not None and here in self.agents.rows:
                self.cursor = self.agents.rows.index(here)
        # What the whole run looks at comes first.
        services = () if self.model.outline.is_narrowed else board.services.values()
        self._services = sorted(services, key=lambda service: service.kind != "prometheus")
        self._offers = Counter(service.agent for service in board.services.values() if service.state == "up")
        loads = self.model.loads.by_agent.values()
        self._has_load = any(load.cpu for load in loads)
        self._has_counts = bool(self._offers) or any(load.processes for load in loads)
        self._keep_column_in_view()
        super().sync()

    def moment_changed(self) -> None:
        """List the agents as they were then, with the cursor on the same."""
        super().moment_changed()
        here = self._foothold.again(self.selected)
        self.agents.look_at(self.model.loads)
        self.sync()
        if isinstance(here, AgentRow) and here in self.agents.rows:
            self.cursor = self.agents.rows.index(here)

    def title(self) -> list[Piece]:
        """Name the stage under the cursor, for columns have only numbers."""
        stage = self.stage if self.has_focus else None
        if stage is None:
            return []
        number = self.model.board.number_of(stage)
        gone = "  no longer in the scenario" if number is None else ""
        return [(f"{number or '-'} {self.brush.text(stage.name, limit=60)}", ""), (gone, "dim")]

    def marks(self) -> list[PaneMark]:
        """Say how they are sorted, when not as they come."""
        order = self.agents.order
        return [PaneMark(f"by {order}")] if order != "as they come" else []

    # Columns

    def columns(self, width: int) -> Columns:
        """What stands where at a width."""
        stages = len(self.model.board.stages)
        has = {"has_load": self._has_load, "has_counts": self._has_counts}
        return columns_for(width, self._name_cells, stages, self._first_column, **has)

    def _columns(self, width: int) -> range:
        """The stages that are seen at a width: always some that there are, whatever the width was before."""
        return self.columns(width).stages

    def _keep_column_in_view(self) -> None:
        self.column = max(ON_THE_NAME, min(self.column, len(self.model.board.stages) - 1))
        if not self.has_place or not self.size.width:
            return  # hidden: no width says what fits
        seen = self._columns(self.line_cells)
        self._first_column = max(0, min(seen.start, self.column))
        if self.column >= seen.stop > seen.start:
            self._first_column = self.column - len(seen) + 1

    def action_sideways(self, by: int) -> None:
        """Go to another stage, or back to the agent itself; fold or unfold a group."""
        row = self.agents.rows[self.cursor] if self.is_on_agent and self.agents.rows else None
        if isinstance(row, AgentGroup):
            if self.agents.is_unfolded(row) is not (by > 0):
                self._toggle(row)
            return
        self.column += by
        self._keep_column_in_view()
        self.sync()
        self.moved()

    def action_sort(self) -> None:
        """Sort by the next that one can sort by."""
        self.sort(ORDERS[(ORDERS.index(self.agents.order) + 1) % len(ORDERS)])

    def sort(self, order: Order) -> None:
        """Put the agents in an order; asked for twice, as they come."""
        self.agents.sort(order)
        self.sync()

    def on_click(self, event: Click) -> None:
        """Sort by what the header says; choose the agent and the stage."""
        what, number = self.columns(self.line_cells).at(event.x)
        y = event.y - self.gutter.top
        if y < self.header_lines and what in SORTED_BY:
            self.sort(SORTED_BY[what])
            return
        if what == "stage":
            self.column = number
        elif y >= self.header_lines:
            self.column = ON_THE_NAME
        super().on_click(event)
        self.sync()

    # Drawing

    def _lines(self, width: int) -> AgentLines:
        return AgentLines(self.model, self.brush, self.columns(width), width, self._offers)

    def header_key(self) -> Hashable:
        """The stages, where one is, how many fit, and how agents are sorted."""
        states = tuple((stage.state, stage.is_gone) for stage in self.model.board.stages)
        return (states, self.column, self.columns(self.line_cells), self.agents.order)

    def paint_header(self, width: int) -> list[Piece]:
        """The names of the columns."""
        return self._lines(width).header(self.column if self.has_focus else None, self.agents.order)

    def line_key(self, index: int) -> Hashable:
        """An agent's version, its load, the column, and its time while something runs."""
        columns = self.columns(self.line_cells)
        if index >= len(self.agents.rows):
            service = self._service(index)
            return ("service", index, columns.name, None if service is None else (service.seq, service.state))
        row = self.agents.rows[index]
        stages = tuple((stage.started_s, stage.final) for stage in self.model.board.stages)
        if isinstance(row, AgentGroup):
            # As it was when the list was made: what it holds is gone through no more often than that.
            return (row.name, self.agents.rebuilt, columns, stages)
        load = self.model.loads.by_agent.get(row.name)
        other = failed_as(row, self.model)
        extras = (load.version if load is not None else 0, self._offers[row.name], self.column, other)
        return (row.name, row.version, columns, stages, extras, time_of(row, self.model))

    def empty_lines(self) -> list[Piece]:
        """Say why there is nothing."""
        if self.model.outline.failed_only:
            return [("no agent has failed", "ok"), (f"{self.brush.way('failed only')} shows everything again", "dim")]
        if self.model.outline.is_narrowed:
            return [("no agent passes the filter", "dim"), (f"{self.brush.way('back')} shows everything again", "dim")]
        return [("waiting for agents ...", "dim")]

    def paint(self, index: int, width: int) -> list[Piece]:
        """An agent, agents that do alike, or what one offers."""
        lines = self._lines(width)
        if index >= len(self.agents.rows):
            return lines.service(self._service(index))
        row = self.agents.rows[index]
        if isinstance(row, AgentGroup):
            return lines.group(row, is_open=self.agents.is_unfolded(row))
        return lines.agent(row, self.column if index == self.cursor and self.has_focus else None)
