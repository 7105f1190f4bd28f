"""An edited scenario comes into force: what has not begun changes at once, what ran may be stale. Runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.engine.events import ScenarioRejected, ScenarioReloaded, WarningGiven
from octogram_tui.engine.given import follow_edit
from octogram_tui.engine.job_texts import job_texts
from octogram_tui.engine.readings import mentions
from octogram_tui.engine.stimuli import EditReport
from octogram_tui.errors import Problem
from octogram_tui.model.diff import compare
from octogram_tui.model.entries import AgentEntry, JobEntry, ProblemEntry, StageEntry
from octogram_tui.model.scenario import AgentSpec, JobSpec, Scenario, StageSpec
from octogram_tui.model.selection import Selection
from octogram_tui.model.values import is_same

if TYPE_CHECKING:
    from octogram_tui.engine.core import Core
    from octogram_tui.engine.machine import Engine


def describe_plan(scenario: Scenario, selection: Selection) -> list[StageEntry]:
    """Give the stages and jobs of a scenario as `run_started` and `scenario_reloaded` carry them."""
    return [_stage_entry(scenario, selection, stage) for stage in scenario.stages]


def _stage_entry(scenario: Scenario, selection: Selection, stage: StageSpec) -> StageEntry:
    entry: StageEntry = {
        "stage": stage.key,
        "line": stage.mark.line,
        "always": stage.always,
        "left_out": selection.leaves_out(scenario, stage),
        "with_agents": [t.source for t in stage.with_agents],
        "jobs": [_job_entry(stage, job) for job in stage.jobs if selection.takes(stage, job)],
    }
    if stage.when is not None:
        entry["when"] = stage.when.source
    if stage.max_concurrency is not None:
        entry["max_concurrency"] = stage.max_concurrency
    if stage.timeout_s is not None:
        entry["timeout_s"] = stage.timeout_s
    if stage.run_agents != "concurrent":
        entry["run_agents"] = stage.run_agents
    if stage.run_jobs != "sequential":
        entry["run_jobs"] = stage.run_jobs
    return entry


def _job_entry(stage: StageSpec, job: JobSpec) -> JobEntry:
    entry: JobEntry = {
        "job": job.key,
        "procedure": job.procedure,
        "items": job.items is not None,
        "line": job.mark.line,
        "variables": mentions(stage, job),
        "texts": job_texts(job),
    }
    if job.retries:
        entry["retries"], entry["retry_delay_s"] = job.retries, job.retry_delay_s
    if job.items is not None and job.run_items != "sequential":
        entry["run_items"] = job.run_items
    if job.on_failure is not None:
        entry["on_failure"] = job.on_failure
    return entry


def agent_entry(agent: AgentSpec) -> AgentEntry:
    """Give what the front ends know of an agent before it is up."""
    entry: AgentEntry = {"agent": agent.name, "address": agent.address, "transport": agent.transport}
    if agent.labels:
        entry["labels"] = {**agent.labels}
    return entry


def adopt(engine: Engine, stimulus: EditReport) -> None:
    """Take an edited scenario, or say what is wrong with it and stay."""
    core = engine.core
    new = stimulus.scenario
    had_refused_edit, core.has_refused_edit = core.has_refused_edit, new is None
    if new is None:
        core.emit(ScenarioRejected(problems=[_entry(problem) for problem in stimulus.problems]))
        return
    old = core.scenario
    if new.digest == old.digest:
        if had_refused_edit:  # taken back: nothing changes but that the text is right again, which is to be told
            core.emit(ScenarioReloaded(digest=new.digest, plan=describe_plan(new, core.options.selection)))
        return
    difference = compare(old, new)
    known = {agent.name for agent in old.agents}
    core.scenario = new
    core.emit(
        ScenarioReloaded(
            digest=new.digest,
            changes=difference.lines(),
            plan=describe_plan(new, core.options.selection),
            agents=[agent_entry(agent) for agent in new.agents if agent.name not in known],
        )
    )
    core.epoch += 1
    adopt_variables(core, old, new)
    engine.follow_stages(old, new)
    follow_edit(engine)
    engine.breakpoints.follow(old)
    engine.staleness.tell(engine.staleness.look(None))
    _adopt_agents(engine, old, new)
    was = {file.path: file.source for file in old.own_procedures}
    for file in new.own_procedures:
        if was.get(file.path) != file.source:
            message = f"the agents keep {file.path} as it was when the run began: its edit needs a new run"
            core.emit(WarningGiven(message=message))
    engine.transitions.look_at_expressions()  # what the file says now may be what somebody waits for


def adopt_variables(core: Core, old: Scenario, new: Scenario) -> None:
    """Bring in what the file says now, unless a job or the operator changed it since."""
    for name, value in new.variables.items():
        was = old.variables.get(name)
        if name in old.variables and is_same(was, value):
            continue
        if name not in core.variables or is_same(core.variables[name], was):
            core.set_variable(name, value, "scenario")
        elif not is_same(core.variables[name], value):
            core.emit(
                WarningGiven(message=f"variable {name} was changed during the run and keeps that value, not the file's")
            )
    for name in old.variables:
        if name not in new.variables and name in core.variables and is_same(core.variables[name], old.variables[name]):
            core.remove_variable(name, "scenario")


def _adopt_agents(engine: Engine, old: Scenario, new: Scenario) -> None:
    """Launch what was added; what disappeared stays until the operator stops it."""
    if old.slurm != new.slurm:
        engine.core.emit(WarningGiven(message="what is asked of Slurm has changed: it counts from the next run"))
    known = {agent.name: agent for agent in old.agents}
    keep = [agent.name for agent in new.agents if agent.name in known and known[agent.name].labels != agent.labels]
    if keep:
        named = ", ".join(keep[:6]) + (f" and {len(keep) - 6} more" if len(keep) > 6 else "")
        message = f"the labels of {named} stay as they are: what they are now counts from the next run"
        engine.core.emit(WarningGiven(message=message))
    for agent in new.agents:
        was = known.pop(agent.name, None)
        if was is None:
            if engine.phase in ("starting", "running", "idle"):
                engine.fleet.add(agent)
        elif (was.address, was.data_address, was.user, was.port, was.transport, was.command) != (
            agent.address,
            agent.data_address,
            agent.user,
            agent.port,
            agent.transport,
            agent.command,
        ):
            engine.core.emit(
                WarningGiven(
                    agent=agent.name,
                    message=f"agent {agent.name} stays where it is: its new place counts from the next run",
                )
            )
    for name in known:
        engine.core.emit(
            WarningGiven(
                message=f"agent {name} is no longer in the scenario; it stays up until the run ends", agent=name
            )
        )


def _entry(problem: Problem) -> ProblemEntry:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
        "source": problem.source,
        "is_warning": problem.is_warning,
    }
