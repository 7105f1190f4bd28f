"""Executing again what ran: which rows a request means, and that no instance ever has two attempts under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from octogram_tui.engine.core import Core
from octogram_tui.engine.course import Course
from octogram_tui.engine.dispatch import Dispatcher
from octogram_tui.engine.instances import Instance, Instances
from octogram_tui.engine.readings import Reading
from octogram_tui.engine.schedule import Lane, StageRun, Then
from octogram_tui.engine.stimuli import RerunRequest
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.scenario import JobSpec, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.template.items import expand_items


def rerun(core: Core, course: Course, dispatcher: Dispatcher, instances: Instances, asked: RerunRequest) -> str:
    """Execute again what was asked for; says why when that cannot be.

    A failure that holds its lane runs again in place, so that the lane goes on when it ends well. The rest runs beside
    the course of the scenario, but for the current stage as a whole, which starts over.
    """
    if asked.instance is not None:  # which says all the rest: a job without items has no other way to be chosen
        stage, job, agent, _ = asked.instance
        if asked.stage != stage or asked.job not in ("", job) or asked.agent not in ("", agent):
            return f"{asked.instance} is another row than its stage, job and agent say"
        asked = replace(asked, job=job, agent=agent)
    if any(_matches(asked, i) for i in instances.in_state("running", "watching", "retrying")):
        return "it runs right now"
    current = course.current
    if current is not None and current.spec.key != asked.stage:
        current = None
    is_whole_stage = not (asked.job or asked.agent or asked.instance)
    # What is held after its attempt holds its lane as a failure does.
    failed = [i for i in instances.in_state("undecided", "stopped") if _matches(asked, i)]
    if not (is_whole_stage and current is not None):
        dispatcher.rerun_now(failed, asked.inputs)
        if course.is_ending:  # one of them failed at once, and that was the end
            return ""
    then = readings_then(instances, asked.stage) if asked.inputs == "then" else None
    try:
        problem = _rerun_rest(core, course, dispatcher, asked, current, [i.id for i in failed], then)
    except TemplateError as error:
        return error.message
    return "" if failed else problem


def _rerun_rest(
    core: Core,
    course: Course,
    dispatcher: Dispatcher,
    asked: RerunRequest,
    current: StageRun | None,
    failed: list[InstanceId],
    then: Then | None,
) -> str:
    """Execute again what holds no lane by a failure. failed: what runs in place already."""
    stage = next((s for s in core.scenario.stages if s.key == asked.stage), None)
    if stage is None:
        return f"the scenario has no stage {asked.stage!r}"
    if any(r.spec.key == stage.key and r is not course.current for r in dispatcher.stage_runs):
        return f"a rerun of stage {stage.name} has not ended yet"
    if asked.instance in failed:
        return ""
    if asked.job and asked.job not in [job.key for job in stage.jobs]:
        return f"stage {stage.name} has no job {asked.job!r}"
    is_whole_stage = not (asked.job or asked.agent or asked.instance)
    if current is not None and is_whole_stage:
        course.restart(stage, then)
        return ""
    if stage.key not in course.finished and current is None:
        return f"stage {stage.name} has not run yet"
    stage_run = _part(course, stage, asked, current, failed, then)
    if not stage_run.lanes:
        return "it has not run there yet"
    if asked.instance is not None:
        lane = stage_run.lanes[0]
        reading = (then or {}).get((lane.jobs[0].key, lane.agent))
        variables = core.variables if reading is None else reading.over(core.variables)
        if not draws(variables, lane, lane.jobs[0], asked.instance):
            return f"there is no {asked.instance} now"
    if is_whole_stage:
        course.announce(stage_run)
    dispatcher.open(stage_run)
    return ""


def readings_then(instances: Instances, stage: str) -> dict[tuple[str, str], Reading]:
    """Give what the jobs with items of a stage read, to draw the same ones again; an older one of equal right wins."""
    found: dict[tuple[str, str], Reading] = {}
    for id_, reading in instances.readings.items():
        if id_.stage == stage and id_.item is not None:
            found.setdefault((id_.job, id_.agent), reading)
    return found


def _part(
    course: Course,
    stage: StageSpec,
    asked: RerunRequest,
    current: StageRun | None,
    failed: list[InstanceId],
    then: Then | None,
) -> StageRun:
    """Choose the lanes of a rerun: agents that are through with what is to run again, and have no failure of it."""
    only = None if asked.instance is None else frozenset([asked.instance])
    stage_run = course.make(stage, is_rerun=True, agent=asked.agent, job=asked.job, only=only, then=then)
    busy = {id_.agent for id_ in failed}
    agents = [lane.agent for lane in stage_run.lanes if lane.agent not in busy]
    if current is not None:
        agents = [agent for agent in agents if is_past(current, agent, asked.job)]
    stage_run.keep_lanes(agents)
    return stage_run


def draws(variables: Mapping[str, Value], lane: Lane, job: JobSpec, id_: InstanceId) -> bool:
    """Whether a job of an agent gives this instance with some variables. Raises TemplateError."""
    items = job.items
    if items is None:
        return id_.item is None
    scope = lane.scope(variables)
    return id_.item is not None and expand_items(items, scope).has(id_.item)


def _matches(asked: RerunRequest, instance: Instance) -> bool:
    """Whether a request is about an instance."""
    id_ = instance.id
    return (
        id_.stage == asked.stage
        and asked.job in ("", id_.job)
        and asked.agent in ("", id_.agent)
        and asked.instance in (None, id_)
    )


def is_past(current: StageRun, agent: str, job: str) -> bool:
    """Whether an agent is through with a job of the running stage, or with all of it when none is named."""
    lane = current.lane_of.get(agent)
    return lane is not None and lane.is_past(job)
