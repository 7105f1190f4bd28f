"""What Slurm says of an allocation: how it stands in the queue, where it is, how its nodes are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import NamedTuple

from octogram_tui.errors import LinkLost
from octogram_tui.transport.slurm.commands import Commands, Said, clean
from octogram_tui.transport.slurm.request import name_of, seconds_of

_ENDS = "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT"
OVER = frozenset((*_ENDS.split(), ""))
"""States in which nothing runs any more, and nothing will; empty: Slurm has forgotten it."""
BACK = frozenset(("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"))
"""States of a job that had nodes, and has them no more."""
STANDING = frozenset(("SUSPENDED", "STOPPED"))

NEVER = {
    "AccountNotAllowed": "name another `account`",
    "BadConstraints": "no node has those features: see `constraint`",
    "DependencyNeverSatisfied": "what it depends on has failed: see --dependency in `options`",
    "InvalidAccount": "name another `account`",
    "InvalidQOS": "see --qos in `options`",
    "PartitionConfig": "the partition does not allow so much: ask for fewer nodes or `cpus`, or less `time`",
    "PartitionNodeLimit": "the partition does not allow so many nodes: ask for fewer `nodes` or `tasks`",
    "PartitionTimeLimit": "the partition does not allow so long: ask for less `time`",
    "AssociationTimeLimit": "the account does not allow so long: ask for less `time`",
    "QOSTimeLimit": "the quality of service does not allow so long: ask for less `time`",
}
"""Reasons for which an allocation waits for ever, and what to do about each."""
_NEVER = re.compile(r"(?:Assoc|QOS)(?:MaxWall\w*PerJob|Max\w+PerJob)\w*|ReqNodeNotAvail\(may be down for ever\)")
ENDING_LOOKS_S = (0.0, 0.3, 0.7, 1.0)
_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_GPU = re.compile(r"((?:[A-Za-z0-9_.-]+:)?[1-9][0-9]*)(?=\(|,|$)")
_UNKNOWN = "Invalid job id"
_WELL = re.compile(r"(?:idle|alloc|mix|comp|reserved|planned|power|boot|unk)", re.IGNORECASE)  # unk: not heard of yet


class Standing(NamedTuple):
    """How a job stands. state: as Slurm names it; empty when it has forgotten it. left_s: of its time.

    part: which one it is of a heterogeneous job; empty when it is a job of its own.
    """

    state: str
    reason: str = ""
    partition: str = ""
    nodes: str = ""
    left_s: float = 0.0
    start: str = ""
    part: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs."""
        return self.state in OVER

    @property
    def never(self) -> str:
        """What to do when it would wait for ever; empty when it would not."""
        if self.state != "PENDING":
            return ""
        return NEVER.get(self.reason, "ask for less" if _NEVER.fullmatch(self.reason) else "")


class Node(NamedTuple):
    """A node of an allocation. address: where other nodes reach it; cpus: how many of its are ours.

    gpus: the same, as Slurm writes that, `2` or `a100:2,k80:1`; empty when no node of the allocation has any.
    """

    name: str
    address: str
    cpus: int = 1
    gpus: str = ""


class Places(NamedTuple):
    """The nodes of an allocation, and the node of each step there, by the step's name."""

    nodes: list[Node]
    steps: dict[str, str]


def answered(said: Said) -> Said:
    """Give an answer that is one. Raises LinkLost: the controller is not there, or something like it."""
    if said.status != 0:
        raise LinkLost(f"slurm: {said.why}")
    return said


async def standing_of(commands: Commands, job: str) -> Standing:
    """Ask how a job stands. Raises TransportError when nobody says."""
    said = await commands.run("squeue", "--noheader", f"--jobs={job}", "--format=%A|%T|%r|%P|%N|%L|%S|%i")
    if said.status != 0 and _UNKNOWN in said.error:
        return Standing("")
    # Asked for the first of an array, or of a heterogeneous job, it lists all of that.
    lines = [line.partition("|")[2] for line in answered(said).lines if line.startswith(f"{job}|")]
    fields = [clean(field) for field in lines[0].split("|")] if lines else [""]
    state, reason, partition, nodes, left, start, number = (fields + [""] * 7)[:7]
    part = number.partition("+")[2]
    return Standing(state, reason, partition, nodes, seconds_of(left), "" if start == "N/A" else start, part)


async def position_of(commands: Commands, job: str, partition: str) -> tuple[int, int]:
    """Tell the place in the queue of a partition by priority, and how long that queue is, as far as one may see it."""
    said = await commands.run(
        "squeue",
        "--noheader",
        "--states=PENDING",
        f"--partition={partition}",
        "--sort=-p,i",
        "--format=%i",
    )
    jobs = [line.partition("_")[0] for line in answered(said).lines]
    return (jobs.index(job) + 1 if job in jobs else 0), len(jobs)


async def find(commands: Commands, run: str) -> str:
    """Find the allocation of a run by its name; empty when there is none that is not over. Raises TransportError."""
    said = await commands.run("squeue", "--noheader", "--me", f"--name={name_of(run)}", "--format=%i|%T")
    for line in answered(said).lines:
        job, _, state = line.partition("|")
        if job.isascii() and job.isdigit() and state not in OVER:
            return job
    return ""


