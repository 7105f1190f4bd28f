"""What `sbatch` is given: the options, and the script that holds an allocation for as long as somebody renews it."""

from __future__ import annotations

import math
import re

from octogram_tui.model.scenario import SlurmSpec

RENEWAL = "URG"  # a signal that means nothing to whoever is not listening yet
SLACK_S = 30.0  # after the agents' own lease they end what they run, and remove their files

_UNLIMITED_S = math.inf
_TIME = re.compile(r"(?:(?P<days>[0-9]+)-)?(?:(?:(?P<hours>[0-9]+):)?(?P<minutes>[0-9]+):)?(?P<seconds>[0-9]+)")


def name_of(run: str) -> str:
    """Give the job's name, by which an allocation is found whose number nobody has."""
    return f"octogram-{run}"


def held_s(lease_s: float) -> int:
    """Give for how long an allocation is held that nobody renews: longer than the agents in it."""
    return math.ceil(lease_s * 1.05 + SLACK_S)


def guard(lease_s: float) -> str:
    """Give the script, of whatever `sh` is there; when it ends, Slurm ends all that runs in the allocation.

    It counts down, and each renewal has it begin again. TERM is how we end it: as a job that is done. Renewals come
    through Slurm's controller: while that does not answer (to a node that it has answered before), it begins again too.
    """
    left = held_s(lease_s)
    return (
        f"trap 'left={left}' {RENEWAL}; trap 'exit 0' TERM; left={left}; "
        'ask() { scontrol ping >/dev/null 2>&1 & wait "$!"; }; ask && asks=1; '
        'while [ "$left" -gt 0 ]; do sleep 1 & wait "$!"; left=$((left - 1)); '
        f'case "$left$asks" in {left // 2}1|01) ask; [ "$?" -ne 1 ] || left={left};; esac; done; exit 0'
    )


def sbatch_argv(spec: SlurmSpec, agents: int, run: str, lease_s: float) -> list[str]:
    """Give the command that asks for an allocation with room for so many agents."""
    tasks = max(agents, spec.nodes or 0) if spec.tasks is None else spec.tasks
    given = {
        "partition": spec.partition,
        "nodes": spec.nodes,
        "ntasks": tasks,
        "ntasks-per-node": math.ceil(tasks / spec.nodes) if spec.nodes else None,
        "cpus-per-task": spec.cpus,
        "mem": spec.memory,
        "gpus": spec.gpus,
        "time": max(1, math.ceil(spec.time_s / 60)),
        "account": spec.account,
        "constraint": spec.constraint,
    }
    return [
        "sbatch",
        "--parsable",
        f"--job-name={name_of(run)}",
        *(f"--{name}={value}" for name, value in given.items() if value),
        "--no-requeue",
        "--no-kill",
        "--chdir=/",
        "--output=/dev/null",
        *spec.options,
        f"--wrap={guard(lease_s)}",
    ]


def seconds_of(text: str) -> float:
    """Read a time as squeue gives it, `1-02:03:04`; infinite when there is no limit, or it is not told."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return _UNLIMITED_S
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
