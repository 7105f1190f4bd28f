"""What is true of an engine after every stimulus. Checked by all tests of it, and with OCTOGRAM_CHECK=1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from octogram_tui.engine.states import AT_GATE, BEGUN, IN_FLIGHT
from octogram_tui.errors import EngineBug

if TYPE_CHECKING:
    from octogram_tui.engine.instances import Instance
    from octogram_tui.engine.machine import Engine
    from octogram_tui.engine.schedule import StageRun


def check(engine: Engine) -> None:
    """Raise EngineBug when the engine contradicts itself."""
    problems = []
    for instance in engine.instances.everything():
        job_run = instance.job_run
        if job_run.lane.stage_run not in engine.dispatcher.stage_runs:
            problems.append(f"{instance.id} is {instance.state} in a stage that is over")
        if (instance.state == "held") != (job_run.drawn is instance):
            problems.append(f"{instance.id} is {instance.state}, and its job would begin {job_run.drawn}")
        if instance.attempt > engine.instances.attempts_of(instance.id):
            problems.append(f"{instance.id} runs an attempt that was never counted")
        if (instance.standing is not None and instance.standing.order > 0) != (instance.state in AT_GATE):
            problems.append(f"{instance.id} is {instance.state}, and its place at the gate says otherwise")
        if instance.state not in AT_GATE and not instance.attempt:
            problems.append(f"{instance.id} is {instance.state} without an attempt")
    problems += [
        f"{id_} is stale, and has not ended well"
        for id_ in engine.instances.stale
        if id_ not in engine.instances.readings or engine.instances.find(id_) is not None
    ]
    for stage_run in engine.dispatcher.stage_runs:
        problems += _of_stage(engine, stage_run)
    if engine.phase == "finished" and (engine.instances.everything() or engine.dispatcher.stage_runs):
        problems.append("the run is over and something is live")
    if problems:
        raise EngineBug("; ".join(problems), [])


def _of_stage(engine: Engine, stage_run: StageRun) -> list[str]:
    problems = []
    present = engine.instances.of_stage(stage_run)
    in_flight = sum(i.state in IN_FLIGHT for i in present)
    if stage_run.in_flight != in_flight:
        problems.append(f"{stage_run.spec.key} counts {stage_run.in_flight} in flight of {in_flight}")
    asked = sum(_is_asked_for(i) for i in present)  # by the operator, who may go over the limit
    if stage_run.limit and in_flight > stage_run.limit + asked:
        problems.append(f"{stage_run.spec.key} runs {in_flight} of at most {stage_run.limit}")
    begun = Counter(i.job_run for i in present if i.state in BEGUN)
    for lane in stage_run.lanes:
        if not stage_run.is_reordered and stage_run.spec.run_jobs == "sequential" and len(lane.active) > 1:
            problems.append(f"{stage_run.spec.key}@{lane.agent} is sequential and runs {len(lane.active)} jobs")
        for job_run in lane.active.values():
            if job_run.begun != begun[job_run]:
                problems.append(f"{job_run.spec.key}@{lane.agent} counts {job_run.begun} of {begun[job_run]}")
            if not stage_run.is_reordered and job_run.is_sequential and job_run.begun > 1:
                problems.append(f"{job_run.spec.key}@{lane.agent} is sequential and runs {job_run.begun}")
    return problems


def _is_asked_for(instance: Instance) -> bool:
    """Whether the operator had it run again: then it has more attempts than it has made by itself."""
    by_itself = 1 + instance.job_run.spec.retries - instance.retries_left
    return instance.why == "rerun" or (instance.why == "retry" and instance.attempt > by_itself)
