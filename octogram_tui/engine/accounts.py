"""What agents tell of attempts while those go on: log lines and progress. It moves nothing, and is passed on."""

from __future__ import annotations

from octogram_tui.engine.core import Core
from octogram_tui.engine.events import JobOutput, JobProgress
from octogram_tui.engine.instances import Instances
from octogram_tui.engine.stimuli import OutputReport, ProgressReport
from octogram_tui.model.ids import AttemptId
from octogram_tui.template.numbers import typed


class Accounts:
    """Passes them on, each with the place it belongs to."""

    def __init__(self, core: Core, instances: Instances) -> None:
        self._core = core
        self._instances = instances

    def output(self, report: OutputReport) -> None:
        """Pass log lines on."""
        event = JobOutput(
            agent=report.agent,
            lines=report.lines,
            stream=report.stream,
            process=report.process,
            dropped=report.dropped,
            gap=report.gap,
        )
        if isinstance(report.attempt, AttemptId):
            instance = self._instances.running(report.attempt)
            event.instance, event.attempt = report.attempt
            if instance is not None:
                event.item = instance.item
            elif event.instance.item is not None:  # they come when their attempt has ended
                event.item = typed(event.instance.item)
        self._core.emit(event)

    def progress(self, report: ProgressReport) -> None:
        """Pass on how far an attempt is; of one that ended meanwhile nothing is said."""
        if isinstance(report.attempt, AttemptId):
            instance = self._instances.running(report.attempt)
            if instance is not None:
                self._core.emit(JobProgress(**instance.place, text=report.text))
