"""A scenario as the engine sees it: checked, complete, immutable, each part with the place it was written at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Literal, NamedTuple, Protocol

from octogram_tui.dataclass import dataclass
from octogram_tui.model.ids import AgentName, JobKey, StageKey
from octogram_tui.model.values import Value

Order = Literal["sequential", "concurrent"]
OnFailure = Literal["abort", "continue", "pause"]
Labels = Mapping[str, str | list[str]]
"""The labels of an agent: of each a value, or several, as of the groups of an inventory."""
Where = Literal["agent", "orchestrator", "assertion", "expression"]
"""Who carries a job out: its agent; the orchestrator (`copy`, `fetch`); or the engine alone, as an assertion over the
variables or by waiting until an expression holds."""


class Mark(NamedTuple):
    """Where something is written: a file, and a 1-based line and column (0 when there is no such place)."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line in an editor. The parser of YAML, and Python, end lines at more signs, and so count others."""


def lines_of(text: str) -> list[str]:
    """Give the lines of a text as an editor counts them, without their ends: one more than there are ends."""
    return LINE_END.split(text)


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent: a daemon of its own on some machine. What is None or empty is left to the ssh configuration."""

    name: AgentName
    address: str = ""
    data_address: str = ""  # where the other agents reach it; empty: what `address` leads to
    user: str | None = None
    port: int | None = None
    identity: str | None = None
    transport: Literal["ssh", "local", "command", "slurm"] = "ssh"
    command: tuple[str, ...] = ()  # for transport `command`: an argv that gives a byte stream to the machine
    python: str | None = None  # the interpreter to use there; None: the first of python3, python3.13 ... that exists
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)
    mark: Mark = Mark()

    @property
    def address_for_others(self) -> str:
        """Where the other agents reach it, as far as the scenario tells: an alias of ssh is not looked up here."""
        if self.transport == "slurm":
            return self.data_address or "node-of-slurm"  # which one is known once it has been given
        return self.data_address or self.address or "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SlurmSpec:
    """What is asked of Slurm: one allocation, in which all agents with `transport: slurm` run.

    nodes, tasks: None where only the other one, or neither, is asked for; cpus: of each task; memory: of each node, and
    gpus: of the whole, as Slurm writes them. login: the machine where its commands are run over SSH; empty: this one.
    """

    partition: str = ""
    nodes: int | None = None
    tasks: int | None = None
    cpus: int | None = None
    memory: str = ""
    gpus: str = ""
    time_s: float = 3600.0
    account: str = ""
    constraint: str = ""
    options: tuple[str, ...] = ()
    login: str = ""
    user: str | None = None
    port: int | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class BinarySource:
    """How an agent gets the daemon: `push` ours, `pull` a bundle from a URL, use an `installed` one."""

    kind: Literal["push", "pull", "installed"] = "push"
    value: str = ""
    sha256: str | None = None
    mark: Mark = Mark()


class Text(NamedTuple):
    """A template or an expression, as written, and where."""

    source: str
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class VarUpdate:
    """One entry of `vars_updates`: `value` is None to remove, a Text to expand, or a plain value to store.

    cast: what becomes of the text; "kept": a template that is a whole value keeps its kind.
    """

    name: Text
    value: Text | bool | int | float | None
    cast: Literal["kept", "string", "int", "bool", "json"] = "kept"


class LabelChoice(NamedTuple):
    """One entry of `with_labels`: a label, and the values (templates) of which an agent has to have one.

    One that begins with `!` is a value that it must not have.
    """

    name: str
    values: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class ItemsSpec:
    """`with_items`: one list of scalars, or (`is_product`) several whose combinations are the items."""

    lists: tuple[tuple[str | int | bool | None, ...], ...]
    is_product: bool = False
    mark: Mark = Mark()


class Arguments(Protocol):
    """What a job hands to its procedure: checked, defaults filled in, templates ready to expand."""

    @property
    def is_ready(self) -> bool:
        """Whether there is nothing to expand: they are as written, for every agent."""
        ...

    def expand(self, scope: Mapping[str, object], resolve: Callable[[str, str], dict[str, str]]) -> dict[str, Value]:
        """Give the arguments as JSON values.

        `resolve(kind, uri)` turns a URI argument of a kind (file, node, dal_node, rollup_node, http) into
        {"owned": NAME} or {"remote": URL}, with "path": NAME when it is a file of another agent. Raises TemplateError,
        also for a value that the field refuses.
        """
        ...

    def for_agent(
        self,
        arguments: dict[str, Value],
        scope: Mapping[str, object],
        resolve: Callable[[str, str], dict[str, str]],
    ) -> tuple[dict[str, Value], str]:
        """Give expanded arguments as the agent gets them, and the mark of what it puts in. Raises TemplateError."""
        ...

    def replaced(self, given: Mapping[str, Value]) -> Arguments:
        """Give these with others in their places, as an agent gets them. Raises TemplateError for what is refused."""
        ...

    def raw(self) -> dict[str, Value]:
        """Give the arguments as written, defaults filled in, templates not expanded."""
        ...


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job of a stage. `digest` changes when anything that the job does is edited."""

    key: JobKey
    name: str
    procedure: str
    arguments: Arguments
    where: Where = "agent"
    items: ItemsSpec | None = None
    run_items: Order = "sequential"
    vars_updates: tuple[VarUpdate, ...] = ()
    when: Text | None = None
    timeout_s: float | None = None
    retries: int = 0
    says_retries: bool = False  # also when it says 0: what the command line says of all others is not for it
    retry_delay_s: float = 0.0
    until: Text | None = None
    on_failure: OnFailure | None = None  # None: what the front end prefers (console: pause, headless: abort)
    register: str | None = None  # a template, as the names of `vars_updates` are
    tags: frozenset[str] = frozenset()
    digest: str = ""
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage. `digest` covers the stage's own settings, not its jobs."""

    key: StageKey
    name: str
    jobs: tuple[JobSpec, ...]
    with_agents: tuple[Text, ...] = (Text(".*"),)
    run_agents: Order = "concurrent"
    run_jobs: Order = "sequential"
    ask_confirmation: bool = False
    when: Text | None = None
    always: bool = False
    max_concurrency: int | None = None
    tags: frozenset[str] = frozenset()
    digest: str = ""
    mark: Mark = Mark()
    with_labels: tuple[LabelChoice, ...] = ()
    timeout_s: float | None = None


