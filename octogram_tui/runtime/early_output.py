"""Log lines of what has begun at an agent, and not yet for the run: they wait until its beginning is stated.

So it is after a run was taken up again. An agent went on by itself meanwhile, and what it printed comes first: before
the end of what came before it, which moreover waits until all agents have answered.
"""

from __future__ import annotations

from octogram_tui.engine.ahead import LookAhead
from octogram_tui.engine.stimuli import OutputReport, Stimulus
from octogram_tui.model.ids import AttemptId

MOST_CHARACTERS = 8 << 20
"""What is more is not kept waiting: better lines in the wrong place than memory without end."""


class EarlyOutput:
    """Those of one run, in the order in which they came."""

    def __init__(self, ahead: LookAhead) -> None:
        self._ahead = ahead
        self._waiting: list[OutputReport] = []
        self._characters = 0

    def keeps(self, stimulus: Stimulus) -> bool:
        """Keep lines that are early; False for all else."""
        if not isinstance(stimulus, OutputReport) or self._characters > MOST_CHARACTERS or not self._is_early(stimulus):
            return False
        self._waiting.append(stimulus)
        self._characters += sum(map(len, stimulus.lines)) + len(stimulus.lines)
        return True

    def due(self) -> list[OutputReport]:
        """Take out what is not early any more."""
        if not self._waiting:
            return []
        before, self._waiting = self._waiting, []
        found: list[OutputReport] = []
        for report in before:
            (self._waiting if self._is_early(report) else found).append(report)
        if not self._waiting:
            self._characters = 0
        return found

    def _is_early(self, report: OutputReport) -> bool:
        attempt = report.attempt
        return (
            isinstance(attempt, AttemptId)
            and attempt.instance.agent == report.agent
            and self._ahead.is_yet_to_begin(attempt)
        )
