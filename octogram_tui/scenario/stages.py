"""Reads stages: their own keys, whom they choose, and their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import JobKey, StageKey, unique_names
from octogram_tui.model.scenario import AgentSpec, JobSpec, LabelChoice, Order, StageSpec, Text
from octogram_tui.scenario.arguments import is_original
from octogram_tui.scenario.findings import suggestion
from octogram_tui.scenario.jobs import JobReader, digest_of
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.several import check_several
from octogram_tui.scenario.shapes import STAGE
from octogram_tui.scenario.tree import ListNode, MapNode, Mark
from octogram_tui.scenario.usage import BEFORE_AGENTS
from octogram_tui.template.choosing import choose_agents, values_of
from octogram_tui.template.scope import make_scope
from octogram_tui.template.selectors import PatternError, is_found
from octogram_tui.template.source import is_template

EVERYBODY = (Text(".*"),)


def named_maps(keys: KeyReader, nodes: ListNode, what: str) -> tuple[list[MapNode], list[str], list[str]]:
    """Give the maps of a list with their names and with those made unique; reports what is no map."""
    maps = [node for node, mark in zip(nodes, nodes.marks, strict=True) if keys.is_map(node, mark, what)]
    names = []
    for node in maps:
        name = keys.word(node, "name")
        if name is not None and (not name or name.isspace()):
            keys.findings.error(node.value_place("name"), f"{what} needs a name that can be read")
        names.append(name or what.split()[-1])
    unique = unique_names(names)
    for node, name, different in zip(maps, names, unique, strict=True) if names != unique else ():
        if name != different and "name" in node:
            keys.findings.warning(
                node.value_place("name"),
                f"there is more than one {what.split()[-1]} named `{name}` here",
                f"this one is called `{different}` in commands and reports",
            )
    return maps, names, unique


def _bodies(node: MapNode) -> set[str]:
    """Give the keys of all jobs of a stage: among them is what they do."""
    jobs = node.get("jobs")
    return set().union(*(job for job in jobs if isinstance(job, dict))) if isinstance(jobs, list) else set()


class StageReader:
    """Reads the stages of a scenario."""

    def __init__(self, keys: KeyReader, jobs: JobReader, agents: Mapping[str, AgentSpec]) -> None:
        self.keys = keys
        self.jobs = jobs
        self.agents = agents
        self.labels_of = {name: agent.labels for name, agent in agents.items()}
        self.matching: dict[str, bool] = {}
        self.chosen: dict[tuple[Any, ...], list[str] | None] = {}

    def read_all(self, nodes: ListNode) -> tuple[StageSpec, ...]:
        """Read `stages`."""
        maps, names, unique = named_maps(self.keys, nodes, "a stage")
        return tuple(self.read(node, name, StageKey(key)) for node, name, key in zip(maps, names, unique, strict=True))

    def read(self, node: MapNode, name: str, key: StageKey) -> StageSpec:
        """Read one stage."""
        keys = self.keys
        keys.check_known(node, STAGE, "a stage")
        self.jobs.usage.is_original = any(map(is_original, _bodies(node)))
        with_agents = self.selectors(node, name) if "with_agents" in node else EVERYBODY
        with_labels = self.labels(node) if "with_labels" in node else ()
        keys.usage.labels_used.clear()
        jobs: tuple[JobSpec, ...] = ()
        if keys.is_given(node, "jobs") and keys.is_list(node["jobs"], node.value_place("jobs"), "`jobs`"):
            jobs = self.read_jobs(node["jobs"])
        stage = StageSpec(
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
            with_labels,
            keys.duration_s(node, "timeout", STAGE["timeout"]),
        )
        self.check_agents(node, stage)
        return stage

    def check_agents(self, node: MapNode, stage: StageSpec) -> None:
        """Look at the jobs of a stage with its agents in mind, if these can be told before the run."""
        findings = self.keys.findings
        chosen = self.agents_of(stage)
        if chosen is None:
            return
        if not chosen and stage.with_labels and self.agents:
            place = node.key_place("with_labels")
            findings.warning(place, f"stage `{stage.name}` matches no agent", "no agent has these labels and names")
        if len(chosen) > 1 and stage.jobs:
            check_several(findings, stage, [job for job in node["jobs"] if isinstance(job, MapNode)], len(chosen))
        for label, (where, place) in self.keys.usage.labels_used.items():
            lacking = [name for name in chosen if label not in self.labels_of[name]]
            if lacking:
                hint = f"give it to {', '.join(lacking[:8])}, or write `| default(...)` after it"
                message = f"agent `{lacking[0]}` takes part in this stage and has no label `{label}`"
                where.warning(place, message, hint)

    def agents_of(self, stage: StageSpec) -> list[str] | None:
        """Give the agents that a stage is for; None when only the run can tell."""
        by_name = tuple(text.source for text in stage.with_agents)
        by_label = tuple((choice.name, tuple(text.source for text in choice.values)) for choice in stage.with_labels)
        asked = (by_name, by_label)
        if asked not in self.chosen:
            texts = [*by_name, *(text for _, values in by_label for text in values)]
            try:
                may_tell = not any(map(is_template, texts))
                found = list(choose_agents(stage, make_scope({}), self.labels_of)) if may_tell else None
            except TemplateError:
                found = None  # reported where the expression was read
            self.chosen[asked] = found
        return self.chosen[asked]

    def labels(self, node: MapNode) -> tuple[LabelChoice, ...]:
        """Read `with_labels`; labels and values that no agent has are doubtful."""
        keys = self.keys
        value = node["with_labels"]
        if not keys.is_given(node, "with_labels"):
            return ()
        maps = value.pairs() if isinstance(value, ListNode) else [(value, node.value_place("with_labels"))]
        found = (self.label_choices(each) for each, place in maps if keys.is_map(each, place, "`with_labels`"))
        return tuple(choice for choices in found for choice in choices)

    def label_choices(self, value: MapNode) -> list[LabelChoice]:
        """Read labels that have to be there together."""
        keys = self.keys
        result = []
        for name in value:
            there = {text for labels in self.labels_of.values() for text in values_of(labels, name)}
            if not there and self.agents:
                known = {label for labels in self.labels_of.values() for label in labels}
                message = f"no agent has the label `{name}`{suggestion(name, known)}"
                keys.findings.warning(value.key_place(name), message)
            texts = []
            for text, mark in keys.words(value, name, are_templates=True):
                if is_template(text):
                    keys.usage.check(text, mark, keys.findings, BEFORE_AGENTS)
                elif there and (bare := text.removeprefix("!")) not in there:
                    message = f"no agent has the label `{name}: {bare}`{suggestion(bare, there)}"
                    keys.findings.warning(mark, message)
                texts.append(Text(text, keys.findings.mark(mark)))
            result.append(LabelChoice(name, tuple(texts)))
        return result

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
        pairs = keys.words(node, "with_agents", are_templates=True)
        if not pairs and node["with_agents"] is not None:
            place = node.value_place("with_agents")
            keys.findings.warning(place, f"stage `{name}` chooses no agent: the list is empty")
        may_match = False
        for pattern, mark in pairs:
            if is_template(pattern):
                keys.usage.check(pattern, mark, keys.findings, BEFORE_AGENTS)
                may_match = True
            else:
                may_match = self.matches(pattern, mark) or may_match
        if pairs and not may_match and self.agents:
            known = ", ".join(list(self.agents)[:8]) + (", …" if len(self.agents) > 8 else "")
            like = suggestion(pairs[0][0].strip("^$"), self.agents)
            keys.findings.warning(pairs[0][1], f"stage `{name}` matches no agent{like}", f"the agents are {known}")
        return tuple(Text(pattern, keys.findings.mark(mark)) for pattern, mark in pairs)

    def matches(self, pattern: str, place: Mark) -> bool:
        """Tell whether an expression may choose some agent; one that is wrong is reported."""
        found = self.matching.get(pattern)
        if found is None:
            try:
                found = self.matching[pattern] = is_found(pattern, self.agents)
            except PatternError as error:
                self.keys.findings.error(place, error.message, error.hint)
                return True
        return found
