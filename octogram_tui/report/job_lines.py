"""`--output stream|prefixed|grouped`: the lines that jobs write, also of those that go well."""

from __future__ import annotations

from collections.abc import Callable

from octogram_tui.engine import events as ev
from octogram_tui.projection.tails import Tails
from octogram_tui.report.plainlog import PlainLog, Shows

GROUP_LINES = 2000
GROUPS_BYTES = 32 * 1024 * 1024
"""What is kept of outputs until their attempts end: of more the beginning is left out, and said to be."""


class JobLines:
    """Writes output as it comes, or of each attempt in one piece when it ends. Each line is marked as quoted."""

    def __init__(self, log: PlainLog, shows: Shows, where_left_out: Callable[[ev.JobOutput], str]) -> None:
        self._log = log
        self._shows = shows
        self._where_left_out = where_left_out
        self._groups = Tails(lines=GROUP_LINES, bytes_in_all=GROUPS_BYTES)

    def apply(self, event: ev.JobOutput) -> None:
        """Take lines in. Those of a service belong to no attempt, and are written as they come."""
        if self._shows == "grouped" and event.instance is not None:
            self._groups.apply(event)
            return
        prefix = "  |"
        if self._shows != "stream":
            what = event.process if event.instance is None else event.instance.job
            prefix = f"  {self._log.text(event.agent)} {self._log.text(what)} |"
        if event.dropped:
            self._log.add(f"{prefix} ({event.dropped} lines left out{self._where_left_out(event)})")
        for line in event.lines:
            self._log.add(f"{prefix} {self._log.output(line)}".rstrip())

    def end(self, event: ev.JobFinished) -> None:
        """Write what an attempt wrote that has ended, below the line that tells so."""
        if self._shows != "grouped":
            return
        group = self._groups.of(event.instance, event.attempt)
        if group.let_go:
            self._log.add(f"    | ({group.let_go} lines left out)")
        self._log.quote(group.lines)
        self._groups.forget(event.instance)
