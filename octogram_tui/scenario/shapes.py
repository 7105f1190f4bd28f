"""The language, declared: which keys stand where, what they take, what they mean. Checked by build, told by schema.

kind says what a key takes:
string  word (a string that is no template)  agent_name  integer  boolean  choice  duration  expression
strings (one or a list)  words (the same, no templates)  string_map  vars  items  updates  binary
agent  agents  defaults  stages  jobs  files
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One key of a map."""

    kind: str
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    above: int | None = None
    absent: str = ""  # what it means to leave it out, for those who write a number that is refused


ORDERS = ("sequential", "concurrent")
ON_FAILURE = ("abort", "continue", "pause")
CASTS = ("string", "int", "bool", "json")
TRANSPORTS = ("ssh", "local", "command")

SCENARIO: dict[str, Key] = {
    "octogram_binary": Key("binary", "How an agent gets the daemon; by default our own is pushed."),
    "agents": Key("agents", "The agents to start."),
    "defaults": Key("defaults", "What agents have in common: any of their keys but `name`."),
    "prometheus_agent": Key("agent", "The agent that runs a Prometheus server for all metrics of the run."),
    "vars": Key("vars", "The variables at the start: name and value."),
    "procedures": Key("files", "Python files beside the scenario that define further procedures."),
    "stages": Key("stages", "The stages, in order.", required=True),
}

AGENT: dict[str, Key] = {
    "name": Key("agent_name", "Letters, digits, `-` and `_`; `delegate_{0..63}` stands for 64 agents.", required=True),
    "address": Key("words", "The machine; a list spreads the agents of a range over machines, in turn."),
    "user": Key("word", "The user to log in as."),
    "port": Key("integer", "The SSH port.", minimum=1, maximum=65535),
    "identity": Key("word", "The private key file; `~` is your home directory."),
    "transport": Key("choice", "How the machine is reached.", choices=TRANSPORTS),
    "command": Key(
        "words",
        "For `transport: command`: what gives a byte stream to the machine; "
        "{name} and {address} stand for the agent's.",
    ),
    "python": Key("word", "The Python to use there."),
    "env": Key("string_map", "Environment variables of everything that the agent runs."),
    "labels": Key("string_map", "Words of your own about the agent."),
}

STAGE: dict[str, Key] = {
    "name": Key("word", "The stage's name.", required=True),
    "with_agents": Key("strings", "Regular expressions; an agent takes part when one is found in its name."),
    "run_agents": Key("choice", "Whether agents run at the same time.", choices=ORDERS),
    "run_jobs": Key("choice", "Whether the jobs of an agent run at the same time.", choices=ORDERS),
    "ask_confirmation": Key("boolean", "Whether an operator must agree before the stage runs."),
    "when": Key("expression", "Run the stage only when this is true."),
    "always": Key("boolean", "Run the stage even after a failure."),
    "max_concurrency": Key("integer", "At most so many instances at the same time.", minimum=1, absent="no limit"),
    "tags": Key("words", "Words by which stages can be chosen."),
    "jobs": Key("jobs", "What each agent does.", required=True),
}

JOB: dict[str, Key] = {
    "name": Key("word", "The job's name.", required=True),
    "with_items": Key("items", "Run once for each item: a scalar, a list, a range `A..B`, or `product` of lists."),
    "run_items": Key("choice", "Whether items run at the same time.", choices=ORDERS),
    "vars_updates": Key("updates", "Variables to set from the result (`res`), or to remove (null)."),
    "when": Key("expression", "Run the job only when this is true."),
    "timeout": Key(
        "duration", "The longest that an attempt may take: `30`, `30s`, `5m`, `1h`.", above=0, absent="no limit"
    ),
    "retries": Key("integer", "How often to try again after a failure.", minimum=0),
    "retry_delay": Key("duration", "How long to wait before trying again."),
    "until": Key("expression", "The job succeeds only when this is true of its result (`res`)."),
    "on_failure": Key("choice", "What a failure means for the run.", choices=ON_FAILURE),
    "register": Key("word", "The variable that gets the whole result."),
    "tags": Key("words", "Words by which jobs can be chosen."),
}

BINARY: dict[str, Key] = {
    "push": Key("word", "Send the daemon from this machine; only ours is sent, whatever the path."),
    "pull": Key("word", "Let the agent's machine download a bundle from this URL."),
    "installed": Key("word", "Use the daemon that is installed there."),
    "sha256": Key("word", "For `pull`: what the bundle must hash to."),
}

UPDATE: dict[str, Key] = {
    "value": Key("string", "A template.", required=True),
    "as": Key("choice", "The type of the result.", choices=CASTS),
}

RESERVED_NAMES = ("self", "http", "https")