async def end_of(commands: Commands, job: str) -> str:
    """Say in a word or two how a job ended, as long as Slurm remembers."""
    state, reason = "", ""
    for delay_s in ENDING_LOOKS_S:
        await asyncio.sleep(delay_s)
        said = await commands.run("scontrol", "--oneliner", "show", "job", job)
        line = next((line for line in said.lines if line.startswith(f"JobId={job} ")), "") if said.status == 0 else ""
        fields = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        state, reason = fields.get("JobState", ""), fields.get("Reason", "None")
        if state != "COMPLETING":  # until what runs in it has ended, that is all that it says
            break
    words = {
        "TIMEOUT": "its time is over",
        "NODE_FAIL": "a node failed",
        "CANCELLED": "it was cancelled",
        "PREEMPTED": "it had to give way to another job",
        "OUT_OF_MEMORY": "its memory was used up",
        "DEADLINE": "its deadline has passed",
        "COMPLETED": "its guard ended",
        **dict.fromkeys(BACK, "Slurm has put it back into the queue"),
        "COMPLETING": "it was cancelled, or has failed: Slurm is ending what ran in it",
    }
    how = words.get(state, clean(f"Slurm says {state}") if state else "Slurm does not know it any more")
    return how if reason in ("None", "") or state == "CANCELLED" else f"{how} ({clean(reason)})"


# One command for all of it: on a login node each one is a login shell. Its parts are told apart by their first words.
_PLACES = (
    'scontrol show hostnames "$2" | sed "s/^/name /"; scontrol --oneliner show node "$2"; '
    'scontrol --details --oneliner show job "$1" | grep "^JobId=$1 " | '
    "grep -o ' Nodes=[^ ]* CPU_IDs=[^ ]* Mem=[^ ]* GRES=[^ ]*' | while read -r n c m g; do "
    'scontrol show hostnames "${n#Nodes=}" | sed "s/^/has ${c#CPU_IDs=} GRES=${g#GRES=} /"; done; '
    'squeue --steps --noheader "--jobs=$1" "--format=step %j %N"'
)


async def places_of(commands: Commands, job: str, listed: str) -> Places:
    """Ask which nodes an allocation has, and what runs there. Raises TransportError."""
    said = await commands.run("sh", "-c", _PLACES, "sh", job, listed)
    names: list[str] = []
    addresses: dict[str, str] = {}
    cpus: dict[str, int] = {}
    gpus: dict[str, str] = {}
    steps: dict[str, str] = {}
    for line in said.lines:
        match line.split():
            case ["name", name]:
                names.append(name)
            case ["has", ids, gres, name]:
                cpus[name] = _count(ids)
                gpus[name] = _gpus(gres.partition("=")[2])
            case ["step", *words, node] if words:
                steps.setdefault(" ".join(words), node)
            case [first, *words] if first.startswith("NodeName="):
                fields = dict(word.partition("=")[::2] for word in words)
                address = fields.get("NodeAddr", "")
                addresses[first.partition("=")[2]] = address if _is_address(address) else ""
    if not names or not all(_NODE.fullmatch(name) for name in names):
        raise LinkLost(f"slurm: its nodes cannot be told from `{clean(listed)}`: {said.why}")
    if set(cpus) != set(names) or not all(cpus.values()):
        cpus = {}
    none = "0" if any(gpus.values()) else ""
    nodes = [Node(name, addresses.get(name) or name, cpus.get(name, 1), gpus.get(name) or none) for name in names]
    return Places(nodes, steps)


async def names_of(commands: Commands, nodes: str) -> list[str]:
    """Spread out a list of nodes. Raises TransportError."""
    return answered(await commands.run("scontrol", "show", "hostnames", nodes)).lines


def _is_address(text: str) -> bool:
    return bool(_NODE.fullmatch(text)) or (":" in text and all(letter in "0123456789abcdefABCDEF:." for letter in text))


def _count(ids: str) -> int:
    """Count what `0-3,8` lists."""
    count = 0
    for part in ids.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return 0
        count += int(last or first) - int(first) + 1
    return count


def _gpus(gres: str) -> str:
    """Give what `gpu:a100:2(IDX:0-1),nic:1` has of GPUs, as `--gpus` takes it."""
    return ",".join(found[1] for part in gres.split("gpu:")[1:] if (found := _GPU.match(part)))


async def troubles_of(commands: Commands, names: Iterable[str]) -> dict[str, str]:
    """Say what is wrong with nodes, for those with which something is: drained, down."""
    said = await commands.run("sinfo", "--noheader", "--Node", f"--nodes={','.join(names)}", "--format=%N|%T|%E")
    found: dict[str, str] = {}
    for line in answered(said).lines:
        name, state, why = ([*line.split("|", 2), "", ""])[:3]
        if state and not _WELL.match(state):
            reason = clean(why)
            found[clean(name)] = clean(state.rstrip("*~#!%$@^-")) + (f": {reason}" if reason != "none" else "")
    return found
