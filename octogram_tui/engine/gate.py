"""The gate before every dispatch. Pausing, stepping, confirmations, limits: all are answers of this one place."""

from __future__ import annotations

from typing import Literal

from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.schedule import JobRun
from octogram_tui.model.scenario import StageSpec

Answer = Literal["go", "hold", "skip", "stop"]


class Gate:
    """Answers go, hold, skip or stop, for a stage or an instance."""

    def __init__(self, options: RunOptions) -> None:
        self._confirm = options.confirm
        self.is_shut = options.start_paused
        self.reason = "start" if options.start_paused else ""
        self.steps = 0  # dispatches that a shut gate still lets through
        self.answers: dict[str, bool] = {}  # confirmations given, by stage

    def shut(self, reason: str) -> None:
        """Let nothing through until it opens."""
        self.is_shut = True
        self.reason = reason
        self.steps = 0

    def open(self) -> None:
        """Let everything through."""
        self.is_shut = False
        self.reason = ""

    def confirmation(self, stage: StageSpec) -> Answer:
        """Answer for a stage with `ask_confirmation`."""
        if not stage.ask_confirmation:
            return "go"
        if stage.key in self.answers:
            return "go" if self.answers[stage.key] else "skip"
        answers: dict[str, Answer] = {"yes": "go", "no": "skip", "fail": "stop", "ask": "hold"}
        return answers[self._confirm]

    def dispatch(self, job_run: JobRun, *, is_next: bool) -> Answer:
        """Answer for an instance of a job, just before it. What an operator asked for again always goes.

        is_next: whether nothing that is held was held before it; a step is for that one only.
        """
        if not self.is_shut or job_run.lane.stage_run.is_rerun:
            return "go"
        if self.steps and is_next:
            self.steps -= 1
            return "go"
        return "hold"
