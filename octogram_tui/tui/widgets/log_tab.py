"""One log that is looked at: what it is about, its lines, where one is in it, and what is searched for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from octogram_tui.model.values import Value
from octogram_tui.projection.log_search import LogSearch
from octogram_tui.projection.log_view import LogView
from octogram_tui.projection.logbook import Line, Logbook, Origin
from octogram_tui.projection.rows import AgentRow, Group, Kind
from octogram_tui.tui.foothold import Foothold
from octogram_tui.tui.model import Model, Subject, scope_of


class Came(NamedTuple):
    """How many lines came, and how many were let go at the front."""

    new: int
    removed: int


class LogTab:
    """The log of a subject. A pinned one stays what it is when something else is chosen."""

    def __init__(self, logbook: Logbook, subject: Subject | None = None, *, letter: str = "") -> None:
        self.subject = subject
        self.letter = letter  # of a pinned one
        self.view = LogView(logbook, scope_of(subject))
        self.is_following = True
        self.unseen = 0  # lines that came since it follows no more
        self.search: LogSearch | None = None
        self.match: int | None = None  # the absolute number of the line that was found
        self.top = 0  # the row at the top when something else is shown
        self.left = 0  # cells that are scrolled away at the left
        self._foothold: Foothold | None = None
        self._naming = Naming(subject)

    @property
    def lines(self) -> list[Line]:
        """The lines that can be scrolled through."""
        return self.view.lines

    def catch_up(self) -> Came:
        """Take in what came."""
        view = self.view
        removed, end = view.removed, view.removed + len(view.lines)
        new = view.catch_up()
        removed = view.removed - removed
        if not self.is_following:
            self.unseen += new
        if self.search is not None:
            begin = max(end, view.removed)
            self.search.take((line.text for line in view.lines[begin - view.removed :]), begin)
            self.search.forget(view.removed)
        if self.match is not None and self.match < view.removed:
            self.match = None
        return Came(new, removed)

    def look_at(self, logbook: Logbook, subject: Subject | None) -> None:
        """Show what the same had written by another moment; what is searched for is searched for there."""
        self.subject = subject
        if not self.view.go_to(logbook):
            self.view = LogView(logbook, self.view.scope)
        self.unseen = 0
        self._naming = Naming(subject)
        if self.search is not None:
            self.search = self.search.anew()
            self.search.take((line.text for line in self.lines), self.view.removed)
            if self.match is not None and not self.search.place(self.match):
                self.match = None

    def foothold(self, model: Model) -> Foothold:
        """What finds its subject again."""
        self._foothold = self._foothold or Foothold(model)
        return self._foothold

    # Searching

    def look_for(self, needle: str, shown: Callable[[str], str]) -> None:
        """Search all lines, and those that come."""
        self.match = None
        self.search = LogSearch(needle, shown) if needle else None
        if self.search is not None:
            self.search.take((line.text for line in self.lines), self.view.removed)

    def go_to_match(self, by: int, from_line: int) -> int | None:
        """Take the next line that was searched for, or the one before; `from_line` is where one is without one."""
        if self.search is None:
            return None
        here = self.match if self.match is not None else from_line + self.view.removed
        self.match = self.search.after(here) if by > 0 else self.search.before(here)
        return self.match

    # Names

    def name_of(self, origin: Origin) -> str:
        """Say in a word who wrote a line, as far as the subject leaves that open; empty where all is of one."""
        self._naming.look(self.view.origins)
        return self._naming.name_of(origin)

    def longest_name(self, cells: Callable[[str], int]) -> int:
        """Give the cells of the longest name that stands before lines. cells: says how many a name takes."""
        self._naming.look(self.view.origins)
        return self._naming.longest(cells)


class Naming:
    """What tells those apart who wrote. Each of them is looked at once, for there may be a hundred thousand."""

    def __init__(self, subject: Subject | None) -> None:
        self._knows_job = isinstance(subject, Group) and subject.kind is Kind.AGENT
        self._knows_agent = self._knows_job or isinstance(subject, AgentRow)
        self._looked = 0  # at how many
        self._agents: set[str] = set()
        self._jobs: set[str] = set()
        self._items: set[str] = set()
        self._differs = ""
        self._measured: set[str] = set()  # the names whose cells are in `_longest`
        self._longest = 0

    def look(self, origins: list[Origin]) -> None:
        """Take in who wrote since."""
        if len(origins) == self._looked:
            return
        since = origins[self._looked :]
        self._looked = len(origins)
        self._agents.update([origin.agent for origin in since])
        self._jobs.update([each.process or (each.instance[1] if each.instance is not None else "") for each in since])
        self._items.update([_item(item) for origin in since if (item := origin.item) is not None])
        if "" not in self._items and any(origin.item is None for origin in since):
            self._items.add("")
        differs = "item" if len(self._items) > 1 else ""
        if not self._knows_job and len(self._jobs) > 1:
            differs = "job"
        if not self._knows_agent and len(self._agents) > 1:
            differs = "agent"
        if differs != self._differs:
            self._differs = differs
            self._longest = 0
            self._measured.clear()

    def name_of(self, origin: Origin) -> str:
        """Give a name."""
        if self._differs == "item":
            return "" if origin.item is None else _item(origin.item)
        if self._differs == "agent":
            return origin.agent
        return (origin.process or origin.job or origin.agent) if self._differs == "job" else ""

    def longest(self, cells: Callable[[str], int]) -> int:
        """Give the cells of the longest name."""
        names = {"item": self._items, "agent": self._agents, "job": self._jobs}.get(self._differs)
        if names is not None and len(names) > len(self._measured):
            fresh = names - self._measured
            self._measured |= fresh
            self._longest = max(self._longest, max(map(cells, fresh)))
        return self._longest


def _item(item: Value) -> str:
    return item if isinstance(item, str) else str(item)
