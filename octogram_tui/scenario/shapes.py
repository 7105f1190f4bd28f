"""The language, declared: which keys stand where, what they take, what they mean. Checked by build, told by schema.

kind says what a key takes:
string  word (a string that is no template)  agent_name  integer  boolean  choice  duration  expression
strings (one or a list)  words (the same, no templates)  string_map  strings_map  label_choices  vars  items  updates
binary  agent  agents  defaults  stages  jobs  files  secrets  slurm
"""

from __future__ import annotations

from typing import NamedTuple


class KeySpec(NamedTuple):
    """One key of a map."""

    kind: str
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    above: int | None = None
    absent: str = ""  # what it means to leave it out, for those who write a number that is refused
    usual: str | bool | int | None = None  # what it is when it is left out, if that is always the same


ORDERS = ("sequential", "concurrent")
ON_FAILURE = ("abort", "continue", "pause")
CASTS = ("string", "int", "bool", "json")
TRANSPORTS = ("ssh", "local", "command", "slurm")

MEANINGS = {
    "sequential": "One after the other.",
    "concurrent": "All at the same time.",
    "abort": "The run ends; stages that run `always` still do.",
    "continue": "The run goes on as if nothing were.",
    "pause": "The run waits for the operator.",
    "string": "A text, as it is.",
    "int": "A whole number.",
    "bool": "`true` or `false`.",
    "json": "The value that the text is as JSON.",
    "ssh": "By SSH to `address`.",
    "local": "A process of this machine: no address, no SSH.",
    "command": "By `command`, which gives a byte stream to the machine.",
    "slurm": "On a node of the allocation that is asked of Slurm.",
}
"""What each choice means, for editors."""

SCENARIO: dict[str, KeySpec] = {
    "octogram_binary": KeySpec("binary", "How an agent gets the daemon; by default our own is pushed."),
    "agents": KeySpec("agents", "The agents to start."),
    "defaults": KeySpec("defaults", "What agents have in common: any of their keys but `name`."),
    "prometheus_agent": KeySpec("agent", "The agent that runs a Prometheus server for all metrics of the run."),
    "slurm": KeySpec("slurm", "What is asked of Slurm: one allocation for all agents with `transport: slurm`."),
    "vars": KeySpec("vars", "The variables at the start: name and value."),
    "secrets": KeySpec(
        "secrets", "Variables whose values are read when a run begins, and are hidden wherever something is written."
    ),
    "procedures": KeySpec("files", "Python files beside the scenario that define further procedures."),
    "stages": KeySpec("stages", "The stages, in order.", required=True),
}

AGENTS: dict[str, KeySpec] = {
    "from": KeySpec(
        "words",
        "Lists of agents, beside the scenario: our own, inventories of Ansible, outputs of Terraform, programs.",
        required=True,
    ),
}

AGENT: dict[str, KeySpec] = {
    "name": KeySpec(
        "agent_name", "Letters, digits, `-` and `_`; `delegate_{0..63}` stands for 64 agents.", required=True
    ),
    "address": KeySpec("words", "The machine; a list spreads the agents of a range over machines, in turn."),
    "data_address": KeySpec(
        "words",
        "Where the other agents reach it, when that is not the host of `address`; a list goes with that of `address`.",
    ),
    "user": KeySpec("word", "The user to log in as."),
    "port": KeySpec(
        "integer", "The SSH port.", minimum=1, maximum=65535, absent="the ssh configuration's, which is 22 by default"
    ),
    "identity": KeySpec("word", "The private key file; `~` is your home directory."),
    "transport": KeySpec("choice", "How the machine is reached.", choices=TRANSPORTS, usual="ssh"),
    "command": KeySpec(
        "words",
        "For `transport: command`: what gives a byte stream to the machine; "
        "{name} and {address} stand for the agent's.",
    ),
    "python": KeySpec("word", "The Python to use there."),
    "env": KeySpec("string_map", "Environment variables of everything that the agent runs."),
    "labels": KeySpec(
        "strings_map",
        "Words of your own about the agent, for `with_labels` and `agent.labels`: name, and a value or a list of them.",
    ),
}

SLURM: dict[str, KeySpec] = {
    "partition": KeySpec("word", "The partition; by default the cluster's own."),
    "nodes": KeySpec("integer", "How many nodes.", minimum=1, absent="as many as it takes"),
    "tasks": KeySpec("integer", "How many agents there is to be room for.", minimum=1, absent="room for every agent"),
    "cpus": KeySpec("integer", "How many processors for each task.", minimum=1, absent="one"),
    "memory": KeySpec("word", "How much memory of each node: `4G`, `500M`; a number alone is of MiB."),
    "gpus": KeySpec("word", "How many GPUs in all, or of which kind: `4`, `a100:4`."),
    "time": KeySpec(
        "duration", "After which time Slurm ends it, the run with it: `30m`, `2h`.", above=0, absent="one hour"
    ),
    "account": KeySpec("word", "The account that it is charged to."),
    "constraint": KeySpec("word", "The features that nodes must have."),
    "options": KeySpec("words", "Further options of `sbatch`: `--qos=high`, `--exclusive`, `--nodelist=n[1-3]`."),
    "login": KeySpec("word", "The machine where Slurm's commands are, when they are not here: reached over SSH."),
    "user": KeySpec("word", "The user to log in there as."),
    "port": KeySpec(
        "integer",
        "The SSH port there.",
        minimum=1,
        maximum=65535,
        absent="the ssh configuration's, which is 22 by default",
    ),
    "identity": KeySpec("word", "The private key file to log in there with; `~` is your home directory."),
}

