"""A scenario as the command line wants it: loaded, with --local and --limit applied, and names that exist."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from octogram_tui.errors import Problem, UsageError
from octogram_tui.model.scenario import AgentSpec, Scenario


def load(args: Any) -> tuple[Scenario, list[Problem]]:
    """Load the scenario of parsed arguments, with its warnings. Raises ScenarioError and UsageError."""
    from octogram_tui.scenario.load import load_scenario, parse_assignment

    loaded = load_scenario(
        args.scenario, variables=dict(parse_assignment(text) for text in args.var), variable_files=args.variables,
        agent_files=args.agents)
    scenario = loaded.scenario
    if args.limit is not None:
        scenario = limited(scenario, args.limit)
    if args.local:
        scenario = made_local(scenario)
    return scenario, loaded.warnings


def made_local(scenario: Scenario) -> Scenario:
    """Move every agent to this machine."""

    def local(agent: AgentSpec) -> AgentSpec:
        return replace(agent, address="127.0.0.1", transport="local", command=(), python=None)

    prometheus = scenario.prometheus_agent
    return replace(
        scenario, agents=tuple(local(a) for a in scenario.agents),
        prometheus_agent=local(prometheus) if prometheus is not None else None)


def limited(scenario: Scenario, pattern: str) -> Scenario:
    """Keep the agents in whose name the pattern is found. Raises UsageError when none is left."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--limit {pattern!r} is not a regular expression: {error}") from None
    kept = tuple(a for a in scenario.agents if expression.search(a.name))
    if not kept:
        names = ", ".join(a.name for a in scenario.agents[:6])
        raise UsageError(f"--limit {pattern!r} leaves no agent", hint=f"agents: {names}")
    return replace(scenario, agents=kept)


def check_stage_names(scenario: Scenario, args: Any) -> None:
    """Refuse names of stages that do not exist. Raises UsageError with the nearest that does."""
    names = [stage.name for stage in scenario.stages]
    asked = [("--from", args.from_stage), ("--until", args.until_stage), *(("--stage", name) for name in args.stage)]
    for option, name in asked:
        if name is not None and name not in names:
            like = get_close_matches(name, names, 1)
            hint = f"did you mean {like[0]!r}?" if like else f"stages: {', '.join(names)}"
            raise UsageError(f"{option} {name!r}: the scenario has no stage of that name", hint=hint)
    first, last = args.from_stage, args.until_stage
    if first is not None and last is not None and names.index(first) > names.index(last):
        raise UsageError(f"--from {first!r} comes after --until {last!r}")


def tags_of(args: Any) -> frozenset[str]:
    """Give the tags of --tags."""
    return frozenset(tag.strip() for tag in args.tags.split(",") if tag.strip())
