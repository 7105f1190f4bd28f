"""A run without a console: the host in this process, with reporters in the place of a screen."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.model.scenario import Scenario
from octogram_tui.report.base import Reporter
from octogram_tui.report.lines import Style
from octogram_tui.runtime.host import Host, HostSettings


@dataclass(frozen=True, slots=True)
class Output:
    """Where a headless run writes what. journal: the run's directory; again: the command that repeats the run."""

    events: str | None = None
    junit: str | None = None
    level: int = 0
    color: bool = False
    ascii_only: bool = False
    github: bool = False
    journal: str = ""
    again: str = ""

    def reporters(self) -> list[Reporter]:
        """Make the reporters. Raises JournalError when a file cannot be made."""
        found: list[Reporter] = []
        files = {"run": self.journal}
        if self.events is not None:
            from octogram_tui.report.jsonl import JsonLines

            found.append(JsonLines.open(self.events))
            if self.events != "-":
                files["events"] = self.events
        if self.junit is not None:
            from pathlib import Path

            from octogram_tui.report.junit import JUnit

            found.append(JUnit(Path(self.junit)))
            files["junit"] = self.junit
        from octogram_tui.report.progress import Progress

        # Standard output is for data: with the events on it, people read the other one.
        stream = sys.stderr if self.events == "-" else sys.stdout
        style = Style(level=self.level, color=self.color, ascii_only=self.ascii_only, github=self.github)
        found.append(Progress(stream, style, files=files, again=self.again))
        return found


def run_headless(scenario: Scenario, options: RunOptions, settings: HostSettings, output: Output) -> int:
    """Host a run and report on it; gives the exit code. Raises JournalError when it cannot begin."""
    reporters = output.reporters()
    host = Host(scenario, options, settings, [reporter.apply for reporter in reporters])
    code = int(ExitCode.BUG)
    try:
        code = asyncio.run(host.run())
    finally:
        for reporter in reporters:
            try:
                reporter.close()
            except JournalError as error:
                print(f"octogram-tui: {error.message}", file=sys.stderr)
                code = code or int(ExitCode.IO)
    return code
