"""The lines that somebody looks at: of one attempt, one job, one stage, one agent, or of everybody."""

from __future__ import annotations

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
        if self.instance is not None:
            return origin.instance == self.instance
        return (
            (not self.stage or origin.stage == self.stage)
            and (not self.job or origin.job == self.job)
            and (not self.agent or origin.agent == self.agent)
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
        self._next = self._begin = max(logbook.first, logbook.end - SCANNED_LINES)
        self.origins: list[Origin] = []  # who wrote what belongs here, in the order of their first lines
        self._verdicts: dict[int, bool] = {}
        if scope.instance is not None:
            self.origins = list(logbook.attempts.get(scope.instance, ()))
            self._verdicts = {id(origin): True for origin in self.origins}
            self.lines = [line for origin in self.origins for line in origin.lines]
            self._next = logbook.end
        self.catch_up()

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
                del self._verdicts[id(origin)]
        self.logbook = logbook
        self.catch_up()
        return True

    def catch_up(self) -> int:
        """Take in the lines that came; returns how many of them belong here."""
        start = max(self._next, self.logbook.first) - self.logbook.first
        self._next = self.logbook.end
        verdicts = self._verdicts
        holds = self.scope.holds
        count = 0
        for line in self.logbook.lines[start:]:
            origin = line.origin
            verdict = verdicts.get(id(origin))
            if verdict is None:
                verdict = verdicts[id(origin)] = holds(origin)
                if verdict:
                    self.origins.append(origin)
            if verdict:
                self.lines.append(line)
                count += 1
        excess = len(self.lines) - self._kept_lines
        if excess > self._kept_lines // 10:
            del self.lines[:excess]
            self.removed += excess
            self._begin += excess
        return count
