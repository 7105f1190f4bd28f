"""Variables that a part of a scenario needs, and that only parts set which the command line leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from octogram_tui.errors import Problem
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec, Text
from octogram_tui.model.wildcard import Wildcard
from octogram_tui.scenario.arguments import JobArguments
from octogram_tui.scenario.tree import texts_in
from octogram_tui.scenario.usage import what_it_may_become
from octogram_tui.template.analysis import uses
from octogram_tui.template.source import is_template

_EXPRESSIONS = {"builtins.assert": "that", "builtins.wait_for": "expression"}


class _Setters:
    """Which jobs set a variable, whose name may be a template."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._patterns: list[tuple[Wildcard, str]] = []

    def add(self, stage: StageSpec, job: JobSpec) -> None:
        """Note what a job sets."""
        for name in (*([job.register] if job.register else []), *(u.name.source for u in job.vars_updates)):
            if is_template(name):
                self._patterns.append((what_it_may_become(name), stage.name))
            else:
                self._names.setdefault(name, stage.name)

    def find(self, name: str) -> str | None:
        """Name a stage in which a variable is set; None when there is none."""
        fitting = (stage for pattern, stage in self._patterns if pattern.fits(name))
        return self._names.get(name) or next(fitting, None)


def missing_variables(
    scenario: Scenario,
    left_out: Mapping[str, str],
    takes_job: Callable[[StageSpec, JobSpec], bool] = lambda stage, job: True,
) -> list[Problem]:
    """Warn of each such variable, where it is needed first. left_out: the reason by the key of a stage."""
    elsewhere, here = _Setters(), _Setters()
    chosen: list[tuple[StageSpec, JobSpec]] = []
    for stage in scenario.stages:
        for job in stage.jobs:
            if stage.key in left_out or not takes_job(stage, job):
                elsewhere.add(stage, job)
            else:
                here.add(stage, job)
                chosen.append((stage, job))
    found: dict[str, Problem] = {}
    for stage, job in chosen:
        for name in _needed(stage, job):
            if name in found or name in scenario.variables or here.find(name) is not None:
                continue
            setter = elsewhere.find(name)
            if setter is not None:
                found[name] = Problem(
                    job.mark.file,
                    job.mark.line,
                    job.mark.column,
                    f"job `{job.name}` needs the variable `{name}`; stage `{setter}`, which sets it, is left out",
                    f"give it with --var {name}=VALUE, or do not leave that part out",
                    is_warning=True,
                )
    return list(found.values())


def _needed(stage: StageSpec, job: JobSpec) -> Iterator[str]:
    """Give the variables that have to exist for a job of a stage."""
    for text, is_expression in _texts(stage, job):
        if is_expression or is_template(text):
            found = uses(text, expression=is_expression)
            yield from sorted(found.variables - found.optional)


def _texts(stage: StageSpec, job: JobSpec) -> Iterator[tuple[str, bool]]:
    """Give every text that may read variables, and whether it is an expression."""
    yield from ((text.source, False) for text in stage.with_agents)
    yield from ((text.source, False) for choice in stage.with_labels for text in choice.values)
    yield from ((text.source, True) for text in (stage.when, job.when, job.until) if text is not None)
    if job.items is not None:
        yield from ((value, False) for values in job.items.lists for value in values if isinstance(value, str))
    for update in job.vars_updates:
        yield update.name.source, False
        if isinstance(update.value, Text):
            yield update.value.source, False
    if isinstance(job.arguments, JobArguments):
        yield from ((text, False) for text in job.arguments.templates())
    expressions = job.arguments.raw().get(_EXPRESSIONS.get(job.procedure, ""))
    yield from ((text, True) for text in texts_in(expressions))
