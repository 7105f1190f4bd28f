"""A run whose spans cannot be told: OpenTelemetry's library refuses some surroundings, even when it is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from octogram_tui.cuts import beginning
from octogram_tui.engine.events import Event
from octogram_tui.projection.text import visible
from octogram_tui.report.reporter import Reporter


class Untold:
    """Says at the end of the run, in a line, why nothing was sent; the run is as it would be without."""

    def __init__(self, why: str) -> None:
        self._why = why

    def apply(self, _: Sequence[Event]) -> None:
        """Take a batch of events in."""

    def close(self) -> None:
        """Say it."""
        with suppress(OSError, ValueError):
            why = beginning(visible(self._why), 300)
            print(f"octogram-tui: no span of this run was sent: {why}", file=sys.stderr)


def span_report() -> Reporter:
    """Give what tells a collector of the run, or why nothing can."""
    try:
        from octogram_tui.report.otel import SpanReport

        return SpanReport()
    except ValueError as error:  # of `OTEL_*` variables that are no numbers
        return Untold(str(error))
