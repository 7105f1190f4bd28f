"""How busy the agents' machines are and were: the last values of each, told when they changed by a step."""

from __future__ import annotations

from collections import deque

from octogram_tui.engine import events as ev

KEPT_VALUES = 30


class Load:
    """One agent's machine, the latest last. `version` grows with each value."""

    __slots__ = ("cpu", "memory", "processes", "version")

    def __init__(self) -> None:
        self.cpu: deque[float] = deque(maxlen=KEPT_VALUES)
        self.memory = -1.0
        self.processes = 0
        self.version = 0


class Loads:
    """The fold."""

    def __init__(self) -> None:
        self.by_agent: dict[str, Load] = {}

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if not isinstance(event, ev.AgentLoad):
            return
        load = self.by_agent.get(event.agent)
        if load is None:
            load = self.by_agent[event.agent] = Load()
        if event.cpu >= 0:
            load.cpu.append(event.cpu)
        load.memory, load.processes = event.memory, event.processes
        load.version += 1
