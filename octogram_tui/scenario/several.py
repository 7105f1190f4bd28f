"""What several agents of one stage would take from each other: a variable that each of them sets, a file each fetches.

Seen before the run where the agents can be told; files are looked at again when they are fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from octogram_tui.model.scenario import JobSpec, StageSpec, Text
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.tree import MapNode, Place
from octogram_tui.template.analysis import uses
from octogram_tui.template.source import is_template

OF_AN_AGENT = frozenset(("agent", "re"))
"""Names whose values differ from agent to agent."""


def check_several(findings: Findings, stage: StageSpec, nodes: Sequence[MapNode], agents: int) -> None:
    """Look at the jobs of a stage that several agents run. nodes: of its jobs, in their order."""
    for job, node in zip(stage.jobs, nodes, strict=True):
        if job.when is not None and _differs(job.when.source, expression=True):
            continue  # it may well be for one of them only
        if stage.run_agents == "concurrent":
            for name, place, way in _lost(job, node):
                message = f"{agents} agents set `{name}` at the same time: the last one wins"
                hint = f"write {way} to have one of each agent, and read it as var('{name}_' ~ agent.name)"
                findings.warning(place, message, hint)
        if job.procedure == "builtins.fetch":
            _check_fetch(findings, job, node, agents)


def _lost(job: JobSpec, node: MapNode) -> Iterator[tuple[str, Place, str]]:
    """Give the variables that one agent takes from another: name, place, and a name that would differ."""
    if job.register is not None and not _differs(job.register):
        yield job.register, node.value_place("register"), f"register: '{job.register}_{{{{ agent.name }}}}'"
    updates = node.get("vars_updates")
    for update in job.vars_updates:
        name = update.name.source
        if isinstance(update.value, Text) and not _differs(name) and isinstance(updates, MapNode):
            found = uses(update.value.source)
            # One that is made of what it was before is added to, not replaced.
            if found.names & (OF_AN_AGENT | {"res"}) and name not in found.variables and not found.is_computed:
                yield name, updates.key_place(name), f"'{name}_{{{{ agent.name }}}}'"


def _check_fetch(findings: Findings, job: JobSpec, node: MapNode, agents: int) -> None:
    """Refuse a fetch by which each agent's file would replace that of the one before."""
    arguments = job.arguments.raw()
    local_path, remote_path = arguments.get("local_path"), str(arguments.get("remote_path"))
    if not isinstance(local_path, str) or _differs(local_path):
        return
    is_there = not is_template(local_path) and os.path.exists(local_path)
    if is_there and not os.path.isdir(local_path) and not os.path.isfile(local_path):
        return  # a device or a pipe takes all of them
    goes_into = local_path.endswith(("/", "/.")) or local_path == "." or (is_there and os.path.isdir(local_path))
    if goes_into and _differs(remote_path.rstrip("/").rpartition("/")[2]):
        return
    body = node[job.procedure]
    place = body.value_place("local_path") if isinstance(body, MapNode) else node.value_place(job.procedure)
    directory = local_path.rstrip("/.") or "."
    findings.error(
        place,
        f"{agents} agents would fetch into one place, `{local_path}`, and only the last one's would be left",
        f"write local_path: '{directory}/{{{{ agent.name }}}}/', or leave it out to have a directory for each agent",
    )


def _differs(text: str, *, expression: bool = False) -> bool:
    """Tell whether a text may be another one for each agent."""
    if not expression and not is_template(text):
        return False
    found = uses(text, expression=expression)
    return bool(found.names & OF_AN_AGENT) or bool(found.problem)
