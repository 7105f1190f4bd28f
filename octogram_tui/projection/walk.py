"""The way through all that failed, one cause after the other: what stands first, then what was dealt with."""

from __future__ import annotations

from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.causes import cause_of
from octogram_tui.projection.failures import FailureRow
from octogram_tui.projection.rows import AgentRow, InstanceRow, RowKey


class Stop(NamedTuple):
    """One cause. subject: what to look at; `keys` name all that it struck.

    fate: what became of it, if it does not stand.
    """

    subject: InstanceRow | AgentRow
    keys: frozenset[InstanceId | str]
    cause: str
    fate: str = ""

    @property
    def who(self) -> str:
        """What it struck, in a word or two."""
        if len(self.keys) > 1:
            agents = len({key if isinstance(key, str) else key.agent for key in self.keys})
            return f"{agents} agents" if agents > 1 else f"{len(self.keys)} items"
        subject = self.subject
        return subject.name if isinstance(subject, AgentRow) else f"{subject.job.name} @ {subject.agent}"


class Walk:
    """Goes from stop to stop, around the end."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._last: Stop | None = None

    def stops(self) -> list[Stop]:
        """Every cause there was, in the order in which it first struck; what stands comes first."""
        board = self.board
        found = [
            Stop(cluster.first.struck, frozenset(row.key for row in cluster.struck), cluster.first.cause.text)
            for cluster in board.clusters.all
        ]
        for missing in board.agent_clusters.all:
            names = frozenset(agent.name for agent in missing.struck)
            found.append(Stop(missing.first.struck, names, missing.first.cause.text))
        return found + self._dealt_with()

    def _dealt_with(self) -> list[Stop]:
        """What failed and does not stand: an instance counts once for each cause."""
        board = self.board
        alike: dict[tuple[RowKey, str, str], list[FailureRow]] = {}
        for row in board.all_failures:
            if row.instance in board.failures and row.attempt == board.failures[row.instance].attempt:
                continue
            instance = board.instances.get(row.instance)
            if instance is not None:
                cause = cause_of(row.failure).text
                home = board.agents[instance.agent].home
                said = board.names.alike(cause, home, row.instance.item or "")
                alike.setdefault((instance.job.key, said, row.fate), []).append(row)
        return [
            Stop(
                board.instances[rows[0].instance],
                frozenset(row.instance for row in rows),
                cause_of(rows[0].failure).text,
                rows[0].fate,
            )
            for rows in alike.values()
        ]

    def next(self, chosen: InstanceId | str | None, *, stays: bool = False) -> tuple[Stop, int, int] | None:
        """Give the next stop after what is chosen, else after the last one, with its number and how many there are.

        stays: give the stop of what is chosen itself, when there is one.
        """
        stops = self.stops()
        if not stops:
            return None
        here = self._place(stops, chosen)
        at = here if stays and here is not None else 0 if here is None else (here + 1) % len(stops)
        self._last = stops[at]
        return stops[at], at + 1, len(stops)

    def _place(self, stops: list[Stop], chosen: InstanceId | str | None) -> int | None:
        places = [at for at, stop in enumerate(stops) if chosen in stop.keys]
        last = self._last
        if last is not None:
            near = [at for at, stop in enumerate(stops) if stop.keys & last.keys]
            near.sort(key=lambda at: (stops[at].fate != last.fate, stops[at].cause != last.cause))
            if near and (not places or near[0] in places):
                return near[0]
        return places[0] if places else None
