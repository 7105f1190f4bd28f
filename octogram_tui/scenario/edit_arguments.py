"""Writes arguments that worked back into a job of a scenario's file, where comments and layout stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from octogram_agentd.procedures import find
from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.model.ids import unique_names
from octogram_tui.scenario.documents import read_document
from octogram_tui.scenario.edit import Path, change_all
from octogram_tui.scenario.tree import plain
from octogram_tui.template.source import is_template


def change_arguments(path: str, stage: str, job: str, procedure: str, values: Mapping[tuple[str, ...], Any]) -> None:
    """Set arguments of a job; a part of one that is a map by the names that lead to it.

    Raises ScenarioError, and changes nothing then.
    """
    for names, value in values.items():
        if is_template(str(value)):
            message = f"`{'.'.join(names)}` has braces in it, which the file would take for a template"
            raise _refused(path, message, "edit the file by hand")
    root = plain(read_document(path).root)
    at = _place(path, root, stage, job)
    there = _at(root, at)
    if not isinstance(there, dict) or procedure not in there:
        raise _refused(
            path, f"`{procedure}` is not what the job `{job}` does in this file", "the run goes by another text"
        )
    body = there[procedure]
    if isinstance(body, dict):
        change_all(path, {(*at, procedure, *names): value for names, value in values.items()})
        return
    short = _short(path, procedure) if body is not None else ""
    if set(values) == {(short,)}:
        change_all(path, {(*at, procedure): values[short,]})
        return
    whole: dict[str, Any] = {} if body is None else {short: body}
    for (name, *parts), value in values.items():
        if parts:
            whole.setdefault(name, {})[parts[0]] = value
        else:
            whole[name] = value
    change_all(path, {(*at, procedure): whole})


def arguments_in(root: Any, stage: str, job: str, procedure: str) -> dict[str, Any] | None:
    """Give the arguments of a job as a text has them, templates as they are; None where it has no such job."""
    try:
        there = _at(root, _place("", root, stage, job))
        body = there[procedure]
        return body if isinstance(body, dict) else {} if body is None else {_short("", procedure): body}
    except (ScenarioError, LookupError, TypeError):
        return None


def _short(path: str, procedure: str) -> str:
    """Name the argument that may stand alone behind a procedure's name."""
    try:
        return str(find(procedure).short)
    except KeyError:
        message = f"`{procedure}` is the scenario's own, and has its argument without a name"
        raise _refused(path, message, "edit the file by hand") from None


def _place(path: str, root: Any, stage: str, job: str) -> Path:
    """Find a job by the names that it and its stage go by."""
    where: list[str | int] = []
    node = root
    for key, name, what in (("stages", stage, "stage"), ("jobs", job, "job")):
        entries = node.get(key) if isinstance(node, dict) else None
        maps = [
            (at, each) for at, each in enumerate(entries if isinstance(entries, list) else ()) if isinstance(each, dict)
        ]
        names = unique_names([str(each.get("name") or what) for _, each in maps])
        if name not in names:
            raise _refused(path, f"there is no {what} `{name}` in this file", "the run goes by another text")
        at, node = maps[names.index(name)]
        where += [key, at]
    return where


def _at(root: Any, where: Path) -> Any:
    for key in where:
        root = root[key]
    return root


def _refused(path: str, message: str, hint: str) -> ScenarioError:
    return ScenarioError([Problem(path, 0, 0, message, hint)])