SecretKind = Literal["env", "file", "command", "keyring", ""]


class SecretSpec(NamedTuple):
    """Where the value of a secret variable comes from; the value itself is in no scenario.

    words: the variable of the environment; the file; the command, in one text for the shell or as an argv; the service
    and the user of the keyring. kind is empty where the command line is to say it.
    """

    kind: SecretKind = ""
    words: tuple[str, ...] = ()
    directory: str = ""  # where a relative path begins, and a command runs
    mark: Mark = Mark()

    def __str__(self) -> str:
        return f"{self.kind}:{' '.join(self.words)}" if self.kind else "nothing yet"


@dataclass(frozen=True, slots=True)
class OwnProcedures:
    """A Python file beside the scenario that defines further procedures; its text travels to the agents."""

    path: str
    source: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario. `agents` is in the order of their names (bytes), the order in which a stage visits them.

    origins: of variables that the scenario's file does not set itself, where they come from.
    secrets: of variables whose values are read when a run begins; until then each has its mask for a value.
    """

    path: str
    stages: tuple[StageSpec, ...]
    agents: tuple[AgentSpec, ...] = ()
    prometheus_agent: AgentSpec | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    binary: BinarySource = BinarySource()
    own_procedures: tuple[OwnProcedures, ...] = ()
    files: Sequence[str] = ()  # every file that was read, to be watched for edits
    digest: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretSpec] = field(default_factory=dict)
    slurm: SlurmSpec = SlurmSpec()

    @property
    def everybody(self) -> tuple[AgentSpec, ...]:
        """Every agent, Prometheus's too."""
        return self.agents if self.prometheus_agent is None else (*self.agents, self.prometheus_agent)

    @property
    def is_remote(self) -> bool:
        """Whether any agent is more than a process of this machine."""
        return any(spec.transport != "local" for spec in self.everybody)

    @property
    def directory(self) -> str:
        """The folder of the scenario, where `local_path` is looked for second."""
        head, _, _ = self.path.rpartition("/")
        return head or "."
