"""The text that an attempt went by, and what it read: small, and shared by all attempts that have the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import JobEntry, StageEntry


class JobText(NamedTuple):
    """A job's text, as a plan told it.

    digest      of the scenario; line, end: where the job stands there (end 0: to the end of the file)
    texts       its templates and expressions by where they stand, as engine/job_texts.py names the places
    retries     how often it is tried again, after how long
    in_order    whether its items run one after the other
    pauses      whether it says itself that its failure is waited for
    """

    digest: str = ""
    line: int = 0
    end: int = 0
    texts: Mapping[str, str] = {}
    retries: int = 0
    retry_delay_s: float = 0.0
    in_order: bool = True
    pauses: bool = False


class StageRules(NamedTuple):
    """What lets the rows of a stage begin: its `when`, and how much at once."""

    when: str = ""
    most_at_once: int = 0  # 0: it does not say
    agents_in_order: bool = False
    jobs_in_order: bool = True


class Reading(NamedTuple):
    """What the events of an attempt tell of what it read and why it was, beyond what texts and order tell.

    reads    names of variables, where they are computed; `*`: all of them
    seen     the number of the event up to which values are those that it saw; 0: up to its own
    edited   names of arguments that the operator gave it
    asked    the request that it came of at once
    """

    reads: Sequence[str] = ()
    seen: int = 0
    edited: Sequence[str] = ()
    asked: str = ""


NO_TEXT = JobText()
NO_RULES = StageRules()
PLAIN = Reading()


def texts_of(plan: Sequence[StageEntry], digest: str) -> dict[tuple[str, str], JobText]:
    """Give the text of each job of a plan, by stage and job."""
    jobs: list[tuple[str, JobEntry]] = [
        (str(stage.get("stage", "")), job) for stage in plan for job in stage.get("jobs") or ()
    ]
    lines = sorted({*(int(s.get("line") or 0) for s in plan), *(int(job.get("line") or 0) for _, job in jobs)})
    after = dict(pairwise(lines))
    found = {}
    for stage, job in jobs:
        line = int(job.get("line") or 0)
        texts = job.get("texts")
        found[stage, str(job.get("job", ""))] = JobText(
            digest,
            line,
            max(line, after.get(line, 1) - 1) if line in after else 0,
            {str(place): str(text) for place, text in texts.items()} if isinstance(texts, dict) else {},
            job.get("retries") or 0,
            job.get("retry_delay_s") or 0.0,
            job.get("run_items", "sequential") == "sequential",
            job.get("on_failure") == "pause",
        )
    return found


def rules_of(stage: StageEntry) -> StageRules:
    """Give the rules of a stage of a plan."""
    return StageRules(
        str(stage.get("when") or ""),
        stage.get("max_concurrency") or 0,
        stage.get("run_agents") == "sequential",
        stage.get("run_jobs", "sequential") == "sequential",
    )


def reading_of(event: ev.JobStarted | ev.JobFinished) -> Reading:
    """Give what an event tells of a reading; the same one for all that tell nothing."""
    edited = event.edited if isinstance(event, ev.JobStarted) else ()
    if not (event.reads or event.seen or edited or "Request" in event.cause):  # most do
        return PLAIN
    asked = event.cause.partition(" ")[0]
    asked = asked if asked.endswith("Request") and asked != "BeginRequest" else ""
    if not (event.reads or event.seen or edited or asked):
        return PLAIN
    return Reading(tuple(event.reads), event.seen, tuple(edited), asked)
