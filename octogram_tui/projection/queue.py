"""What the gate holds, in the order in which it lets it through: the first is what runs next, and no other is.

The engine keeps the same order: what comes to a shut gate stands behind what is there, and a step takes the first, of
all or of some agents.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.overrides import Overrides, fits
from octogram_tui.projection.row_states import State
from octogram_tui.projection.rows import Group, InstanceRow

NEXT = "next in line, "
ROOM = "waits until there is room"

_HELD = {
    "start": "held before the start",
    "step": "held",
    "operator": "held, paused by you",
    "failure": "held after the failure",
    "reload": "held, the scenario has further stages",
    "back": "held after going back",
}


class Place(NamedTuple):
    """Where a row stands. point: before its attempt, or after it; then it was in `state` with `note` before.

    breakpoint: the number of the one that holds it; 0 when none does.
    """

    row: InstanceRow
    order: int
    point: str
    breakpoint: int
    state: State
    note: str


class Queue:
    """The fold: rows join when they are held, and leave when they begin, go on, are skipped, or their stage is over.

    overrides: which agents are held, or go, whatever it is for all.
    """

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._held: OrderedDict[InstanceId, Place] = OrderedDict()
        self._of: dict[str, OrderedDict[InstanceId, Place]] = {}  # by agent
        self._room: dict[InstanceId, Place] = {}  # let go, and waiting for room
        self._latest = 0
        self._is_open = True
        self._reason = ""
        self.version = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[InstanceRow]:
        return (place.row for place in self._held.values())

    def __contains__(self, row: InstanceRow) -> bool:
        return row.key in self._held

    @property
    def head(self) -> InstanceRow | None:
        """What the gate lets through next; None when it holds nothing."""
        return next(iter(self), None)

    def first(self, count: int, agents: str = "") -> list[InstanceRow]:
        """Give the first rows: what comes next, and then; of some agents only: a name, or a text with `*`."""
        if agents and "*" not in agents:
            return [place.row for place in islice(self._of.get(agents, {}).values(), count)]
        return list(islice((row for row in self if not agents or fits(agents, row.agent)), count))

    def place(self, row: InstanceRow) -> Place | None:
        """Say where a row stands; None when it is not held."""
        return self._held.get(row.key)

    @property
    def waiting(self) -> list[InstanceRow]:
        """Those that were let go, and wait until there is room."""
        return [place.row for place in self._room.values()]

    # -- rows -----------------------------------------------------------------------------------------------------

    def join(self, row: InstanceRow, event: ev.JobHeld, state: State, note: str) -> None:
        """A row is held; it keeps its place if it is held already. state, note: as it was with it before."""
        place = self._held.get(row.key)
        if place is not None or row.key in self._room:
            if event.breakpoint:
                place = place or self._room.pop(row.key)
                self._put(place._replace(breakpoint=event.breakpoint))
                self._sort()
                row.note = _words(event)
        else:
            self._latest = event.order or self._latest + 1
            self._put(Place(row, self._latest, event.point, event.breakpoint, state, note))
            row.note = _words(event)
        self._change()

    def leave(self, row: InstanceRow) -> Place | None:
        """A row is held no more, if it was. Gives where it stood."""
        if not self._held and not self._room:  # as it mostly is
            return None
        place = self._take(row.key) or self._room.pop(row.key, None)
        if place is not None:
            row.note = ""
            self._change()
        return place

    def close(self, stage: Group) -> list[InstanceRow]:
        """Nothing more of a stage begins. Gives the rows that never will."""
        gone = [p.row for p in (*self._held.values(), *self._room.values()) if p.row.stage is stage]
        for row in gone:
            if self._take(row.key) is None:
                del self._room[row.key]
        if gone:
            self._change()
        return gone

    def _put(self, place: Place) -> None:
        self._held[place.row.key] = place
        self._of.setdefault(place.row.agent, OrderedDict())[place.row.key] = place

    def _take(self, key: InstanceId) -> Place | None:
        place = self._held.pop(key, None)
        if place is not None:
            of_agent = self._of[key.agent]
            del of_agent[key]
            if not of_agent:
                del self._of[key.agent]
        return place

    def _sort(self) -> None:
        """Bring rows that came back to their places."""
        places = sorted(self._held.values(), key=lambda place: place.order)
        self._held.clear()
        self._of.clear()
        for place in places:
            self._put(place)

    # -- the gate -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """The gate is open: what is still here waits for room, but for agents that are held."""
        self._is_open = True
        self.look()

    def shut(self, reason: str) -> None:
        """The gate is shut: what waited for room is held."""
        self._is_open = False
        self._reason = reason
        self.look()

    def is_closed_to(self, agent: str) -> bool:
        """Whether the gate is shut for an agent: by what was said of it alone, else as for all."""
        word = self._overrides.of(agent)
        return not self._is_open if word is None else word != ""

    def look(self, agent: str = "") -> None:
        """The gate has changed, for all or for an agent: see what is held, and what waits for room."""
        there = self._of.get(agent, OrderedDict()) if agent else self._held
        goes = [place for place in there.values() if not self.is_closed_to(place.row.agent)]
        back = [p for p in self._room.values() if agent in ("", p.row.agent) and self.is_closed_to(p.row.agent)]
        for place in goes:
            self._take(place.row.key)
            self._room[place.row.key] = place
            self._say(place.row, ROOM)
        for place in back:
            del self._room[place.row.key]
            self._put(place)
            reason = self._overrides.of(place.row.agent) or self._reason
            self._say(place.row, _HELD.get(reason, f"held: {reason}"))
        if back:
            self._sort()
        self._change()

    def _say(self, row: InstanceRow, note: str) -> None:
        row.note = note
        row.version += 1

    def _change(self) -> None:
        self.version += 1
        head = self.head
        if head is not None and not self._is_open and not head.note.startswith(NEXT):
            self._say(head, NEXT + head.note)


def _words(event: ev.JobHeld) -> str:
    if event.point == "after":
        return f"held after it: {event.reason}"
    if event.breakpoint:
        return f"held at {event.reason}"
    if event.attempt:
        return "held before its next attempt"
    return _HELD.get(event.reason, f"held: {event.reason}")
