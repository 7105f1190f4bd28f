"""`--keep-going`: what a failure costs when the run goes on. Its agent takes part no more, and what needs it is left.

On its agent nothing begins any more that comes after it in sequence: no further item of its job, no further job of its
lane, no later stage but those marked `always`. Others go on. What reads a variable, or uses a service, that only this
would have brought is passed over instead of failing once more, and costs the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from octogram_tui.engine.events import WarningGiven
from octogram_tui.errors import ExitCode, TemplateError
from octogram_tui.template.environment import render

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance
    from octogram_tui.engine.machine import Engine
    from octogram_tui.engine.schedule import Lane, StageRun
    from octogram_tui.model.scenario import JobSpec

MOST_NAMED = 3
"""How many agents a line names that a stage goes on without."""


class GoingOn:
    """Knows who is out. Agents are let in again by going back, and where what failed there ends well after all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.out: dict[str, str] = {}  # by agent, what failed there
        self._lacking: dict[str, str] = {}  # by variable, what would have set it

    @property
    def is_on(self) -> bool:
        """Whether a failure leaves the run going: that of a job which does not say otherwise."""
        return self._engine.core.options.on_failure == "keep_going" and self._engine.phase in ("running", "idle")

    # -- who goes out ---------------------------------------------------------------------------------------------

    def cut(self, instance: Instance) -> None:
        """A failure that the run goes on after: what comes after it on its agent does not begin."""
        job_run = instance.job_run
        lane = job_run.lane
        if lane.stage_run.is_rerun:  # the operator's, beside the course
            return
        spec = job_run.spec
        job_run.is_cut = job_run.is_sequential
        following: tuple[JobSpec, ...] = ()
        if lane.stage_run.spec.run_jobs == "sequential" and not lane.stage_run.spec.always:
            lane.is_cut = True
            following = tuple(lane.jobs[lane.index :])
        self._lack(lane, (spec, *following), str(instance.id), instance)
        self._leave(lane.agent, str(instance.id), ends_run=not lane.stage_run.spec.always)

    def lose(self, agent: str) -> None:
        """An agent is gone."""
        self._leave(agent, f"agent {agent} was lost")

    def time_is_over(self, stage_run: StageRun, reason: str) -> None:
        """A stage has lasted too long: those that were not through with it are out."""
        for lane in stage_run.lanes:
            if not lane.is_done:
                self._lack(lane, lane.jobs, reason)
                self._leave(lane.agent, reason)

    def _leave(self, agent: str, why: str, *, ends_run: bool = True) -> None:
        """An agent is out. ends_run: whether the run ends where it was the last: what cleans up at its end does not."""
        engine = self._engine
        if agent in self.out:
            return
        self.out[agent] = why
        if ends_run and engine.phase == "running" and all(name in self.out for name in engine.fleet.names):
            engine.ending.end_early("no agent is left to go on with")

    def mended(self, instance: Instance) -> None:
        """An instance ended well, or was skipped: if it was what had failed on its agent, that takes part again."""
        if self.out.get(instance.id.agent) == str(instance.id):
            del self.out[instance.id.agent]

    def begin_anew(self) -> None:
        """The run goes back: everybody takes part again."""
        self.out.clear()
        self._lacking.clear()

    @property
    def said_of_failed(self) -> str:
        """Tell whoever finds nothing that waits for him what the run went on after, and how that runs again."""
        failed = [why for agent, why in self.out.items() if f"@{agent}" in why] if self.is_on else []
        if not failed:
            return ""
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f": the run went on after {failed[0]}{more}, which `rerun` runs again by name"

    # -- what they leave ------------------------------------------------------------------------------------------

    def leave_out(self, stage_run: StageRun) -> str:
        """Leave those that are out out of a stage that is about to begin. Says why nobody is left, or ''."""
        if not self.out or stage_run.spec.always:
            return ""
        out = [lane for lane in stage_run.lanes if lane.agent in self.out]
        for lane in out:
            self._lack(lane, lane.jobs, self.out[lane.agent])
        if out and len(out) == len(stage_run.lanes):
            return f"none of its agents is left: {self.out[out[0].agent]}"
        if out:
            stage_run.keep_lanes([lane.agent for lane in stage_run.lanes if lane.agent not in self.out])
            named = ", ".join(f"{lane.agent} ({self.out[lane.agent]})" for lane in out[:MOST_NAMED])
            more = f" and {len(out) - MOST_NAMED} more" if len(out) > MOST_NAMED else ""
            message = f"stage {stage_run.spec.name} goes on without {named}{more}"
            self._engine.core.emit(WarningGiven(message=message, stage=stage_run.spec.key))
        return ""

    def _lack(self, lane: Lane, jobs: Iterable[JobSpec], why: str, instance: Instance | None = None) -> None:
        """Note the variables that jobs would have set."""
        item = None if instance is None else instance.item
        scope = lane.scope(self._engine.core.variables, item)
        for job in jobs:
            names = [update.name.source for update in job.vars_updates]
            for name in (*names, *([job.register] if job.register is not None else ())):
                try:
                    self._lacking.setdefault(render(name, scope), why)
                except TemplateError:
                    continue  # it is made of what the job would have given

    def lacks(self, error: TemplateError) -> str:
        """Say what a template lacks because of an earlier failure; empty where it is wrong by itself."""
        if not (self.is_on and self.out):
            return ""
        if error.owner in self.out:
            return f"it needs agent {error.owner}: {self.out[error.owner]}"
        name = error.name
        if name in self._lacking and name not in self._engine.core.variables:
            return f"it needs vars.{name}, which is not set: {self._lacking[name]}"
        return ""

    def cause_of(self, error: TemplateError) -> ExitCode:
        """Give the exit code of a stage whose own template is wrong."""
        return ExitCode.JOB_FAILED if self.lacks(error) else ExitCode.SCENARIO
