"""`--limit`: some of the agents, by their names or by a label; what is misspelt in it must not mean all of them."""

from __future__ import annotations

import re
from dataclasses import replace

from octogram_tui.errors import Problem, UsageError
from octogram_tui.model.scenario import Scenario
from octogram_tui.scenario.findings import suggestion
from octogram_tui.scenario.forms import shown
from octogram_tui.template.choosing import bears, values_of
from octogram_tui.template.selectors import PatternError, select_agents

_LABEL = re.compile(r"[\w.-]+")
_MOST_NAMED = 12


def limited(scenario: Scenario, wanted: str) -> tuple[Scenario, list[Problem]]:
    """Keep the agents in whose name a regular expression is found, or that bear a label; gives what is doubtful too.

    wanted: an expression, or LABEL=VALUE,... as in `with_labels`: no agent's name has a `=`. Raises UsageError.
    """
    label, is_label, values = wanted.partition("=")
    known = dict.fromkeys(name for agent in scenario.agents for name in agent.labels)
    if is_label and (label in known or _LABEL.fullmatch(label)):
        return _by_label(scenario, wanted, label, [value.strip() for value in values.split(",") if value.strip()])
    try:
        chosen = select_agents([wanted], [agent.name for agent in scenario.agents])
    except PatternError as error:
        raise UsageError(f"--limit: {error.message}", hint=error.hint) from None
    if not chosen:
        hint = f"agents: {', '.join(agent.name for agent in scenario.agents[:6])}"
        raise UsageError(f"--limit {wanted!r} leaves no agent", hint=hint)
    return replace(scenario, agents=tuple(agent for agent in scenario.agents if agent.name in chosen)), []


def _by_label(scenario: Scenario, wanted: str, label: str, values: list[str]) -> tuple[Scenario, list[Problem]]:
    there = sorted({value for agent in scenario.agents for value in values_of(agent.labels, label)})
    if not there:  # not even where it only excludes: everybody would be left
        known = sorted({name for agent in scenario.agents for name in agent.labels})
        hint = f"the labels are {_some(known)}" if known else "no agent has any label"
        message = f"--limit {wanted!r}: no agent has the label `{shown(label)}`{suggestion(label, known)}"
        raise UsageError(message, hint=hint)
    kept = tuple(agent for agent in scenario.agents if bears(agent.labels, [(label, values)]))
    has = f"`{shown(label)}` is {_some(there)}"
    if not kept:
        raise UsageError(f"--limit {wanted!r} leaves no agent", hint=has)
    doubts = []
    for bare in dict.fromkeys(value.removeprefix("!") for value in values):
        if bare not in there:
            message = f"no agent has the label `{shown(label)}: {shown(bare)}`{suggestion(bare, there)}"
            doubts.append(Problem("--limit", 0, 0, message, has, is_warning=True))
    return replace(scenario, agents=kept), doubts


def _some(names: list[str]) -> str:
    more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join([shown(name) for name in names[:_MOST_NAMED]]) + more
