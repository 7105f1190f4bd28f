"""The templates and expressions of a job, by where they stand: told once with the plan, so that a run explains itself.

    when  with_items[0]  arguments.argv[1]  arguments.env.A  assert[0]  wait  until  register  vars_updates.name

`assert` and `wait` are expressions that the engine itself decides; `when` and `until` are expressions too. What is no
template is not told: the arguments of an attempt have it.
"""

from __future__ import annotations

from collections.abc import Iterator

from octogram_tui.model.scenario import JobSpec, Text
from octogram_tui.model.values import Value
from octogram_tui.template.source import is_template

LONGEST = 4000
"""A longer text is cut: what reads it is explained by the variables that its beginning names."""


def job_texts(job: JobSpec) -> dict[str, str]:
    """Give the texts of a job that depend on something."""
    return {place: text[:LONGEST] for place, text in _texts(job)}


def _texts(job: JobSpec) -> Iterator[tuple[str, str]]:
    if job.when is not None:
        yield "when", job.when.source
    if job.items is not None:
        for number, values in enumerate(job.items.lists):
            place = f"with_items[{number}]" if job.items.is_product else "with_items"
            yield from templates_in(list(values), place)
    arguments = dict(job.arguments.raw())
    if job.where == "assertion":
        that = arguments.pop("that", None)
        for number, each in enumerate(that if isinstance(that, list) else [that]):
            yield f"assert[{number}]", str(each)
    elif job.where == "expression":
        yield "wait", str(arguments.pop("expression", ""))
    yield from templates_in(arguments, "arguments")
    if job.until is not None:
        yield "until", job.until.source
    if job.register is not None:
        yield "register", job.register
    for update in job.vars_updates:
        if isinstance(update.value, Text):
            yield f"vars_updates.{update.name.source}", update.value.source


def templates_in(value: Value, place: str) -> Iterator[tuple[str, str]]:
    """Give the templates in a value, by the way to each."""
    if isinstance(value, str):
        if is_template(value):
            yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from templates_in(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from templates_in(inner, f"{place}[{number}]")
