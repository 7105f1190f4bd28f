"""Which rows a step is for: those of some agents, within a unit."""

from __future__ import annotations

from octogram_tui.model.ids import InstanceId
from octogram_tui.model.overrides import fits
from octogram_tui.model.pattern import Pattern


class Scope:
    """The rows of some agents (a name, or a text with `*`; empty: all), within a unit.

    agent: the one that is meant, where it is one only.
    """

    __slots__ = ("_but", "agent", "agents", "unit")

    def __init__(self, agents: str = "", unit: Pattern | None = None) -> None:
        self.agents = agents
        self.unit = unit
        self.agent = agents if agents and "*" not in agents else None
        if self.agent is None and unit is not None and unit.agent and not set(unit.agent) & set("*\\"):
            self.agent = unit.agent
        self._but: set[str] = set()

    def leave_out(self, agents: str) -> None:
        """Mean the rows of some agents no more."""
        self._but.add(agents)

    def has(self, agent: str) -> bool:
        """Whether an agent is among those that are meant; the unit may leave it out all the same."""
        return (not self.agents or fits(self.agents, agent)) and not any(fits(text, agent) for text in self._but)

    def covers(self, id_: InstanceId) -> bool:
        """Whether a row is meant."""
        return self.has(id_.agent) and (self.unit is None or self.unit.matches(id_))

    def is_within(self, stage: str) -> bool:
        """Whether all that is meant is of one stage."""
        unit = self.unit
        return unit is not None and unit.stage != "" and "*" not in unit.stage and unit.matches_stage(stage)

    def __str__(self) -> str:
        unit = "" if self.unit is None else str(self.unit)
        if not self.agents:
            return unit or "the run"
        return f"{unit} on {self.agents}" if unit else self.agents


def around(unit: Pattern) -> Pattern:
    """Give what is around a unit: of an item its job on that agent, of that the agent's lane, of the rest the stage."""
    if unit.item is not None:
        return Pattern(unit.stage, unit.job, unit.agent)
    if unit.job and unit.agent:
        return Pattern(unit.stage, "", unit.agent)
    return Pattern(unit.stage)


def exactly(id_: InstanceId) -> Pattern:
    """Give the pattern that means one row."""
    return Pattern.of(*id_)
