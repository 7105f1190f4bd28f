"""What of a scenario the command line chose to run: stages by name or place, and tags."""

from __future__ import annotations

from octogram_tui.dataclass import dataclass
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec


@dataclass(frozen=True, slots=True)
class Selection:
    """`--from`, `--until`, `--stage` and `--tags`. Without any of them everything runs; `always` stages do in any case.

    no_always: they do not, but for those that `--stage` names.
    """

    from_stage: str | None = None
    until_stage: str | None = None
    only_stages: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    no_always: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    def leaves_out(self, scenario: Scenario, stage: StageSpec) -> str:
        """Say why a stage does not run; empty when it does."""
        if stage.always and self.no_always and stage.name not in self.only_stages:
            return "--no-always"
        if stage.always or self.is_everything:
            return ""
        names = [s.name for s in scenario.stages]
        position = [s.key for s in scenario.stages].index(stage.key)
        if self.from_stage in names and position < names.index(self.from_stage):
            return f"before --from {self.from_stage}"
        if self.until_stage in names and position > names.index(self.until_stage):
            return f"after --until {self.until_stage}"
        if self.only_stages and stage.name not in self.only_stages:
            return "not named by --stage"
        if self.tags and not self.tags & stage.tags and not any(self.tags & job.tags for job in stage.jobs):
            return f"no tag of --tags {','.join(sorted(self.tags))}"
        return ""

    def takes(self, stage: StageSpec, job: JobSpec) -> bool:
        """Whether a job of a stage that runs does too: by its own tag, or by the stage's."""
        return not self.tags or stage.always or bool(self.tags & stage.tags) or bool(self.tags & job.tags)
