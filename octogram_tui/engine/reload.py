"""An edited scenario comes into force: what has not begun changes at once, what ran may be stale. Runs nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octogram_tui.engine.events import JobStale, ScenarioRejected, ScenarioReloaded, WarningGiven
from octogram_tui.engine.stimuli import EditReport
from octogram_tui.errors import Problem
from octogram_tui.model.diff import compare
from octogram_tui.model.entries import ProblemEntry, StageEntry
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec
from octogram_tui.model.selection import Selection

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


def describe_plan(scenario: Scenario, selection: Selection) -> list[StageEntry]:
    """Give the stages and jobs of a scenario as `run_started` and `scenario_reloaded` carry them."""
    return [
        {
            "stage": stage.key,
            "line": stage.mark.line,
            "always": stage.always,
            "left_out": selection.leaves_out(scenario, stage),
            "with_agents": [t.source for t in stage.with_agents],
            "jobs": [
                {
                    "job": job.key,
                    "procedure": job.procedure,
                    "items": job.items is not None,
                    "line": job.mark.line,
                    "variables": _named(stage, job),
                }
                for job in stage.jobs
                if selection.takes(stage, job)
            ],
        }
        for stage in scenario.stages
    ]


def adopt(engine: Engine, stimulus: EditReport) -> None:
    """Take an edited scenario, or say what is wrong with it and stay."""
    core = engine.core
    new = stimulus.scenario
    if new is None:
        core.emit(ScenarioRejected(problems=[_entry(problem) for problem in stimulus.problems]))
        return
    old = core.scenario
    if new.digest == old.digest:
        return
    difference = compare(old, new)
    core.scenario = new
    core.emit(
        ScenarioReloaded(digest=new.digest, changes=difference.lines(), plan=describe_plan(new, core.options.selection))
    )
    changed = _adopt_variables(engine, old, new)
    engine.follow_stages(old, new)
    _mark_stale(engine, old, new, changed)
    _adopt_agents(engine, old, new)
    was = {file.path: file.source for file in old.own_procedures}
    for file in new.own_procedures:
        if was.get(file.path) != file.source:
            message = f"the agents keep {file.path} as it was when the run began: its edit needs a new run"
            core.emit(WarningGiven(message=message))


def _adopt_variables(engine: Engine, old: Scenario, new: Scenario) -> set[str]:
    """Bring in what the file says now, unless a job or the operator changed it since. Names of those changed."""
    core = engine.core
    changed = set()
    for name, value in new.variables.items():
        was = old.variables.get(name)
        if name in old.variables and was == value:
            continue
        if name not in core.variables or core.variables[name] == was:
            core.set_variable(name, value, "scenario")
            changed.add(name)
        elif core.variables[name] != value:
            core.emit(
                WarningGiven(message=f"variable {name} was changed during the run and keeps that value, not the file's")
            )
    for name in old.variables:
        if name not in new.variables and name in core.variables and core.variables[name] == old.variables[name]:
            core.remove_variable(name, "scenario")
            changed.add(name)
    return changed


def _mark_stale(engine: Engine, old: Scenario, new: Scenario, changed: set[str]) -> None:
    """Mark the jobs that ran and would run differently now."""
    jobs = {(str(stage.key), str(job.key)): (stage, job) for stage in new.stages for job in stage.jobs}
    before = {str(stage.key): stage for stage in old.stages}
    for (stage_key, job_key), digest in engine.transitions.ran.items():
        found = jobs.get((stage_key, job_key))
        if found is None:
            continue
        stage, job = found
        reason = ""
        if job.digest != digest:
            reason = "its text was edited"
        elif stage_key in before and before[stage_key].digest != stage.digest:
            reason = "its stage was edited"
        else:
            used = sorted(name for name in changed if _mentions(stage, job, name))
            if used:
                reason = f"variable {used[0]} was edited"
        if reason:
            engine.core.emit(JobStale(stage=stage_key, job=job_key, reason=reason))


_VARIABLE = re.compile(r"""\bvars\.(\w+)|\bvars?[(\[]\s*\\?["']([^"'\\]*)\\?["']\s*([)\]]?)""")


def _named(stage: StageSpec, job: JobSpec) -> list[str]:
    """List the variables that a job's texts name; one whose name is only begun there ends in `*`."""
    found = {
        plain or quoted + ("" if end else "*")
        for text in _texts(stage, job)
        for plain, quoted, end in _VARIABLE.findall(text)
    }
    return sorted(found - {"*"})


def _texts(stage: StageSpec, job: JobSpec) -> list[str]:
    """Give every text of a job that may read variables."""
    texts: list[str] = [t.source for t in stage.with_agents]
    texts.extend(t.source for choice in stage.with_labels for t in choice.values)
    texts += [t.source for t in (job.when, job.until, stage.when) if t is not None]
    texts += [u.value.source for u in job.vars_updates if isinstance(u.value, tuple)]
    if job.items is not None:
        texts += [str(value) for values in job.items.lists for value in values]
    texts.append(str(job.arguments.raw()))
    return texts


def _mentions(stage: StageSpec, job: JobSpec, name: str) -> bool:
    """Whether a job's texts read a variable: a word search, so it may say yes too often, never too seldom."""
    texts = _texts(stage, job)
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(text) for text in texts) or any("var(" in text for text in texts)


def _adopt_agents(engine: Engine, old: Scenario, new: Scenario) -> None:
    """Launch what was added; what disappeared stays until the operator stops it."""
    known = {agent.name: agent for agent in old.agents}
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
