"""Failures in clusters: those of one job that have one cause are one thing to know, however many agents it struck.

A fold that costs the same for the first failure and for the hundred thousandth.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from octogram_tui.projection.causes import Cause

SHORT_NAMES = 2

Struck = TypeVar("Struck")
"""What failed: an instance, or an agent."""


class Member(NamedTuple, Generic[Struck]):
    """One failure. order: counts failures from the start of the run."""

    struck: Struck
    cause: Cause
    order: int


class Cluster(Generic[Struck]):
    """The failures of one place that are alike, the first first."""

    __slots__ = ("key", "members", "place")

    def __init__(self, place: Hashable, key: Hashable) -> None:
        self.place = place
        self.key = key
        self.members: dict[Hashable, Member[Struck]] = {}

    def __len__(self) -> int:
        return len(self.members)

    @property
    def first(self) -> Member[Struck]:
        """The one that stands for all: what failed first of what still stands failed."""
        return next(iter(self.members.values()))

    @property
    def struck(self) -> list[Struck]:
        """What failed, in the order in which it did."""
        return [member.struck for member in self.members.values()]


class Clusters(Generic[Struck]):
    """All clusters of a run, by place (a job; for agents there is one place)."""

    def __init__(self) -> None:
        self.version = 0
        self._count = 0
        self._listed: tuple[int, list[Cluster[Struck]]] = (0, [])
        self._by_place: dict[Hashable, dict[Hashable, Cluster[Struck]]] = {}
        self._of: dict[Hashable, Cluster[Struck]] = {}

    def __len__(self) -> int:
        """Count the failures."""
        return len(self._of)

    def put(self, place: Hashable, name: Hashable, struck: Struck, cause: Cause, alike: Hashable) -> None:
        """Take in that something failed. alike: what is equal for equal causes."""
        self.take_out(name)
        there = self._by_place.setdefault(place, {})
        cluster = there.get(alike)
        if cluster is None:
            cluster = there[alike] = Cluster(place, alike)
        self._count += 1
        self.version += 1
        cluster.members[name] = Member(struck, cause, self._count)
        self._of[name] = cluster

    def take_out(self, name: Hashable) -> None:
        """Take in that something does not stand failed any more, if it did."""
        cluster = self._of.pop(name, None)
        if cluster is None:
            return
        self.version += 1
        del cluster.members[name]
        if not cluster.members:
            there = self._by_place[cluster.place]
            del there[cluster.key]
            if not there:
                del self._by_place[cluster.place]

    def holding(self, name: Hashable) -> Cluster[Struck] | None:
        """Find the cluster of something that failed."""
        return self._of.get(name)

    def at(self, place: Hashable) -> list[Cluster[Struck]]:
        """Give the clusters of a place, that of the first failure first."""
        return sorted(self._by_place.get(place, {}).values(), key=_first)

    @property
    def all(self) -> list[Cluster[Struck]]:
        """Every cluster, that of the first failure first."""
        if self._listed[0] != self.version:
            clusters = [each for there in self._by_place.values() for each in there.values()]
            self._listed = (self.version, sorted(clusters, key=_first))
        return self._listed[1]


def _first(cluster: Cluster[Struck]) -> int:
    return cluster.first.order


def short_names(names: list[str], shown: int = SHORT_NAMES) -> str:
    """Name many in a few words: node_2 node_7 +8."""
    more = len(names) - shown
    return " ".join(names) if more <= 0 else f"{' '.join(names[:shown])} +{more}"
