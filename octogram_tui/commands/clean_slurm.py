"""The allocation of a run whose process has died: found by its name, shown, ended."""

from __future__ import annotations

from octogram_tui.model.scenario import Scenario
from octogram_tui.projection.text import safe
from octogram_tui.runtime.allocating import terms_of
from octogram_tui.transport.pool import Transports


def look_without(transports: Transports, scenario: Scenario) -> None:
    """Have the agents of Slurm looked for where its programs are, since no run has nodes now: homes are shared."""
    transports.look_beside_slurm(terms_of(scenario, "none", 0.0, lambda _: None))


class CleanedAllocation:
    """The one of a run, if it had one. is_there: it still waits, or runs."""

    def __init__(self, transports: Transports, scenario: Scenario | None, run: str, lease_s: float) -> None:
        self._transports = transports
        self._scenario = scenario
        self._run = run
        self._lease_s = lease_s
        self.is_there = False
        self._has_nodes = False

    async def find(self) -> None:
        """Ask Slurm for it. Where it is over, its agents' files are looked for beside it. Raises TransportError."""
        if self._scenario is None:
            return
        terms = terms_of(self._scenario, self._run, self._lease_s, lambda _: None, is_begun=True)
        self._transports.run_in_slurm(terms)
        allocation = self._transports.allocation
        self._has_nodes = await allocation.adopt()
        self.is_there = bool(allocation.job)
        if not self._has_nodes:
            self._transports.look_beside_slurm(terms)

    @property
    def has_ended_all(self) -> bool:
        """Whether Slurm has ended whatever ran on its nodes."""
        return self._scenario is not None and not self._has_nodes

    def show(self) -> None:
        """Say what there is of it."""
        if self.is_there:
            job = safe(self._transports.allocation.job)
            how = "has the nodes of its agents" if self._has_nodes else "waits in the queue"
            print(f"Slurm's job {job} of the run {how}")
        elif self.has_ended_all:
            print("Slurm has ended the allocation of the run, and all that its agents ran; their files are looked for")
            print("where its programs are: on a node's own disk they would not be seen")

    async def end(self) -> list[str]:
        """End it; gives what cannot be said of that."""
        if not self.is_there:
            return []
        why = await self._transports.allocation.end()
        self.is_there = bool(why)
        return [safe(why)] if why else []
