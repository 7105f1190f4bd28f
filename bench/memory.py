#!/usr/bin/env python3
"""What memory a run takes: here, in its agents, and what each finished job leaves in either.

    python bench/memory.py [AGENTS [JOBS]]

AGENTS (50) real agents, of this machine and over SSH, each host an address of its own: the orchestrator and each agent
with all its processes, while all of them are at work. Then one agent that has done JOBS (20,000) jobs which start no
process, and 1,000 agents in memory (see bench/fleet.py) that have done a hundred each, less those that have done ten.
PSS: what processes share counts for each of them in part. Bare agents, Pythons that have loaded nothing, stand beside.
The orchestrator's growth has the pieces in it that Python keeps for later.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sshd
from fleet import apart, pss_kib
from latency import NOOP
from paired import tell

PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
HUNDRED_THOUSAND = 100_000
SLEEP = "builtins.sleep: 3"


def family(pid: int) -> Iterator[int]:
    """Give a process and all below it."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def private_kib(pid: int) -> int:
    """Give what nobody else has of it; nothing once it has ended."""
    with contextlib.suppress(ProcessLookupError):
        return sum(map(int, re.findall(r"Private_\w+: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())))
    return 0


def name_of(pid: int) -> str:
    """Give its name."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


@contextlib.contextmanager
def running(scenario: Path, *options: str) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Run a scenario; gives the orchestrator's number and its events, and waits for its end."""
    read_end, write_end = os.pipe()
    home = {**os.environ, "XDG_STATE_HOME": str(scenario.parent / "state")}
    command = [PROGRAM, str(scenario), "--headless", "-q", "--events", f"/dev/fd/{write_end}", *options]
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=home, pass_fds=[write_end]
    )
    os.close(write_end)
    with open(read_end, "rb") as events:
        yield program.pid, iter(events)
        for _ in events:
            pass
    if program.wait():
        raise RuntimeError(f"the run ended with {program.returncode}")


def wait_for(events: Iterator[bytes], kind: str, job: str, times: int = 1) -> None:
    """Read events up to one of a job."""
    for line in events:
        if f'"type":"{kind}"'.encode() in line and f'"job":"{job}"'.encode() in line:
            times -= 1
            if not times:
                return
    raise RuntimeError(f"no {kind} of {job}")


def at_work(folder: Path, agents: list[str], *options: str) -> tuple[float, float]:
    """Give the MiB of the orchestrator and of one agent, while all of them are at work."""
    scenario = folder / "work.yml"
    lines = ["agents:", *agents, "stages: [{name: s, jobs:"]
    scenario.write_text(
        "\n".join([*lines, f" [{{name: one, builtins.command: [/bin/true]}}, {{name: wait, {SLEEP}}}]}}]"]) + "\n"
    )
    with running(scenario, *options) as (pid, events):
        wait_for(events, "job_started", "wait", len(agents))
        others = [one for one in family(os.getpid()) if one not in (pid, os.getpid())]
        theirs = [one for one in others if not name_of(one).startswith("sshd")]
        total_kib = 0
        for one in theirs:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and nobody has waited for it yet
                total_kib += pss_kib(one)
        return pss_kib(pid) / 1024, total_kib / 1024 / len(agents)


def bare(agents: int) -> float:
    """Give the MiB of one of as many bare ones."""
    command = [sys.executable, "-IS", "-c", "import os;os.write(1,b'x');os.read(0,1)"]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(agents)]
    for process in started:
        assert process.stdout is not None
        process.stdout.read(1)
    found = sum(pss_kib(process.pid) for process in started) / 1024 / agents
    for process in started:
        process.communicate(b"\n")
    return found


def left(folder: Path, jobs: int) -> tuple[float, float]:
    """Give the bytes that a finished job leaves: in the orchestrator, in the daemon."""
    (folder / "noop.py").write_text(NOOP)
    few = jobs // 10
    scenario = folder / "left.yml"
    scenario.write_text(
        "procedures: [noop.py]\nagents: [{name: a, transport: local}]\nstages:\n  - name: s\n    jobs:\n"
        f"      - {{name: few, with_items: [1..{few}], own.noop: '{{{{ item }}}}'}}\n      - {{name: wait, {SLEEP}}}\n"
        f"      - {{name: many, with_items: [1..{jobs}], own.noop: '{{{{ item }}}}'}}\n"
        f"      - {{name: wait again, {SLEEP}}}\n"
    )
    seen: list[tuple[int, int]] = []
    with running(scenario) as (pid, events):
        for wait in ("wait", "wait again"):
            wait_for(events, "job_started", wait)
            others = [one for one in family(os.getpid()) if one not in (pid, os.getpid())]
            daemon = max(others, key=private_kib)  # its guard holds nothing
            seen.append((private_kib(pid), private_kib(daemon)))
    (here, there), (here_then, there_then) = seen
    return (here_then - here) * 1024 / jobs, (there_then - there) * 1024 / jobs


def main() -> None:
    """Print all of it."""
    agents, jobs = [int(word) for word in sys.argv[1:]] + [50, 20_000][len(sys.argv) - 1 :]
    keep_orphans = 36  # PR_SET_CHILD_SUBREAPER: daemons, which leave their parents, are below us
    ctypes.CDLL(None).prctl(keep_orphans, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"of this machine": at_work(folder, [f"  - {{name: a{n}, transport: local}}" for n in range(agents)])}
        if sshd.is_there():
            with sshd.serving() as server:
                hosts = [f"  - {{name: a{n}, address: {at}}}" for n, at in enumerate(sshd.addresses(agents))]
                found["over SSH"] = at_work(folder, hosts, "--ssh-config", str(server.config))
        print(f"PSS with {agents} agents at work, MiB\n\n| agents | orchestrator | an agent | a bare Python | ratio |")
        print("|---|---|---|---|---|")
        bare_mib = bare(agents)
        for where, (here, each) in found.items():
            print(f"| {where} | {here:.1f} | {each:.2f} | {bare_mib:.2f} | {each / bare_mib:.2f} x |", flush=True)
        here_bytes, there_bytes = left(folder, jobs)
    few, many = (apart(1_000, jobs, ack_every=1) for jobs in (10, HUNDRED_THOUSAND // 1_000))
    many_bytes = (many.pss_mib - few.pss_mib) * (1 << 20) / (HUNDRED_THOUSAND - 10_000)
    print("\nWhat a finished job leaves, bytes\n\n| | orchestrator | daemon |\n|---|---|---|")
    print(f"| one agent, {jobs:,} jobs | {here_bytes:.0f} | {there_bytes:.0f} |")
    print(f"| 1,000 agents in memory, {HUNDRED_THOUSAND:,} jobs | {many_bytes:.0f} | |\n")
    print(
        f"The orchestrator then: {many.pss_mib:.0f} MiB. The daemon keeps eight bytes for the name of each attempt that"
    )
    print("it has ever had: it has to refuse it, whenever it is sent again.\n")
    for where, (here, each) in found.items():
        tell(f"orchestrator with {agents} agents {where}, PSS", here, at_most=60, unit="MiB")
        tell(f"an agent {where}, PSS", each, at_most=4, unit="MiB")
    tell("orchestrator with 1,000 agents and 100,000 finished jobs, PSS", many.pss_mib, at_most=100, unit="MiB")
    mib = HUNDRED_THOUSAND / 2**20
    tell("100,000 finished jobs, in the orchestrator", many_bytes * mib, at_most=12, unit="MiB")
    tell("100,000 finished jobs, in the daemon", there_bytes * mib, at_most=0, unit="MiB")


if __name__ == "__main__":
    main()
