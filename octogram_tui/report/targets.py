"""`--metrics-targets FILE`: what a Prometheus of one's own is to scrape, as its file-based service discovery reads it.

A target is a service with a port named `metrics`, as for the Prometheus of a run (engine/prometheus.py), from the
moment it is announced until it stops. The list is empty before the run has any, and at its end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath

from octogram_tui.engine import events as ev
from octogram_tui.engine.prometheus import TargetGroup, target_groups
from octogram_tui.engine.services import ServiceTable
from octogram_tui.errors import UsageError
from octogram_tui.projection.text import visible
from octogram_tui.report.kept_file import KeptFile

WRITE_EVERY_S = 1.0
ENDINGS = (".json", ".yml", ".yaml")
"""Prometheus watches no file that is named otherwise; JSON is YAML."""


class TargetsReport:
    """Keeps the file of targets up to date."""

    def __init__(self, path: str) -> None:
        self._services = ServiceTable()
        self._run: dict[str, str] = {}
        self._groups: list[TargetGroup] = []
        self._is_over = False
        self._file = KeptFile(path, "targets", self._content, WRITE_EVERY_S)

    @classmethod
    def open(cls, path: str) -> TargetsReport:
        """Begin: the file is there, and empty. Raises JournalError, or UsageError for a name that nobody watches."""
        if PurePath(path).suffix not in ENDINGS:
            raise UsageError(
                f"--metrics-targets {path}: Prometheus reads no file of that name",
                hint=f"its name has to end with {ENDINGS[0]} (or {' or '.join(ENDINGS[1:])})",
            )
        report = cls(path)
        report._file.begin()
        return report

    def apply(self, events: Sequence[ev.Event]) -> None:
        """Take a batch of events in; the file follows within a second where there are other targets then."""
        for event in events:
            match event:
                case ev.ServiceAnnounced():
                    self._services.addresses[event.agent] = event.address
                    self._services.record(event)
                case ev.AgentReady() if event.address:
                    self._services.addresses[event.agent] = event.address
                case ev.AgentFailed() | ev.AgentLost() | ev.AgentStopped():
                    self._services.forget(event.agent)
                case ev.RunStarted():
                    self._run = {"run": visible(event.run), "scenario": visible(PurePath(event.scenario).stem)}
                    self._is_over = False
                case ev.RunFinished():
                    self._is_over = True
        groups = self._targets()
        if groups != self._groups:
            self._groups = groups
            self._file.changed()

    def close(self) -> None:
        """Empty the file: nothing of the run is left to be scraped. Raises JournalError."""
        self._groups = []
        self._file.close()

    def _targets(self) -> list[TargetGroup]:
        if self._is_over:
            return []
        groups = target_groups(self._services.all(), self._services.addresses)
        for group in groups:
            labels = {name: visible(value) for name, value in group["labels"].items()}
            group["labels"] = {**labels, **self._run}
        return groups

    def _content(self) -> bytes:
        # ASCII only, a target a line: whoever looks into it sees what changed.
        lines = ",\n".join(json.dumps(group) for group in self._groups)
        return f"[\n{lines}\n]\n".encode() if lines else b"[]\n"
