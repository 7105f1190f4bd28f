"""Which agents a stage is for: those that its expressions find by name, of those that bear its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from octogram_tui.model.scenario import StageSpec
from octogram_tui.template.selectors import expand_texts, select_agents

Labels = Mapping[str, str]


def choose_agents(stage: StageSpec, scope: Mapping[str, Any], labels_of: Mapping[str, Labels]) -> dict[str, list[str]]:
    """Give the chosen agents in byte order of their names, each with its captures (`re`). Raises TemplateError.

    labels_of: of every agent there is.
    """
    patterns = expand_texts((text.source for text in stage.with_agents), scope, "with_agents")
    wanted = {
        name: set(expand_texts((text.source for text in values), scope, "with_labels"))
        for name, values in stage.with_labels
    }
    names = [name for name, labels in labels_of.items() if bears(labels, wanted)] if wanted else list(labels_of)
    return select_agents(patterns, names)


def bears(labels: Labels, wanted: Mapping[str, set[str]]) -> bool:
    """Tell whether an agent has each of some labels, with one of the values that it may have."""
    return all(labels.get(name) in values for name, values in wanted.items())
