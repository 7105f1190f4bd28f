"""Which agents a step, a pause and a go are for: all of the run, one, or those that a filter shows.

A setting of this console alone, as the current thread of other debuggers is; the run is told the agents each time.
"""

from __future__ import annotations

from typing import Literal, Protocol

from octogram_tui.projection.board import Board
from octogram_tui.projection.outline import Outline
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.tui.format import plural

ScopeKind = Literal["run", "agent", "filter"]


class Knows(Protocol):
    """What knows the run, as it is at the moment that is looked at."""

    outline: Outline

    @property
    def board(self) -> Board:
        """The state of the run."""
        ...


class StepScope:
    """The setting. What a filter shows is asked for each time, for it changes with the run."""

    def __init__(self, model: Knows) -> None:
        self._model = model
        self._kind: ScopeKind = "run"
        self._agent = ""
        self._shown: tuple[object, frozenset[str]] = (None, frozenset())
        self._held: tuple[object, list[InstanceRow]] = (None, [])

    @property
    def _board(self) -> Board:
        return self._model.board

    @property
    def _outline(self) -> Outline:
        return self._model.outline

    @property
    def kind(self) -> ScopeKind:
        """What it is now: of a filter that shows everything again nothing is left."""
        if self._kind == "filter" and not self._outline.is_narrowed:
            return "run"
        return self._kind

    def use(self, kind: ScopeKind, agent: str = "") -> None:
        """Choose."""
        self._kind, self._agent = kind, agent

    def kinds(self, agent: str) -> list[ScopeKind]:
        """Give what can be chosen now, in turn. agent: the one under the cursor, if there is one."""
        filtered: list[ScopeKind] = ["filter"] if self._outline.is_narrowed else []
        return ["run", *(("agent",) if agent else ()), *filtered]

    def after(self, agent: str) -> tuple[ScopeKind, str]:
        """Give what comes after the present one; another agent under the cursor comes before all else."""
        if self.kind == "agent" and agent and agent != self._agent:
            return "agent", agent
        kinds = self.kinds(agent)
        at = kinds.index(self.kind) if self.kind in kinds else -1
        kind = kinds[(at + 1) % len(kinds)]
        return kind, agent if kind == "agent" else ""

    @property
    def is_all(self) -> bool:
        """Whether it is the whole run."""
        return self.kind == "run"

    def takes(self, agent: str) -> bool:
        """Whether an agent is meant."""
        match self.kind:
            case "run":
                return True
            case "agent":
                return agent == self._agent
        return agent in self._names()

    def agents(self) -> list[str]:
        """Name the agents that are meant, for the requests; one empty name stands for the whole run."""
        match self.kind:
            case "run":
                return [""]
            case "agent":
                return [self._agent]
        return [name for name in self._board.agents if name in self._names()]

    def words(self) -> str:
        """Say which agents these are; empty for the whole run."""
        match self.kind:
            case "run":
                return ""
            case "agent":
                return self._agent
        names = self._names()
        return next(iter(names)) if len(names) == 1 else plural(len(names), "agent")

    @property
    def next(self) -> InstanceRow | None:
        """What of these agents the gate lets through next."""
        return next((row for row in self._board.queue if self.takes(row.agent)), None)

    def held(self) -> list[InstanceRow]:
        """Give all that the gate holds of these agents, what is next first."""
        board = self._board
        basis = (id(board), board.queue.version, self.kind, self._agent, self._names() if self.kind == "filter" else ())
        if basis != self._held[0]:
            self._held = (basis, [row for row in board.queue if self.takes(row.agent)])
        return self._held[1]

    def _names(self) -> frozenset[str]:
        outline = self._outline
        basis = (id(self._board), self._board.version, outline.filtered_by.text, outline.failed_only)
        if basis != self._shown[0]:
            shown = (
                agent.name
                for agent in self._board.agents.values()
                if (not outline.failed_only or agent.failed)
                and (not outline.filtered_by or outline.filtered_by.takes_agent(agent, agent.instances.__iter__))
            )
            self._shown = (basis, frozenset(shown))
        return self._shown[1]
