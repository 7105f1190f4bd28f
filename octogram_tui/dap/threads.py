"""Agents as threads: their numbers, which never change, and which of them are there."""

from __future__ import annotations

from typing import Any

from octogram_tui.dap.messages import RequestFailed
from octogram_tui.projection.board import Board
from octogram_tui.projection.row_states import AgentState
from octogram_tui.projection.text import safe

GONE = (AgentState.FAILED, AgentState.LOST, AgentState.STOPPED, AgentState.UNCLEAN)


class Threads:
    """The agents of a run by number, from 1 on, in the order in which they became known."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._told: set[str] = set()

    def number(self, agent: str) -> int:
        """Give an agent's number."""
        found = self._numbers.get(agent)
        if found is None:
            self._names.append(agent)
            found = self._numbers[agent] = len(self._names)
        return found

    def agent(self, number: int) -> str:
        """Give the agent of a number. Raises RequestFailed."""
        if not 1 <= number <= len(self._names):
            raise RequestFailed(f"there is no thread {number}: an agent is one, and there are {len(self._names)}")
        return self._names[number - 1]

    def listed(self, board: Board) -> list[dict[str, Any]]:
        """Write the agents as the protocol has them, those too that are gone: what they did is there to be seen."""
        return [{"id": self.number(name), "name": safe(name, limit=200)} for name in board.agents]

    def changes(self, board: Board, *, stay: bool = False) -> list[dict[str, Any]]:
        """Write which agents have come and gone since this was asked last. stay: none ever goes, as in a replay."""
        found = []
        for name, agent in board.agents.items():
            self.number(name)
            is_there = stay or agent.state not in GONE
            if is_there is not (name in self._told):
                (self._told.add if is_there else self._told.discard)(name)
                found.append({"reason": "started" if is_there else "exited", "threadId": self.number(name)})
        return found
