"""The gate before every dispatch. Pausing, stepping, confirmations, limits: all are answers of this one place."""

from __future__ import annotations

from typing import Literal

from octogram_tui.engine.options import RunOptions
from octogram_tui.engine.schedule import Instance
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec

Answer = Literal["go", "hold", "skip", "stop"]


class Debugger:
    """Answers go, hold, skip or stop, for a stage, a job or an instance."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
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

    def selects(self, scenario: Scenario, stage: StageSpec) -> str:
        """Say why the command line leaves a stage out; empty when it does not. `always` stages are never left out."""
        options = self._options
        if stage.always:
            return ""
        names = [s.name for s in scenario.stages]
        position = [s.key for s in scenario.stages].index(stage.key)
        if options.from_stage in names and position < names.index(options.from_stage):
            return f"before --from {options.from_stage}"
        if options.until_stage in names and position > names.index(options.until_stage):
            return f"after --until {options.until_stage}"
        if options.only_stages and stage.name not in options.only_stages:
            return "not named by --stage"
        if options.tags and not options.tags & stage.tags and not any(options.tags & j.tags for j in stage.jobs):
            return f"no tag of --tags {','.join(sorted(options.tags))}"
        return ""

    def takes_job(self, stage: StageSpec, job: JobSpec) -> bool:
        """Whether --tags lets a job of a selected stage run: its own tag, or the stage's."""
        tags = self._options.tags
        return not tags or stage.always or bool(tags & stage.tags) or bool(tags & job.tags)

    def confirmation(self, stage: StageSpec) -> Answer:
        """Answer for a stage with `ask_confirmation`."""
        if not stage.ask_confirmation:
            return "go"
        if stage.key in self.answers:
            return "go" if self.answers[stage.key] else "skip"
        answers: dict[str, Answer] = {"yes": "go", "no": "skip", "fail": "stop", "ask": "hold"}
        return answers[self._options.confirm]

    def instance(self, instance: Instance) -> Answer:
        """Answer for one instance, just before its dispatch. What an operator asked for again always goes."""
        if not self.is_shut or instance.job_run.lane.stage_run.is_rerun:
            return "go"
        if self.steps:
            self.steps -= 1
            return "go"
        return "hold"
