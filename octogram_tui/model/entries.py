"""The entries of lists that events carry: what a plan, its agents and the problems of an edit look like as JSON.

All members may be missing, since an older program may have written them.
"""

from __future__ import annotations

from typing import TypedDict


class JobEntry(TypedDict, total=False):
    """One job of a plan. items: whether it has any; variables: that its texts name, `*` for what is computed.

    texts: its templates and expressions, by where they stand (engine/job_texts.py).
    """

    job: str
    procedure: str
    items: bool
    line: int
    variables: list[str]
    texts: dict[str, str]
    retries: int
    retry_delay_s: float
    run_items: str
    on_failure: str


class StageEntry(TypedDict, total=False):
    """One stage of a plan. left_out: why the command line leaves it out, empty when it does not.

    What is as by default is left out: `when`, max_concurrency, timeout_s, run_agents where it is not `concurrent`,
    run_jobs where it is not `sequential`.
    """

    stage: str
    line: int
    always: bool
    left_out: str
    with_agents: list[str]
    when: str
    max_concurrency: int
    timeout_s: float
    run_agents: str
    run_jobs: str
    jobs: list[JobEntry]


class AgentEntry(TypedDict, total=False):
    """One agent of a run. labels: of each a value, or several; left out where there are none."""

    agent: str
    address: str
    transport: str
    labels: dict[str, str | list[str]]


class ProblemEntry(TypedDict, total=False):
    """One thing that is wrong with an edited scenario, and where."""

    file: str
    line: int
    column: int
    message: str
    hint: str
    source: str  # the line itself
    is_warning: bool


class ProcessEntry(TypedDict, total=False):
    """A process that an agent could not end."""

    pid: int
    name: str
    state: str
