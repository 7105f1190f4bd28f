"""Values at the prompt without asking the run: what changed since when, written out, and of a moment that is past."""

from __future__ import annotations

import os
from pathlib import Path

from octogram_tui.errors import UsageError
from octogram_tui.filing import write_whole
from octogram_tui.projection.text import safe
from octogram_tui.projection.turning_back import ABSENT, differences
from octogram_tui.runtime.answers import told
from octogram_tui.runtime.verbs import Evaluate
from octogram_tui.tui.format import plural, value
from octogram_tui.tui.here import value_here
from octogram_tui.tui.model import Model
from octogram_tui.tui.moment_text import MomentUnknown, moment_of


def changed(words: tuple[str, ...], model: Model) -> list[str]:
    """List the variables that are others than at the start, or at a moment. Raises UsageError."""
    found = differences(model.variables, _time_of(" ".join(words), model))
    return [safe(f"{name}: {_said(was)} -> {_said(now)}") for name, now, was in found] or ["no variable is another"]


def _time_of(moment: str, model: Model) -> float:
    if not moment:
        return min((each.changes[0].at_s for each in model.variables.by_name.values()), default=0.0)
    try:
        event = model.time.event(moment_of(moment, model))
    except MomentUnknown as error:
        raise UsageError(error.message, hint=error.hint) from None
    if event is None:
        raise UsageError("this run has no journal here: `changed` tells of what changed since the start")
    return event.at_s


def _said(given: object) -> str:
    return "none" if given is ABSENT else value(given)


def save(words: tuple[str, ...], model: Model) -> list[str]:
    """Write the variables to a file, as YAML or JSON; never over one. Raises UsageError."""
    from octogram_tui.scenario.edit import variables_text

    if not words:
        raise UsageError("save needs the name of a file", hint="save variables.yml")
    path, values = Path(" ".join(words)).expanduser(), dict(model.variables.values)
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", hint="another name: no file is written over")
    try:
        write_whole(path, (variables_text(values, path).rstrip("\n") + "\n").encode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return [safe(f"{plural(len(values), 'variable')} written to {path}")]


def evaluated(asked: Evaluate, model: Model) -> list[str]:
    """Give an expression's value from what was known at the moment that is looked at. Raises UsageError."""
    subject = model.board.instances.get(asked.instance) if asked.instance is not None else None
    answer = value_here(model, asked.expression, subject or model.board.agents.get(asked.agent))
    if answer["problem"]:
        raise UsageError(answer["problem"])
    return told(answer)
