"""A line of the agents' pane: which columns there is room for, and what stands in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from octogram_tui.engine.events import ServiceAnnounced
from octogram_tui.projection.agent_list import AgentGroup, Order
from octogram_tui.projection.loads import Load
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.projection.rows import AgentRow
from octogram_tui.projection.stops import AgentHold
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, duration, place
from octogram_tui.tui.model import Model
from octogram_tui.tui.widgets.brush import Brush, Piece, cells_of, fit, fit_name
from octogram_tui.tui.widgets.sparks import spark

SIGN_CELLS = 3
CELL_CELLS = 3
NAME_CELLS = 20
WORD_CELLS = 13
SPARK_CELLS = 8
BARE_LOAD_CELLS = 6
LOAD_CELLS = SPARK_CELLS + BARE_LOAD_CELLS
COUNT_CELLS = 10
GAP_CELLS = 3
NOW_CELLS = 16
LONG_PERCENT = 1_000


class Columns(NamedTuple):
    """How wide each part of a line is, 0 where there is no room for it, and which stages are seen."""

    name: int
    word: int
    load: int
    counts: int
    stages: range

    @property
    def now(self) -> int:
        """The cell in which the last word of an agent begins."""
        return self.cells + len(self.stages) * CELL_CELLS + GAP_CELLS + self.load + self.counts

    @property
    def cells(self) -> int:
        """The cell in which the stages begin."""
        return SIGN_CELLS + self.name + 1 + self.word

    def at(self, x: int) -> tuple[str, int]:
        """Say what stands at a cell: name, state, stage (with its number), load, counts or now."""
        if x < SIGN_CELLS + self.name + 1:
            return ("name" if x >= SIGN_CELLS else "state"), 0
        if x < self.cells:
            return "state", 0
        number = (x - self.cells) // CELL_CELLS
        if number < len(self.stages):
            return "stage", self.stages[number]
        load = self.cells + len(self.stages) * CELL_CELLS + GAP_CELLS
        return ("load", 0) if x < load + self.load else ("counts", 0) if x < self.now else ("now", 0)


def columns_for(width: int, name: int, stages: int, first: int, *, has_load: bool, has_counts: bool) -> Columns:
    """Deal out the width: name and stages first, then the load, the state in words, and what is counted."""
    room = width - SIGN_CELLS - name - 1 - GAP_CELLS - NOW_CELLS
    spare = room - min(stages, 8) * CELL_CELLS
    load = 0 if not has_load else LOAD_CELLS if spare >= LOAD_CELLS + 8 else BARE_LOAD_CELLS
    load = load if load <= spare else 0
    room -= load
    word = WORD_CELLS if room - min(stages, 10) * CELL_CELLS >= WORD_CELLS + 20 else 0
    room -= word
    counts = COUNT_CELLS if has_counts and room - min(stages, 10) * CELL_CELLS >= COUNT_CELLS + 12 else 0
    fitting = min(stages, max(1, (room - counts) // CELL_CELLS))
    begin = max(0, min(first, stages - fitting))
    return Columns(name, word, load, counts, range(begin, begin + fitting))


class AgentLines:
    """Draws the lines of the pane, for one width and one look at the run."""

    def __init__(self, model: Model, brush: Brush, columns: Columns, width: int, services: Mapping[str, int]) -> None:
        self._model = model
        self._brush = brush
        self._columns = columns
        self._width = width
        self._services = services  # how many are up, by agent

    def header(self, here: int | None, order: Order) -> list[Piece]:
        """Draw the names of the columns: of stages their numbers, each in the colour of its state."""
        columns, board = self._columns, self._model.board
        pieces: list[Piece] = [(" " * SIGN_CELLS, ""), self._label("agent", columns.name + 1, is_by=order == "name")]
        if columns.word:
            pieces.append(self._label("state", columns.word, is_by=order == "state"))
        for at in columns.stages:
            stage = board.stages[at]
            number = board.number_of(stage)
            style = "key" if at == here else LOOKS[stage.state].style
            pieces.append((fit("-" if number is None else str(number), CELL_CELLS - 1, right=True) + " ", style))
        left = len(board.stages) - columns.stages.stop
        pieces.append((fit(f"+{left}" if left else "", GAP_CELLS), "faint"))
        if columns.load:
            pieces.append(self._label("load", columns.load, is_by=order == "load"))
        if columns.counts:
            pieces.append((fit("proc svc", columns.counts), "faint"))
        return [*pieces, self._label("now", NOW_CELLS, is_by=order == "failures")]

    def _label(self, word: str, cells: int, *, is_by: bool) -> Piece:
        arrow = self._brush.pick("▾", "v") if is_by else ""
        return fit(word + arrow, cells), "key" if is_by else "faint"

    def agent(self, agent: AgentRow, here: int | None) -> list[Piece]:
        """Draw an agent. here: the stage under the cursor, when that is in this line."""
        columns, brush = self._columns, self._brush
        look = AGENT_LOOKS[agent.state]
        pieces: list[Piece] = [
            (f" {brush.sign(look)} ", look.style),
            (fit_name(brush.text(agent.name), columns.name) + " ", "failed" if look.style == "failed" else ""),
        ]
        if columns.word:
            pieces.append((fit(look.word, columns.word), look.style))
        for at in columns.stages:
            state = agent.cell_state(self._model.board.stages[at])
            sign, style = (brush.sign(LOOKS[state]), LOOKS[state].style) if state is not None else (" ", "faint")
            pieces.append((f"[{sign}]" if at == here else f" {sign} ", style))
        pieces.append((" " * GAP_CELLS, ""))
        load = self._model.loads.by_agent.get(agent.name)
        if columns.load:
            pieces += self._load(load)
        if columns.counts:
            pieces.append((fit(self._counts(agent, load), columns.counts), "dim"))
        now, style = self._now(agent)
        return [*pieces, (fit(now, max(0, self._width - cells_of(pieces))), style)]

    def group(self, group: AgentGroup, *, is_open: bool) -> list[Piece]:
        """Draw agents that do alike: how many there are, and the loudest of what they did in each stage."""
        columns, brush = self._columns, self._brush
        fold = brush.pick("⌄ ", "- ") if is_open else brush.pick("› ", "+ ")
        name = fit(group.label, columns.cells - SIGN_CELLS)
        pieces: list[Piece] = [(f" {fold}", "faint"), (name, "failed" if group.is_loud else "strong")]
        for at in columns.stages:
            state = group.cell_state(self._model.board.stages[at])
            sign, style = (brush.sign(LOOKS[state]), LOOKS[state].style) if state is not None else (" ", "faint")
            pieces.append((f" {sign} ", style))
        return pieces

    def service(self, service: ServiceAnnounced | None) -> list[Piece]:
        """Draw where something is offered; the headline for None."""
        if service is None:
            return [(" Services", "accent")]
        brush = self._brush
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
            (fit_name(brush.text(service.agent), self._columns.name) + "  ", ""),
            (brush.text(what), "strong" if service.kind == "prometheus" else ""),
            (f"  {brush.text(places)}", "accent"),
            (brush.text(trouble), "failed"),
        ]

    def _load(self, load: Load | None) -> list[Piece]:
        cells = self._columns.load
        if load is None or not load.cpu:
            return [(" " * cells, "")]
        now = load.cpu[-1]
        past = spark(list(load.cpu), SPARK_CELLS, self._brush) + " " if cells > BARE_LOAD_CELLS else ""
        said = f"{now * 100:.0f}%" if round(now * 100) < LONG_PERCENT else f"{now:.0f}x"  # there is room for no more
        return [(fit(f"{past}{said}", cells), "retrying" if now > 1 else "dim")]

    def _counts(self, agent: AgentRow, load: Load | None) -> str:
        """Say how many processes outlive their jobs, and how many services are up."""
        processes = load.processes if load is not None else 0
        services = self._services.get(agent.name, 0)
        return f"{processes or '':>4}{services or '':>4}"

    def _now(self, agent: AgentRow) -> Piece:
        """Give the last word of an agent: what is wrong, what it does, or what it did last."""
        brush = self._brush
        if agent.state not in (AgentState.READY, AgentState.STOPPED):
            look = AGENT_LOOKS[agent.state]
            word = "" if self._columns.word else look.word
            return ": ".join(filter(None, (word, brush.text(agent.message)))), look.style
        current = agent.current
        if current is None:
            held = self._model.board.stops.hold_of(agent.name)
            if held is not None and held.is_held:
                return "held alone", "held"
            return brush.text(agent.host or agent.address), "faint"
        name = brush.text(current.job.name)
        other = failed_as(agent, self._model)
        if other:
            return f"as {brush.text(other)}  ({name})", "dim"
        if current.state in (State.FAILED, State.LOST, State.RETRYING):
            return f"{brush.text(current.message)}  ({name})", LOOKS[current.state].style
        hold = self._model.board.stops.hold_of(agent.name)
        if hold is not None and hold.is_held:
            return ": ".join(filter(None, ("held alone", brush.text(told_of(hold, agent.name))))), "held"
        if agent.running:
            extra = f" (+{agent.running - 1})" if agent.running > 1 else ""
            progress = f"  {brush.text(current.progress)}" if current.progress else ""
            return f"{name} {time_of(agent, self._model)}{extra}{progress}", ""
        return name, "faint"


def told_of(hold: AgentHold, agent: str) -> str:
    """Say why an agent is held, without the row's name, which ends with the agent's."""
    where, separator, why = hold.message.partition(": ")
    return why if separator and f"@{agent}" in where else hold.message


def failed_as(agent: AgentRow, model: Model) -> str:
    """Name the agent that failed before it for the same cause, of which all is said; empty when there is none."""
    if agent.current is None:
        return ""
    cluster = model.board.clusters.holding(agent.current.key)
    first = cluster.first.struck if cluster is not None else agent.current
    return first.agent if first.agent != agent.name else ""


def time_of(agent: AgentRow, model: Model) -> str:
    """Say how long the agent's job has been running; nothing when none does."""
    if not agent.running or agent.current is None:
        return ""
    return duration(agent.current.duration_s(model.now_s))
