"""The lines that somebody looks at: of one attempt, one job, one stage, one agent, or of everybody."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.logbook import Line, Logbook, Origin, Stretch

NEAR_LINES = 5_000
"""What is no farther apart than this is reached by the lines between."""
SCANNED_LINES = 50_000
"""How far back a view of many origins looks when it is opened."""


class Scope(NamedTuple):
    """What to show; an empty field means any. `instance` stands for all of its attempts."""

    stage: str = ""
    job: str = ""
    agent: str = ""
    instance: InstanceId | None = None

    def holds(self, origin: Origin) -> bool:
        """Say whether what this origin wrote belongs here."""
        instance = origin.instance
        if self.instance is not None:
            return instance == self.instance
        if self.agent and origin.agent != self.agent:
            return False
        if not self.stage and not self.job:
            return True
        return (
            instance is not None
            and (not self.job or instance.job == self.job)
            and (not self.stage or instance.stage == self.stage)
        )

    @property
    def is_of_all(self) -> bool:
        """Whether all belong here that wrote for a stage, a job, or anything, whichever agent it was."""
        return not self.agent and self.instance is None and bool(self.stage or not self.job)


EVERYTHING = Scope()


_BEGIN = attrgetter("begin")


class LogView:
    """A growing list of lines; `catch_up` takes in what came since, so its cost is that of the new lines only.

    Where a stretch of the log has nobody's lines but those of the scope, nobody looks at them: they are taken as they
    are. So a stage, which is what is looked at most, costs no more than a copy of a list.
    """

    def __init__(self, logbook: Logbook, scope: Scope = EVERYTHING, *, kept_lines: int = SCANNED_LINES) -> None:
        self.logbook = logbook
        self.scope = scope
        self.lines: list[Line] = []
        self.removed = 0  # lines that were taken from the front since the view was opened
        self._kept_lines = kept_lines
        first, end = logbook.stretch(scope.stage, scope.job)
        self._next = self._begin = max(first, end - SCANNED_LINES)
        self.origins: list[Origin] = []  # who wrote what belongs here
        self._listed: dict[Stretch, int] = {}  # how many of those who wrote in a stretch were looked at
        if scope.instance is not None:
            mine = logbook.attempts.get(scope.instance, ())
            self.lines = [line for origin in mine for line in origin.lines]
            self._next = logbook.end
        self._take_in(end)
        self._next = logbook.end

    def go_to(self, logbook: Logbook) -> bool:
        """Show the log of another moment, by what was written between the two.

        False where that is not a part of the same log, or so much that all is better looked through anew.
        """
        begin, end = sorted((self._next, logbook.end))
        whole = logbook.whole
        if whole is not self.logbook.whole or end - begin > NEAR_LINES or begin < whole.first or self.scope.instance:
            return False
        is_back = logbook.end < self._next
        if is_back:
            count = len(self._belonging(begin, end))
            left = len(self.lines) - count
            if left < self._kept_lines // 2 and (self.removed or self._begin > whole.first):
                return False  # more could be shown at the front
            del self.lines[left:]
            self._next = logbook.end
            self._listed.clear()
            self.origins.clear()
        self.logbook = logbook
        self.catch_up()
        return True

    def catch_up(self) -> int:
        """Take in the lines that came; returns how many of them belong here."""
        count = self._take_in(self.logbook.end)
        excess = len(self.lines) - self._kept_lines
        if excess > self._kept_lines // 10:
            del self.lines[:excess]
            self.removed += excess
        return count

    def _take_in(self, end: int) -> int:
        """Take in the lines before an absolute number."""
        start = max(self._next, self.logbook.first)
        self._next = end
        new = self._belonging(start, end)
        self.lines += new
        self._list_origins()
        return len(new)

    def _list_origins(self) -> None:
        """Find who wrote first since it was looked at last."""
        scope, end, listed = self.scope, self.logbook.end, self._listed
        for stretch in self.logbook.stretches(scope.stage, scope.job):
            known, origins = listed.get(stretch, 0), stretch.origins
            if known == len(origins):
                continue
            listed[stretch] = bisect_left(origins, end, key=_BEGIN)
            new = origins[known : listed[stretch]]
            self.origins += new if scope.is_of_all else [origin for origin in new if scope.holds(origin)]

    def _belonging(self, start: int, end: int) -> list[Line]:
        """Give the lines that belong here, from an absolute number to before another."""
        scope, book = self.scope, self.logbook
        lines = book.lines[start - book.first : end - book.first]
        if scope == EVERYTHING or (scope.is_of_all and book.is_all_of(scope.stage, scope.job, start, end)):
            return lines
        if scope.is_of_all:
            stage, job = scope.stage, scope.job
            return [
                line
                for line in lines
                if (instance := line.origin.instance) is not None
                and instance.stage == stage
                and (not job or instance.job == job)
            ]
        holds = scope.holds
        return [line for line in lines if holds(line.origin)]
