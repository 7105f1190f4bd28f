"""The agents as a list: in which order, which of them the filters take, and, where they are very many, in groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from octogram_tui.projection.loads import Loads
from octogram_tui.projection.outline import Outline
from octogram_tui.projection.row_states import AgentState, State, loudest, quietest
from octogram_tui.projection.rows import AgentRow, Group

Order = Literal["as they come", "name", "state", "failures", "load"]
ORDERS: tuple[Order, ...] = ("as they come", "name", "state", "failures", "load")

GROUPED_FROM = 1_000
"""From so many agents on they stand in groups, by how they do."""
UNFOLDED_AGENTS = 50
"""A group of more is folded until somebody unfolds it."""
STEADY_S = 1.0
"""What changes with every event (states, failures, load) is sorted and grouped again no sooner than this."""

_BAD = (AgentState.FAILED, AgentState.LOST, AgentState.UNCLEAN)
_LOUD = (*_BAD, AgentState.SUSPECT)
_UNBORN = (AgentState.WAITING, AgentState.STARTING)


class AgentGroup:
    """Agents that do alike."""

    __slots__ = ("agents", "is_loud", "name", "takes")

    def __init__(self, name: str, takes: Callable[[AgentRow], bool], *, is_loud: bool = False) -> None:
        self.name = name
        self.takes = takes
        self.is_loud = is_loud
        self.agents: list[AgentRow] = []

    @property
    def label(self) -> str:
        """What to call it: how many there are, and how they do."""
        return f"{len(self.agents)} {self.name}"

    def cell_state(self, stage: Group) -> State | None:
        """What to show where group and stage meet: the loudest of what its agents show; None when none takes part."""
        key = stage.key
        cells = [cell for agent in self.agents if (cell := agent.cells.get(key)) is not None]
        tally = [*map(sum, zip(*cells, strict=True))]
        return (loudest(tally) or quietest(tally)) if any(tally) else None


def _groups() -> list[AgentGroup]:
    return [
        AgentGroup("in trouble", lambda agent: agent.state in _LOUD, is_loud=True),
        AgentGroup("with failures", lambda agent: agent.failed > 0, is_loud=True),
        AgentGroup("coming up", lambda agent: agent.state in _UNBORN),
        AgentGroup("at work", lambda agent: agent.running > 0),
        AgentGroup("at rest", lambda agent: True),
    ]


class AgentList:
    """The list. `refresh` makes it again, and only when something that it depends on has changed."""

    def __init__(self, outline: Outline, loads: Loads) -> None:
        self.rows: list[AgentRow | AgentGroup] = []
        self.order: Order = "as they come"
        self.is_grouped = False
        self.rebuilt = 0  # how often the list was made; tests hold it against the events that came
        self._outline = outline
        self._loads = loads
        self._folds: dict[str, bool] = {}  # what the operator decided, by the names of groups
        self._basis: tuple[object, ...] | None = None
        self._made_s = float("-inf")

    def look_at(self, loads: Loads) -> None:
        """List the agents of another moment."""
        self._loads = loads
        self._basis = None

    def sort(self, order: Order) -> None:
        """Put them in another order; asked for twice, in that of their coming again."""
        self.order = "as they come" if order == self.order else order
        self._basis = None

    def toggle(self, group: AgentGroup) -> None:
        """Unfold a group, or fold it."""
        self._folds[group.name] = not self.is_unfolded(group)
        self._basis = None

    def is_unfolded(self, group: AgentGroup) -> bool:
        """Say whether the agents of a group are shown: as was decided, else where something is wrong with few."""
        return self._folds.get(group.name, group.is_loud and len(group.agents) <= UNFOLDED_AGENTS)

    def refresh(self, clock_s: float) -> None:
        """Bring the list up to date. clock_s: of any clock that goes on by itself, also when the run stands still."""
        board, outline = self._outline.board, self._outline
        is_grouped = len(board.agents) >= GROUPED_FROM and not outline.is_narrowed
        chosen = (self.order, outline.failed_only, outline.filtered_by.text)
        basis: tuple[object, ...] = (chosen, len(board.agents))
        if is_grouped or outline.is_narrowed or self.order not in ("as they come", "name"):
            if self._basis is not None and chosen == self._basis[0] and clock_s - self._made_s < STEADY_S:
                return
            basis += (board.version,)
        if basis == self._basis:
            return
        self._basis, self._made_s = basis, clock_s
        self.rebuilt += 1
        self.is_grouped = is_grouped
        agents = self._sorted([agent for agent in board.agents.values() if self._is_taken(agent)])
        self.rows = self._in_groups(agents) if is_grouped else list(agents)

    def _is_taken(self, agent: AgentRow) -> bool:
        outline = self._outline
        if outline.failed_only and agent.state not in _BAD and not agent.failed:
            return False
        return not outline.filtered_by or outline.filtered_by.takes_agent(agent, lambda: agent.instances)

    def _sorted(self, agents: list[AgentRow]) -> list[AgentRow]:
        match self.order:
            case "name":
                return sorted(agents, key=lambda agent: agent.name)
            case "state":
                return sorted(agents, key=_loudness)
            case "failures":
                return sorted(agents, key=lambda agent: -agent.failed)
            case "load":
                return sorted(agents, key=lambda agent: -self._load(agent))
        return agents

    def _load(self, agent: AgentRow) -> float:
        load = self._loads.by_agent.get(agent.name)
        return load.cpu[-1] if load is not None and load.cpu else -1.0

    def _in_groups(self, agents: list[AgentRow]) -> list[AgentRow | AgentGroup]:
        groups = _groups()
        for agent in agents:
            next(group for group in groups if group.takes(agent)).agents.append(agent)
        rows: list[AgentRow | AgentGroup] = []
        for group in groups:
            if group.agents:
                rows.append(group)
                rows += group.agents if self.is_unfolded(group) else []
        return rows


_LOUDNESS = (
    AgentState.LOST,
    AgentState.FAILED,
    AgentState.UNCLEAN,
    AgentState.SUSPECT,
    AgentState.STARTING,
    AgentState.WAITING,
    AgentState.READY,
    AgentState.STOPPED,
)


def _loudness(agent: AgentRow) -> tuple[int, int]:
    return _LOUDNESS.index(agent.state), -agent.failed
