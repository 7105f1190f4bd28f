"""A run without a console: the host in this process, with reporters in the place of a screen."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from octogram_tui import streams
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.events import Event
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import ExitCode, JournalError
from octogram_tui.model.scenario import Scenario
from octogram_tui.report.closing import NO_REPEATS, Repeats
from octogram_tui.report.plainlog import Shows, Style
from octogram_tui.report.reporter import Recaller, Reporter, Talker
from octogram_tui.runtime.bus import Subscriber
from octogram_tui.runtime.host import Host, HostSettings
from octogram_tui.runtime.shutdown import Signals

if TYPE_CHECKING:
    from octogram_tui.report.service import Service


@dataclass(frozen=True, slots=True)
class Output:
    """Where a headless run writes what. journal: the run's directory; repeats: the commands that repeat the run.

    otel: whether a collector is told of it
    hold_s: how long it waits at a breakpoint or a failure, where somebody is to be called
    on_begun: called with the run's first events: from there on the reporters tell how it ends
    """

    events: str | None = None
    junit: str | None = None
    document: bool = False
    metrics: str | None = None
    metrics_port: int | None = None
    metrics_by_agent: bool = False
    metrics_targets: str | None = None
    otel: bool = False
    level: int = 0
    color: bool = False
    ascii_only: bool = False
    output: Shows | Literal[""] = ""
    service: Service | None = None
    timestamps: bool = False
    journal: str = ""
    repeats: Repeats = NO_REPEATS
    hold_s: float | None = None
    on_begun: Callable[[], None] | None = None

    def reporters(self) -> list[Reporter]:
        """Make the reporters. Raises JournalError when a file cannot be made, UsageError when a port cannot be had."""
        found = self.file_reporters()
        files = {"run": self.journal, "junit": self.junit, "metrics": self.metrics}
        files["events"] = self.events
        from octogram_tui.report.progress import Progress

        # Standard output is for data: with a report on it, people read the other one.
        stream = sys.stderr if "-" in files.values() or self.document else sys.stdout
        style = Style(
            level=self.level,
            color=self.color,
            ascii_only=self.ascii_only,
            output=self.output,
            service=self.service,
            timestamps=self.timestamps,
        )
        # Not all of it is printed: services and documents have it too.
        written = {name: streams.hidden(file) for name, file in files.items() if file is not None and file != "-"}
        found.append(Progress(stream, style, files=written, repeats=self.repeats))
        if self.document:
            from octogram_tui.report.document import Document

            found.append(Document(written, self.repeats))
        if self.hold_s is not None:
            from octogram_tui.report.held import HeldCall

            found.append(HeldCall(sys.stderr, self.hold_s))
        if self.on_begun is not None:
            found.append(_Beginning(self.on_begun))
        return found

    def file_reporters(self) -> list[Reporter]:
        """Make those that write for programs, which a run with a console has too. Raises as `reporters` does."""
        found: list[Reporter] = []
        if self.events is not None:
            from octogram_tui.report.jsonl import JsonLines

            found.append(JsonLines.open(self.events))
        if self.junit is not None:
            from octogram_tui.report.junit import JUnit

            found.append(JUnit.open(Path(self.junit)))
        if self.metrics is not None or self.metrics_port is not None:
            from octogram_tui.report.metrics import MetricsReport

            found.append(MetricsReport.open(self.metrics, self.metrics_port, by_agent=self.metrics_by_agent))
        if self.metrics_targets is not None:
            from octogram_tui.report.targets import TargetsReport

            found.append(TargetsReport.open(self.metrics_targets))
        if self.otel:
            from octogram_tui.report.untold import span_report

            found.append(span_report())
        return found


class _Beginning:
    """Tells once that the reporters have heard of the run."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def apply(self, events: Sequence[Event]) -> None:
        """Take a batch of events in."""
        if self._tell is not None:
            self._tell()
            self._tell = None

    def close(self) -> None:
        """There is nothing to write."""


def run_headless(
    scenario: Scenario,
    options: RunOptions,
    settings: HostSettings,
    output: Output,
    runner: asyncio.Runner | None = None,
) -> int:
    """Host a run and report on it, in a loop that is there or one of its own; gives the exit code.

    Raises JournalError when it cannot begin.
    """
    return run_with(output.reporters, scenario, options, settings, runner=runner)


def run_with(
    make_reporters: Callable[[], Sequence[Reporter]],
    scenario: Scenario,
    options: RunOptions,
    settings: HostSettings,
    on_open: Callable[[], None] | None = None,
    runner: asyncio.Runner | None = None,
) -> int:
    """Host a run with reporters, and close them however it ends; gives the exit code. Raises JournalError.

    Reports of a run that goes on are made anew once it does: where that is refused they stay as they were.
    """
    unwritten: list[JournalError] = []
    reporters: list[Reporter] = []
    talking: list[asyncio.Task[None]] = []

    def noting(apply: Callable[[Sequence[Event]], None]) -> Callable[[Sequence[Event]], None]:
        def apply_and_note(events: Sequence[Event]) -> None:
            try:
                apply(events)
            except JournalError as error:
                unwritten.append(error)
                raise

        return apply_and_note

    def join() -> list[Subscriber]:
        reporters.extend(make_reporters())
        return [noting(reporter.apply) for reporter in reporters]

    def on_begun() -> None:
        talking.extend(asyncio.create_task(each.keep_saying_alive()) for each in reporters if isinstance(each, Talker))
        if on_open is not None:
            on_open()

    async def hosted() -> int:
        try:
            return await host.run(on_begun)
        finally:
            for task in talking:
                task.cancel()

    code = int(ExitCode.BUG)

    def last_reports() -> list[Callable[[], object]]:
        return [*(reporter.close for reporter in reporters), lambda: streams.finish(0)]

    with Signals() as signals:
        signals.leave_with(last_reports)
        subscribers = join() if settings.again is None else []
        host = Host(scenario, options, settings, subscribers, signals, _recalling(reporters), join)
        try:
            code = (asyncio.run if runner is None else runner.run)(hosted()) or (int(ExitCode.IO) if unwritten else 0)
        finally:
            for reporter in reporters:
                try:
                    reporter.close()
                except JournalError as error:
                    print(f"octogram-tui: {error.message}", file=sys.stderr)
                    code = code or int(ExitCode.IO)
    return code


def _recalling(reporters: Sequence[Reporter]) -> Callable[[Sequence[Event]], None]:
    """Give what takes the events of a run from before it was taken up again: what was told is not told again."""

    def recall(events: Sequence[Event]) -> None:
        for reporter in reporters:
            take = reporter.recall if isinstance(reporter, Recaller) else reporter.apply
            with contextlib.suppress(JournalError):  # it comes again with the first event that is new
                take(events)

    return recall