STAGE: dict[str, KeySpec] = {
    "name": KeySpec("word", "The stage's name.", required=True),
    "with_agents": KeySpec("strings", "Regular expressions; an agent takes part when one is found in its name."),
    "with_labels": KeySpec(
        "label_choices",
        "Labels that an agent must have to take part: name, and a value or a list of values; `!VALUE` is one that it "
        "must not have. A list of such maps: all of them have to hold.",
    ),
    "run_agents": KeySpec("choice", "Whether agents run at the same time.", choices=ORDERS, usual="concurrent"),
    "run_jobs": KeySpec(
        "choice", "Whether the jobs of an agent run at the same time.", choices=ORDERS, usual="sequential"
    ),
    "ask_confirmation": KeySpec("boolean", "Whether an operator must agree before the stage runs.", usual=False),
    "when": KeySpec("expression", "Run the stage only when this is true."),
    "always": KeySpec("boolean", "Run the stage even after a failure.", usual=False),
    "max_concurrency": KeySpec(
        "integer", "At most so many instances at the same time.", minimum=1, absent="the usual one, 2000"
    ),
    "timeout": KeySpec(
        "duration",
        "The longest that the stage may take: `30`, `30s`, `5m`, `1h`. What runs then is ended.",
        above=0,
        absent="no limit",
    ),
    "tags": KeySpec("words", "Words by which stages can be chosen."),
    "jobs": KeySpec("jobs", "What each agent does.", required=True),
}

JOB: dict[str, KeySpec] = {
    "name": KeySpec("word", "The job's name.", required=True),
    "with_items": KeySpec("items", "Run once for each item: a scalar, a list, a range `A..B`, or `product` of lists."),
    "run_items": KeySpec("choice", "Whether items run at the same time.", choices=ORDERS, usual="sequential"),
    "vars_updates": KeySpec("updates", "Variables to set from the result (`res`), or to remove (null)."),
    "when": KeySpec("expression", "Run the job only when this is true."),
    "timeout": KeySpec(
        "duration", "The longest that an attempt may take: `30`, `30s`, `5m`, `1h`.", above=0, absent="no limit"
    ),
    "retries": KeySpec("integer", "How often to try again after a failure.", minimum=0, usual=0),
    "retry_delay": KeySpec("duration", "How long to wait before trying again.", usual=0),
    "until": KeySpec("expression", "The job succeeds only when this is true of its result (`res`)."),
    "on_failure": KeySpec("choice", "What a failure means for the run.", choices=ON_FAILURE),
    "register": KeySpec("string", "The variable that gets the whole result; its name may be a template."),
    "tags": KeySpec("words", "Words by which jobs can be chosen."),
}

BINARY: dict[str, KeySpec] = {
    "push": KeySpec("word", "Send the daemon from this machine; only ours is sent, whatever the path."),
    "pull": KeySpec("word", "Let the agent's machine download a bundle of ours from this URL."),
    "installed": KeySpec("word", "Use the daemon of ours that is installed there."),
    "sha256": KeySpec("word", "For `pull`: what the bundle must hash to."),
}

UPDATE: dict[str, KeySpec] = {
    "value": KeySpec(
        "string", "What the variable becomes: a text, mostly a template, such as `{{ res.stdout }}`.", required=True
    ),
    "as": KeySpec("choice", "What is made of that text; by default it stays a text.", choices=CASTS),
}

SECRET: dict[str, KeySpec] = {
    "env": KeySpec("word", "The variable of your environment that has the value."),
    "file": KeySpec("word", "The file that has it; `~` is your home directory."),
    "command": KeySpec("words", "What prints it: a line for the shell, or a list of words. It runs on your machine."),
    "keyring": KeySpec("words", "Service and user of your desktop's keyring, as a list or `SERVICE/USER`."),
}

RESERVED_NAMES = ("self", "http", "https")

EXAMPLES: dict[str, list[object]] = {
    "address": ["10.0.0.5", ["10.0.0.1", "10.0.0.2"]],
    "port": [22],
    "identity": ["~/.ssh/id_ed25519"],
    "max_concurrency": [10],
    "nodes": [2],
    "tasks": [4],
    "cpus": [2],
    "time": ["30m", "2h"],
    "with_agents": [r"^node_\d+$"],
    "with_labels": [{"site": "lab"}],
    "with_items": ["1..5", ["mainnet", 7], {"product": [["a", "b"], "1..2"]}],
    "vars_updates": [{"url": "http://localhost:{{ res.port }}"}],  # in braces alone it would have to be quoted
    "timeout": ["30s", "5m", "1h30m"],
    "retry_delay": ["500ms", "5s"],
    "until": ["res.json.status == 'ok'"],
    "register": ["out_{{ agent.name }}"],
}
"""How keys are written, for editors."""

SNIPPETS: dict[str, list[dict[str, object]]] = {
    "agent": [
        {"label": "agent of this machine", "body": {"name": "${1:name}", "transport": "local"}},
        {"label": "agent of another machine", "body": {"name": "${1:name}", "address": "${2:host}"}},
        {"label": "agents, many", "body": {"name": "${1:node}_{0..${2:3}}", "address": ["${3:host}"]}},
    ],
    "stage": [
        {
            "label": "stage",
            "body": {"name": "${1:name}", "jobs": [{"name": "${2:job}", "builtins.shell": "${3:true}"}]},
        },
    ],
    "job": [
        {"label": "job: a command", "body": {"name": "${1:name}", "builtins.command": ["${2:program}"]}},
        {"label": "job: a script", "body": {"name": "${1:name}", "builtins.shell": "${2:true}"}},
    ],
}
"""What editors offer to write, by what it is: the bodies have places to fill in."""
