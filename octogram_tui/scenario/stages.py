"""Reads stages: their own keys, whom they choose, and their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from octogram_tui.model.ids import JobKey, StageKey, unique_names
from octogram_tui.model.scenario import JobSpec, Order, StageSpec, Text
from octogram_tui.scenario.jobs import JobReader, digest_of
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import STAGE
from octogram_tui.scenario.tree import ListNode, MapNode, Place
from octogram_tui.scenario.usage import BEFORE_AGENTS
from octogram_tui.template.selectors import PatternError, is_found
from octogram_tui.template.source import is_template

EVERYBODY = (Text(".*"),)


def named_maps(keys: KeyReader, nodes: ListNode, what: str) -> tuple[list[MapNode], list[str], list[str]]:
    """Give the maps of a list with their names and with those made unique; reports what is no map."""
    maps = [node for node, place in nodes.pairs() if keys.is_map(node, place, what)]
    names = []
    for node in maps:
        name = keys.word(node, "name")
        if name is not None and not name.strip():
            keys.findings.error(node.value_place("name"), f"{what} needs a name that can be read")
        names.append(name or what.split()[-1])
    unique = unique_names(names)
    for node, name, different in zip(maps, names, unique, strict=True):
        if name != different and "name" in node:
            keys.findings.warning(
                node.value_place("name"),
                f"there is more than one {what.split()[-1]} named `{name}` here",
                f"this one is called `{different}` in commands and reports",
            )
    return maps, names, unique


class StageReader:
    """Reads the stages of a scenario."""

    def __init__(self, keys: KeyReader, jobs: JobReader, agents: Mapping[str, Any]) -> None:
        self.keys = keys
        self.jobs = jobs
        self.agents = agents
        self.matching: dict[str, bool] = {}

    def read_all(self, nodes: ListNode) -> tuple[StageSpec, ...]:
        """Read `stages`."""
        maps, names, unique = named_maps(self.keys, nodes, "a stage")
        return tuple(self.read(node, name, StageKey(key)) for node, name, key in zip(maps, names, unique, strict=True))

    def read(self, node: MapNode, name: str, key: StageKey) -> StageSpec:
        """Read one stage."""
        keys = self.keys
        keys.check_known(node, STAGE, "a stage")
        with_agents = self.selectors(node, name) if "with_agents" in node else EVERYBODY
        jobs: tuple[JobSpec, ...] = ()
        if keys.is_given(node, "jobs") and keys.is_list(node["jobs"], node.value_place("jobs"), "`jobs`"):
            jobs = self.read_jobs(node["jobs"])
        return StageSpec(
            key,
            name,
            jobs,
            with_agents,
            cast("Order", keys.choice(node, "run_agents", STAGE["run_agents"], "concurrent")),
            cast("Order", keys.choice(node, "run_jobs", STAGE["run_jobs"], "sequential")),
            keys.boolean(node, "ask_confirmation"),
            keys.expression(node, "when", BEFORE_AGENTS),
            keys.boolean(node, "always"),
            keys.integer(node, "max_concurrency", STAGE["max_concurrency"]),
            frozenset(tag for tag, _ in keys.words(node, "tags")),
            digest_of({k: v for k, v in node.items() if k != "jobs"}),
            keys.findings.mark(node.place),
        )

    def read_jobs(self, nodes: ListNode) -> tuple[JobSpec, ...]:
        """Read the jobs of a stage."""
        maps, names, unique = named_maps(self.keys, nodes, "a job")
        result = []
        for node, name, key in zip(maps, names, unique, strict=True):
            if "name" not in node:
                self.keys.findings.error(node.place, "`name` is missing in a job", "The job's name.")
            result.append(self.jobs.read(node, name, JobKey(key)))
        return tuple(result)

    def selectors(self, node: MapNode, name: str) -> tuple[Text, ...]:
        """Read `with_agents`; expressions without templates are tried on the agents at once."""
        keys = self.keys
        pairs = keys.words(node, "with_agents")
        if not pairs and node["with_agents"] is not None:
            place = node.value_place("with_agents")
            keys.findings.warning(place, f"stage `{name}` chooses no agent: the list is empty")
        may_match = False
        for pattern, place in pairs:
            if is_template(pattern):
                keys.usage.check(pattern, place, keys.findings, BEFORE_AGENTS)
                may_match = True
            else:
                may_match = self.matches(pattern, place) or may_match
        if pairs and not may_match and self.agents:
            known = ", ".join(list(self.agents)[:8]) + (", …" if len(self.agents) > 8 else "")
            keys.findings.warning(pairs[0][1], f"stage `{name}` matches no agent", f"the agents are {known}")
        return tuple(Text(pattern, keys.findings.mark(place)) for pattern, place in pairs)

    def matches(self, pattern: str, place: Place) -> bool:
        """Tell whether an expression may choose some agent; one that is wrong is reported."""
        found = self.matching.get(pattern)
        if found is None:
            try:
                found = self.matching[pattern] = is_found(pattern, self.agents)
            except PatternError as error:
                self.keys.findings.error(place, error.message, error.hint)
                return True
        return found
