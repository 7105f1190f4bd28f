"""Which of what agents say about their load is worth an event: the journal is no place for every tick of a gauge."""

from __future__ import annotations

from octogram_tui.engine.stimuli import AgentLoadReport

STEP = 0.1
LEAST_S = 10.0


class LoadGauge:
    """The load of one agent, as it was told last."""

    def __init__(self) -> None:
        self._told: AgentLoadReport | None = None
        self._told_s = 0.0

    def is_news(self, report: AgentLoadReport, now_s: float) -> bool:
        """Tell whether a load is to be told: it is another than the last, and that was a while ago."""
        if self._told is not None:
            is_early = now_s - self._told_s < LEAST_S
            is_alike = (
                abs(report.cpu - self._told.cpu) < STEP
                and abs(report.memory - self._told.memory) < STEP
                and report.processes == self._told.processes
            )
            if is_early or is_alike:
                return False
        self._told, self._told_s = report, now_s
        return True
