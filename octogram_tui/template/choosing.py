"""Which agents a stage is for: those that its expressions find by name, of those that bear its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from octogram_tui.model.scenario import Labels, StageSpec
from octogram_tui.template.selectors import expand_texts, select_agents


def choose_agents(stage: StageSpec, scope: Mapping[str, Any], labels_of: Mapping[str, Labels]) -> dict[str, list[str]]:
    """Give the chosen agents in byte order of their names, each with its captures (`re`). Raises TemplateError.

    labels_of: of every agent there is.
    """
    patterns = expand_texts((text.source for text in stage.with_agents), scope, "with_agents")
    wanted = [
        (name, expand_texts((text.source for text in values), scope, "with_labels"))
        for name, values in stage.with_labels
    ]
    names = [name for name, labels in labels_of.items() if bears(labels, wanted)] if wanted else list(labels_of)
    return select_agents(patterns, names)


def bears(labels: Labels, wanted: Sequence[tuple[str, Sequence[str]]]) -> bool:
    """Tell whether an agent has each of some labels with one of the values, and with none that begins with `!`."""
    return all(_has(values_of(labels, name), values) for name, values in wanted)


def values_of(labels: Labels, name: str) -> list[str]:
    """Give the values that an agent has of a label: none, one or several."""
    value = labels.get(name)
    return [] if value is None else [value] if isinstance(value, str) else value


def _has(there: Sequence[str], wanted: Sequence[str]) -> bool:
    unwanted = [value[1:] for value in wanted if value.startswith("!")]
    if any(value in unwanted for value in there):
        return False
    return len(unwanted) == len(wanted) > 0 or any(value in wanted for value in there)
