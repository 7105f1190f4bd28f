"""What is true of an engine after every stimulus. Checked by all tests of it, and with OCTOGRAM_CHECK=1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from octogram_tui.errors import EngineBug

if TYPE_CHECKING:
    from octogram_tui.engine.machine import Engine


def check(engine: Engine) -> None:
    """Raise EngineBug when the engine contradicts itself."""
    dispatcher = engine.dispatcher
    problems = []
    for attempt, instance in dispatcher.live.items():
        if instance.state != "running":
            problems.append(f"{attempt} is live and {instance.state}")
        if not attempt.startswith(f"{instance.key}#"):
            problems.append(f"{attempt} is live as {instance.key}")
    for key, instance in dispatcher.unresolved.items():
        if instance.state != "failed" or instance.key != key:
            problems.append(f"{key} is unresolved and {instance.state}")
    for key, instance in dispatcher.retrying.items():
        if instance.state != "retrying" or instance.key != key:
            problems.append(f"{key} waits for a retry and is {instance.state}")
    for job_run, instance in dispatcher.held.items():
        if job_run.held is not instance:
            problems.append(f"{instance.key} is held twice")
    for stage_run in dispatcher.stage_runs:
        in_flight = 0
        asked = 0  # by the operator, who may go over the limit
        for lane in stage_run.lanes:
            for job_run in lane.active.values():
                if job_run.active != len(job_run.live):
                    problems.append(f"{job_run.spec.key}@{lane.agent} counts {job_run.active} of {len(job_run.live)}")
                if job_run.is_sequential and job_run.active > 1:
                    problems.append(f"{job_run.spec.key}@{lane.agent} is sequential and runs {job_run.active}")
                in_flight += sum(i.state in ("running", "retrying") for i in job_run.live.values())
                asked += sum(i.state == "running" and i.why == "rerun" for i in job_run.live.values())
            if stage_run.spec.run_jobs == "sequential" and len(lane.active) > 1:
                problems.append(f"{stage_run.spec.key}@{lane.agent} is sequential and runs {len(lane.active)} jobs")
        if stage_run.in_flight != in_flight:
            problems.append(f"{stage_run.spec.key} counts {stage_run.in_flight} in flight of {in_flight}")
        if stage_run.limit and in_flight > stage_run.limit + asked:
            problems.append(f"{stage_run.spec.key} runs {in_flight} of at most {stage_run.limit}")
    if engine.phase == "finished" and (dispatcher.live or dispatcher.stage_runs):
        problems.append("the run is over and something is live")
    if problems:
        raise EngineBug("; ".join(problems), [])
