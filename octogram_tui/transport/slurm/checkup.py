"""What `doctor` looks at of Slurm: its programs, its controller, and whether it would give what the scenario asks for.

Nothing is asked of it but whether it would.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from octogram_tui.errors import TransportError
from octogram_tui.transport.base import Transport
from octogram_tui.transport.slurm.allocation import outer_job
from octogram_tui.transport.slurm.commands import Commands, clean, no_program
from octogram_tui.transport.slurm.queue import standing_of
from octogram_tui.transport.slurm.request import sbatch_argv
from octogram_tui.transport.slurm.terms import Terms

PROGRAMS = ("sbatch", "srun", "scancel", "scontrol", "squeue", "sinfo")
_PRESENT = 'for p in "$@"; do command -v "$p" >/dev/null 2>&1 || echo "absent $p"; done; sbatch --version; exit 0'
_START = re.compile(r"to start at (\S+) using (\d+) processors on nodes? (\S+) in partition (\S+)")


class Finding(NamedTuple):
    """One thing that was looked at: what is wrong with it, and what to do; problem is empty when it is well."""

    check: str
    detail: str = ""
    problem: str = ""
    hint: str = ""


async def examine(terms: Terms, way: Transport | None) -> list[Finding]:
    """Look at it, as far as one thing after the other is well. Never raises TransportError."""
    commands = Commands(way, terms.hides)
    found: list[Finding] = []
    try:
        try:
            said = await commands.run("sh", "-c", _PRESENT, "sh", *PROGRAMS)
            absent = [line.partition(" ")[2] for line in said.lines if line.startswith("absent ")]
            if absent:
                raise no_program(absent[0], commands.where)
            found.append(Finding("slurm", f"{clean(said.text)} on {commands.where}"))
        except TransportError as error:
            found.append(Finding("slurm", problem=error.message, hint=error.hint))
            return found
        try:
            found.append(await _controller(commands))
            if not found[-1].problem:
                found.append(await _allocation(commands, terms))
        except TransportError as error:
            found.append(Finding("controller", problem=error.message, hint=error.hint))
        return found
    finally:
        await commands.close()


async def _controller(commands: Commands) -> Finding:
    said = await commands.run("scontrol", "ping")
    if said.status == 0 and " UP" in said.text:
        return Finding("controller")
    why = clean(said.text) or said.why
    return Finding("controller", problem=why, hint="see that slurmctld runs, and that munge does on this machine too")


async def _allocation(commands: Commands, terms: Terms) -> Finding:
    """Ask whether there would be an allocation; or look at the one that we are in."""
    job = outer_job(commands)
    if job:
        standing = await standing_of(commands, job)
        if standing.state == "RUNNING":
            return Finding("allocation", f"job {job}, in which this was started: {standing.nodes}")
        return Finding(
            "allocation",
            problem=f"job {job}, in which this was started, is {standing.state.lower() or 'not known'}",
            hint="unset SLURM_JOB_ID to have one asked for",
        )
    words = sbatch_argv(terms.spec, len(terms.names), "doctor", terms.lease_s)
    said = await commands.run(words[0], "--test-only", *words[1:])
    if said.status != 0:
        return Finding("allocation", problem=said.why, hint="see `slurm` in the scenario, and sinfo")
    start = _START.search(said.error)
    if start is None:
        return Finding("allocation", "would be given")
    time, processors, nodes, partition = map(clean, start.groups())
    return Finding("allocation", f"{processors} processors on {nodes} in partition {partition}, about {time}")
