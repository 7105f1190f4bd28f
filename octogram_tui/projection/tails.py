"""The last lines that each attempt wrote, for reports that quote where something failed."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId

LINE_OVERHEAD_BYTES = 160


class Tail(NamedTuple):
    """The last lines of an attempt. let_go: how many came, or were left out, before them."""

    lines: list[str]
    let_go: int

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return LINE_OVERHEAD_BYTES * len(self.lines) + sum(map(len, self.lines))


NOTHING = Tail([], 0)


class Tails:
    """The fold. lines: how many of each attempt; bytes_in_all: beyond which the oldest attempts are let go."""

    def __init__(self, *, lines: int, bytes_in_all: int) -> None:
        self._lines = lines
        self._bytes_in_all = bytes_in_all
        self.size_bytes = 0
        self._tails: OrderedDict[InstanceId, dict[int, Tail]] = OrderedDict()  # the latest written to last

    def apply(self, event: ev.Event) -> None:
        """Take one event in."""
        if not isinstance(event, ev.JobOutput) or event.instance is None:
            return
        attempts = self._tails.setdefault(event.instance, {})
        self._tails.move_to_end(event.instance)
        old = attempts.get(event.attempt, NOTHING)
        lines = [*old.lines, *event.lines[-self._lines :]][-self._lines :]
        let_go = old.let_go + event.dropped + len(old.lines) + len(event.lines) - len(lines)
        new = attempts[event.attempt] = Tail(lines, let_go)
        self.size_bytes += new.size_bytes - old.size_bytes
        while self.size_bytes > self._bytes_in_all and len(self._tails) > 1:
            self.forget(next(iter(self._tails)))

    def of(self, instance: InstanceId, attempt: int) -> Tail:
        """Give that of an attempt, as far as it is known."""
        return self._tails.get(instance, {}).get(attempt, NOTHING)

    def forget(self, instance: InstanceId) -> None:
        """Nobody will ask for those of an instance."""
        tails = self._tails.pop(instance, None)
        if tails is not None:
            self.size_bytes -= sum(tail.size_bytes for tail in tails.values())
