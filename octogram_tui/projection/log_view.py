"""The lines that somebody looks at: of one attempt, one job, one stage, one agent, or of everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.logbook import Line, Logbook, Origin

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


EVERYTHING = Scope()


class LogView:
    """A growing list of lines; `catch_up` takes in what came since, so its cost is that of the new lines only."""

    def __init__(self, logbook: Logbook, scope: Scope = EVERYTHING, *, kept_lines: int = SCANNED_LINES) -> None:
        self.logbook = logbook
        self.scope = scope
        self.lines: list[Line] = []
        self.removed = 0  # lines that were taken from the front since the view was opened
        self._kept_lines = kept_lines
        first, end = logbook.stretch(scope.stage, scope.job)
        self._next = self._begin = self._opened = max(first, end - SCANNED_LINES)
        self.origins: list[Origin] = []  # who wrote what belongs here, in the order of their first lines
        self._listed: set[int] = set()  # of these those that had written before it looked, by their identity
        if scope.instance is not None:
            self.origins = list(logbook.attempts.get(scope.instance, ()))
            self._listed = {id(origin) for origin in self.origins}
            self.lines = [line for origin in self.origins for line in origin.lines]
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
            holds = self.scope.holds
            between = whole.lines[begin - whole.first : end - whole.first]
            count = sum(holds(line.origin) for line in between)
            left = len(self.lines) - count
            if left < self._kept_lines // 2 and self._begin > whole.first:
                return False  # more could be shown at the front
            del self.lines[left:]
            self._next = logbook.end
            gone = [origin for origin in self.origins if origin.begin >= logbook.end]
            for origin in gone:  # each is found again when its first line comes
                self.origins.remove(origin)
                self._listed.discard(id(origin))
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
            self._begin += excess
        return count

    def _take_in(self, end: int) -> int:
        """Take in the lines before an absolute number."""
        first = self.logbook.first
        start = max(self._next, first)
        self._next = end
        listed = self._listed
        before = len(self.lines)
        last: Origin | None = None
        for number, line in self._belonging(self.logbook.lines[start - first : end - first], start):
            origin = line.origin
            if origin is not last:
                last = origin
                if (origin.begin == number or origin.begin < self._opened) and id(origin) not in listed:
                    self.origins.append(origin)
                    if origin.begin < self._opened:  # a later one is found once: where it begins
                        listed.add(id(origin))
            self.lines.append(line)
        return len(self.lines) - before

    def _belonging(self, lines: list[Line], number: int) -> Iterable[tuple[int, Line]]:
        """Give the lines that belong here, with their absolute numbers, of which the first has `number`."""
        scope = self.scope
        stage, job = scope.stage, scope.job
        numbered = enumerate(lines, number)
        if scope == EVERYTHING:
            return numbered
        if stage and not scope.agent:  # what is looked at most, and all lines are gone through for it
            return [
                each
                for each in numbered
                if (instance := each[1].origin.instance) is not None
                and instance.stage == stage
                and (not job or instance.job == job)
            ]
        holds = scope.holds
        return [each for each in numbered if holds(each[1].origin)]
