"""Documents to a Scenario: everything is read before anything is refused, so that all problems come at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from octogram_tui.errors import Problem
from octogram_tui.model.scenario import (
    AgentSpec,
    BinarySource,
    OwnProcedures,
    Scenario,
    SecretSpec,
    SlurmSpec,
    StageSpec,
)
from octogram_tui.scenario.agents import read_agent, read_defaults
from octogram_tui.scenario.binary import read_binary
from octogram_tui.scenario.documents import ReadFile
from octogram_tui.scenario.exposure import warn_of_plain
from octogram_tui.scenario.findings import Findings, kind_of, suggestion
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.jobs import JobReader, digest_of, whole
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.own import read_own
from octogram_tui.scenario.secret_sources import read_secrets
from octogram_tui.scenario.shapes import AGENTS, SCENARIO
from octogram_tui.scenario.stages import StageReader
from octogram_tui.scenario.tree import NOWHERE, Document, ListNode, MapNode, plain
from octogram_tui.scenario.usage import Usage
from octogram_tui.secrecy.names import label

COMMAND_LINE = "command line"
"""Where a variable comes from that `-e` set."""


class ScenarioBuilder:
    """Builds one scenario from its documents."""

    def __init__(self, document: Document, read_file: ReadFile | None, *, trusts_procedures: bool = False) -> None:
        self.problems: list[Problem] = []
        self.document = document
        self.read_file = read_file
        self.trusts_procedures = trusts_procedures
        self.directory = os.path.dirname(document.file) or "."
        self.usage = Usage()
        self.keys = KeyReader(Findings(document, self.problems), self.usage)
        self.agents: dict[str, AgentSpec] = {}
        self.variables: dict[str, Any] = {}
        self.secrets: dict[str, SecretSpec] = {}
        self.origins: dict[str, str] = {}  # of variables that are not the scenario's own: a file, or the command line

    def build(
        self,
        named_lists: Sequence[Document],
        agent_files: Sequence[Document],
        variable_files: Sequence[Document],
        variables: Mapping[str, Any],
        secrets: Mapping[str, SecretSpec] = MappingProxyType({}),
    ) -> Scenario | None:
        """Read everything; None when not even the outermost map is there. named_lists: those of its `agents`."""
        keys, document = self.keys, self.document
        root = document.root
        defaults: dict[str, Any] = {}
        if isinstance(root, MapNode):
            keys.check_known(root, SCENARIO, "a scenario")
            if keys.is_given(root, "defaults") and keys.is_map(
                root["defaults"], root.value_place("defaults"), "`defaults`"
            ):
                defaults = read_defaults(keys, root["defaults"])
            self.read_vars(root)
            self.secrets = read_secrets(keys, root, self.directory)
            self.read_agents(root, defaults)
        for extra in (*named_lists, *agent_files):
            self.add_agents(extra, defaults)
        for extra in variable_files:
            self.add_variables(extra)
        defined = {*self.variables, *self.secrets}
        self.keep_apart(root, variables, secrets)
        self.variables.update(variables)
        # Where a secret of the scenario comes from is no part of a run: it may differ when it is taken up again.
        self.origins.update(dict.fromkeys((*variables, *(secrets.keys() - self.secrets)), COMMAND_LINE))
        self.secrets.update(secrets)
        self.usage.secrets = self.secrets
        self.variables.update((name, label(name)) for name in self.secrets)
        self.usage.known.update(self.variables)
        self.usage.values.update(self.variables)
        self.agents = dict(sorted(self.agents.items(), key=lambda pair: pair[0].encode()))
        self.usage.labels.update(label for agent in self.agents.values() for label in agent.labels)
        if not isinstance(root, MapNode):
            if not document.errors:
                hint = "the outermost keys are " + ", ".join(SCENARIO)
                keys.findings.error(document.place, f"a scenario is a map of keys, not {kind_of(root)}", hint)
            return None
        scenario = self.read_rest(root, defaults)
        # What the scenario's jobs set is defined by it too.
        self.problems.extend(
            self.usage.unused({**variables, **secrets}, defined | (self.usage.known - {*variables, *secrets}))
        )
        return scenario

    def read_rest(self, root: MapNode, defaults: Mapping[str, Any]) -> Scenario:
        """Read what needs agents and variables to be known."""
        keys = self.keys
        prometheus: AgentSpec | None = None
        if keys.is_given(root, "prometheus_agent"):
            found = read_agent(keys, root["prometheus_agent"], root.value_place("prometheus_agent"), defaults)
            prometheus = found[0] if found else None
        binary = BinarySource()
        if keys.is_given(root, "octogram_binary") and keys.is_map(
            root["octogram_binary"], root.value_place("octogram_binary"), "`octogram_binary`"
        ):
            binary = read_binary(keys, root["octogram_binary"], self.directory)
        own: list[OwnProcedures] = []
        if "procedures" in root:
            own = read_own(keys, root, self.directory, self.read_file, is_trusted=self.trusts_procedures)
        own_digests = {name: digest_of(file.source) for file in own for name in file.names}
        stages: tuple[StageSpec, ...] = ()
        if keys.is_given(root, "stages") and keys.is_list(root["stages"], root.value_place("stages"), "`stages`"):
            agents = {} if self.usage.lacks_agents else self.agents
            if not agents and root["stages"] and not self.usage.lacks_agents:
                keys.findings.warning(root.key_place("stages"), "there are no agents: nothing will run")
            jobs = JobReader(keys, self.usage, agents, own_digests)
            stages = StageReader(keys, jobs, agents).read_all(root["stages"])
        self.usage.finish()
        slurm = SlurmSpec()
        if keys.is_given(root, "slurm") and keys.is_map(root["slurm"], root.value_place("slurm"), "`slurm`"):
            from octogram_tui.scenario.slurm import read_slurm

            slurm = read_slurm(keys, root["slurm"])
            everybody = [*self.agents.values(), *([prometheus] if prometheus is not None else [])]
            if everybody and not any(agent.transport == "slurm" for agent in everybody):
                message = "nothing is asked of Slurm: no agent has `transport: slurm`"
                keys.findings.warning(root.key_place("slurm"), message)
        return Scenario(
            self.document.file,
            stages,
            tuple(self.agents.values()),
            prometheus,
            self.variables,
            binary,
            tuple(own),
            origins=self.origins,
            secrets=self.secrets,
            slurm=slurm,
        )

    def keep_apart(self, root: Any, variables: Mapping[str, Any], secrets: Mapping[str, SecretSpec]) -> None:
        """Refuse values of secrets that stand in the clear, in a file or on the command line."""
        for name in self.secrets:
            if name in self.variables and name not in secrets:
                where = self.origins.get(name, "`vars`")
                place = root["secrets"].key_place(name)
                self.keys.findings.error(
                    place, f"`{name}` is a secret, and has a value in {where} too", "take it out of there"
                )
        for name in variables:
            if name in self.secrets or name in secrets:
                hint = f"say where it is instead: --secret {name}=env:VARIABLE, or file:, command:, keyring:"
                message = f"`{name}` is a secret: everybody on this machine sees what stands on a command line"
                self.problems.append(Problem("--var", 0, 0, message, hint))

    # -- agents and variables -------------------------------------------------------------------------------------

    def read_agents(self, root: MapNode, defaults: Mapping[str, Any]) -> None:
        """Read `agents`."""
        if not self.keys.is_given(root, "agents"):
            return
        agents, place = root["agents"], root.value_place("agents")
        if isinstance(agents, str):
            message = f"`agents` must be a list, or say where one is, not {kind_of(agents)}"
            hint = "a file is taken by `agents: {from: FILE}`" if agents.isprintable() else ""
            self.keys.findings.error(place, message, hint)
            return
        if not isinstance(agents, MapNode):
            self.take_agents(self.keys, agents, place, defaults)
            return
        if agents and "from" not in agents and not any(suggestion(key, AGENTS) for key in agents):
            self.keys.findings.error(place, "`agents` must be a list, not a map", "begin each agent with `- name: `")
            return
        self.keys.check_known(agents, AGENTS, "`agents`")
        for text, where in self.keys.words(agents, "from"):
            if not text:
                self.keys.findings.error(where, "`from` names nothing", AGENTS["from"].doc)

    def add_agents(self, document: Document, defaults: Mapping[str, Any]) -> None:
        """Read a file with a list of further agents."""
        keys = KeyReader(Findings(document, self.problems), self.usage)
        root, place = document.root, document.place
        if isinstance(root, MapNode) and list(root) == ["agents"]:
            root, place = root["agents"], root.value_place("agents")
        elif isinstance(root, MapNode) and len(root) == 1 and suggestion(next(iter(root)), ["agents"]):
            keys.check_known(root, {"agents": SCENARIO["agents"]}, "a file of agents")
            return
        if not document.errors or root is not None:
            self.take_agents(keys, root, place, defaults)

    def take_agents(self, keys: KeyReader, value: Any, place: Any, defaults: Mapping[str, Any]) -> None:
        """Read a list of agents; one of a name that was there before takes its place, as in the original."""
        if not keys.is_list(value, place, "`agents`"):
            return
        assert isinstance(value, ListNode)
        for node, where in zip(value, value.marks, strict=True):
            known = len(self.problems)
            for agent in read_agent(keys, node, where, defaults):
                before = self.agents.get(agent.name)
                if before is not None:
                    of = f"{before.mark.file}:{before.mark.line}" if before.mark.line else before.mark.file
                    keys.findings.warning(where, f"agent `{agent.name}` replaces the one of {of}")
                self.agents[agent.name] = agent
            if where is NOWHERE:  # what no line tells, the name does
                name = shown(str(node.get("name", "without a name"))) if isinstance(node, MapNode) else "of a list"
                for number in range(known, len(self.problems)):
                    problem = self.problems[number]
                    if not problem.line and f"`{name}`" not in problem.message:
                        self.problems[number] = problem._replace(message=f"agent `{name}`: {problem.message}")

    def read_vars(self, root: MapNode) -> None:
        """Read `vars`."""
        if self.keys.is_given(root, "vars"):
            self.take_variables(self.keys, root["vars"], root.value_place("vars"))

    def add_variables(self, document: Document) -> None:
        """Read a file of variables, merged over those of the scenario."""
        keys = KeyReader(Findings(document, self.problems), self.usage)
        if not document.errors or document.root is not None:
            self.take_variables(keys, document.root, document.place)
            if isinstance(document.root, dict):
                self.origins.update((str(name), document.file) for name in document.root)

    def take_variables(self, keys: KeyReader, value: Any, place: Any) -> None:
        """Read names and values; numbers are whole, as in the original."""
        if not keys.is_map(value, place, "`vars`"):
            return
        for name, element in value.items():
            if isinstance(element, float):
                element = whole(keys, element, value.value_place(name))
            else:
                keys.findings.warn_of_variable(element, value.value_place(name))
                keys.keep_literal(element, value.value_place(name), f"vars.{name}")
                warn_of_plain(keys.findings, name, element, value.value_place(name))
            self.variables[name] = plain(element)
