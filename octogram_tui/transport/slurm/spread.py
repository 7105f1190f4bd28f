"""Which agent runs on which node of an allocation: as many on each as it has processors for, none twice elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from octogram_tui.transport.slurm.queue import Node


class Spread:
    """Gives each agent its node, the same one whenever it is asked. there: where agents run already."""

    def __init__(self, nodes: Sequence[Node], names: Iterable[str], there: Mapping[str, str]) -> None:
        self._nodes = nodes
        self._taken = [0] * len(nodes)
        self._node: dict[str, int] = {}
        at = {node.name: number for number, node in enumerate(nodes)}
        for name, node in there.items():
            if node in at:
                self._take(name, at[node])
        for name in names:
            self.node_of(name)

    def node_of(self, agent: str) -> Node:
        """Give the node of an agent; of one that comes later, the emptiest."""
        if agent not in self._node:
            loads = [(taken + 1) / node.cpus for taken, node in zip(self._taken, self._nodes, strict=True)]
            self._take(agent, loads.index(min(loads)))
        return self._nodes[self._node[agent]]

    def _take(self, agent: str, number: int) -> None:
        self._node[agent] = number
        self._taken[number] += 1
