"""What is wrong with a breakpoint that somebody wants to set, in one line, before anything waits for it in vain."""

from __future__ import annotations

from dataclasses import replace

from octogram_tui.cuts import quoted
from octogram_tui.model.breakpoint import HAS_NAME, KNOWS_RESULT, WHEN, Breakpoint, read_hits
from octogram_tui.model.pattern import Pattern
from octogram_tui.model.scenario import Scenario
from octogram_tui.template.analysis import Uses, uses
from octogram_tui.template.scope import near

MOST_CHARS = 4000


def tidied(breakpoint_: Breakpoint) -> Breakpoint:
    """Give it as it is kept: each pattern and each number of hits has one way to be written. Raises ValueError."""
    return replace(
        breakpoint_,
        pattern=str(Pattern.parse(breakpoint_.pattern)),
        hits=read_hits(breakpoint_.hits),
        condition=breakpoint_.condition.strip(),
    )


def problem_of(breakpoint_: Breakpoint) -> str:
    """Say why there can be no such breakpoint; empty when there can."""
    if any(len(text) > MOST_CHARS for text in (breakpoint_.pattern, breakpoint_.condition, breakpoint_.log)):
        return f"its texts may have {MOST_CHARS} characters each"
    if breakpoint_.when not in WHEN:
        return f"`when` is one of {', '.join(WHEN)}, not {quoted(breakpoint_.when, 40)}"
    try:
        pattern = Pattern.parse(breakpoint_.pattern)
        read_hits(breakpoint_.hits)
    except ValueError as error:
        return str(error)
    if breakpoint_.name and breakpoint_.when not in HAS_NAME:
        return f"`name` is for {', '.join(sorted(HAS_NAME))}, not for {breakpoint_.when}"
    return (
        _of_pattern(pattern, breakpoint_)
        or _of_text("condition", breakpoint_.condition, breakpoint_, is_expression=True)
        or _of_text("log", breakpoint_.log, breakpoint_, is_expression=False)
    )


def matches_nothing(breakpoint_: Breakpoint, scenario: Scenario, former: Scenario | None = None) -> str:
    """Say so when a scenario has nothing that is meant, with what may have been; empty when it has.

    former: the one before an edit, whose agents are still there
    """
    pattern = Pattern.parse(breakpoint_.pattern)
    agents = [str(agent.name) for each in (scenario, former) if each is not None for agent in each.agents]
    stages = [str(stage.key) for stage in scenario.stages]
    jobs = [(str(stage.key), str(job.key)) for stage in scenario.stages for job in stage.jobs]
    if pattern.agent and not any(map(pattern.matches_agent, agents)):
        return f"no agent is called {pattern.agent}{_meant(pattern.agent, agents, '@')}"
    if pattern.stage and not any(map(pattern.matches_stage, stages)):
        as_job = f"; did you mean /{pattern.stage}?" if any(job == pattern.stage for _, job in jobs) else ""
        return f"no stage is called {pattern.stage}{as_job or _meant(pattern.stage, stages, '')}"
    if pattern.job and not any(pattern.matches_job(stage, job) for stage, job in jobs):
        there = [job for stage, job in jobs if pattern.matches_stage(stage)]
        return f"no job there is called {pattern.job}{_meant(pattern.job, there, '/')}"
    return ""


def _meant(name: str, names: list[str], sign: str) -> str:
    like = near(name, names)
    return f"; did you mean {sign}{like}?" if like else ""


def _of_pattern(pattern: Pattern, breakpoint_: Breakpoint) -> str:
    if breakpoint_.when == "lost" and (pattern.stage or pattern.is_of_job):
        return f"agents are lost, not rows: write @NAME, not {pattern}"
    if breakpoint_.when == "stage" and (pattern.agent or pattern.is_of_job):
        return f"stages begin, not rows: write the name of a stage, not {pattern}"
    return ""


def _of_text(what: str, text: str, breakpoint_: Breakpoint, *, is_expression: bool) -> str:
    if not text.strip():
        return ""
    used = uses(text, expression=is_expression)
    if used.problem:
        return f"{what}: {used.problem}" + (f" ({used.hint})" if used.hint else "")
    return _of_names(what, used, breakpoint_)


def _of_names(what: str, used: Uses, breakpoint_: Breakpoint) -> str:
    when = breakpoint_.when
    known = {"vars", "var"}
    if when not in ("stage", "lost"):
        known |= {"agent", "re", "item"}
    if when == "lost":
        known |= {"agent"}
    if when in KNOWS_RESULT:
        known |= {"res"}
    unknown = sorted(used.names - known)
    if not unknown:
        return ""
    if unknown[0] == "res":
        return f"{what}: `res` is not known {when} a row; it is of after, failed and retried"
    return f"{what}: nothing is known there as `{unknown[0]}`: there is {', '.join(sorted(known))}"
