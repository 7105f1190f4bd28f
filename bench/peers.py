#!/usr/bin/env python3
"""A whole run over SSH beside other tools that do the same: so many hosts, so many trivial jobs on each.

    python bench/peers.py [--hosts 10,50] [--jobs 10,50] [--rounds 5] [--only NAME,...]

Every host is an address of the loopback network at one private sshd. All contenders run `true` on every host, one job
after the other on each, all hosts at once. `bare` is the lower bound: what ours would be without an engine, a journal
and a guard. It takes those of bench/requirements.txt that are installed; `make bench` installs them.

CPU here is that of the contender's own processes, CPU there that of the server, its logins and what they leave running.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paired import tell
from sshd import Server, addresses, serving

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
OURS = "octogram-tui"
LIMITS = {
    ("bare", "*"): ("at most", 1.15),
    ("asyncssh exec", "10x10"): ("at least", 1.05),
    ("asyncssh exec", "50x10"): ("at least", 1.05),
    ("asyncssh exec", "10x50"): ("at least", 1.0),
    ("asyncssh exec", "50x50"): ("at least", 1.7),
    ("pyinfra", "50x50"): ("at least", 3.3),
    ("fabric", "50x50"): ("at least", 2.2),
    ("parallel-ssh", "50x50"): ("at least", 2.4),
}
TICKS = os.sysconf("SC_CLK_TCK")
Command = tuple[list[str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took, in seconds."""

    wall_s: float
    here_s: float
    there_s: float


def script(name: str) -> Callable[[Server, Path, int, int], Command]:
    """Give the contender of one of our own scripts."""

    def command(server: Server, _: Path, hosts: int, jobs: int) -> Command:
        program = str(HERE / "contenders" / f"{name}.py")
        return [sys.executable, program, str(server.folder), str(server.port), str(hosts), str(jobs)], {}

    return command


def ours(server: Server, folder: Path, hosts: int, jobs: int) -> Command:
    """Write the scenario."""
    lines = ["agents:", *(f"  - {{name: a{n}, address: {address}}}" for n, address in enumerate(addresses(hosts)))]
    lines += ["stages:", "  - name: all", "    jobs:"]
    lines += [f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(jobs)]
    scenario = folder / "scenario.yml"
    scenario.write_text("\n".join(lines) + "\n")
    command = [str(BIN / OURS), str(scenario), "--headless", "-q", "--ssh-config", str(server.config)]
    return command, {"XDG_STATE_HOME": str(folder)}


def pyinfra(server: Server, folder: Path, hosts: int, jobs: int) -> Command:
    """Write the inventory."""
    data = {
        "ssh_port": server.port,
        "ssh_user": server.user,
        "ssh_key": str(server.key),
        "ssh_strict_host_key_checking": "no",
        "ssh_known_hosts_file": "/dev/null",
        "ssh_config_file": "/dev/null",
    }
    (folder / "inventory.py").write_text(f"agents = ({addresses(hosts)!r}, {data!r})\n")
    deploy = str(HERE / "contenders" / "deploy.py")
    return [str(BIN / "pyinfra"), "-y", str(folder / "inventory.py"), deploy], {"JOBS": str(jobs)}


def ansible(server: Server, folder: Path, hosts: int, jobs: int) -> Command:
    """Write inventory, configuration and playbook."""
    (folder / "inventory.ini").write_text(
        "[all]\n" + "\n".join(addresses(hosts)) + f"\n[all:vars]\nansible_port={server.port}\n"
        f"ansible_user={server.user}\nansible_ssh_private_key_file={server.key}\n"
        "ansible_python_interpreter=/usr/bin/python3\n"
    )
    (folder / "ansible.cfg").write_text(
        "[defaults]\ninventory = inventory.ini\nforks = 50\nhost_key_checking = False\ngathering = explicit\n"
        "retry_files_enabled = False\n[ssh_connection]\npipelining = True\n"
        "ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s\n"
    )
    tasks = "".join(
        f"    - {{name: job {n}, ansible.builtin.command: 'true', changed_when: false}}\n" for n in range(jobs)
    )
    (folder / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    settings = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
    }
    return [str(BIN / "ansible-playbook"), str(folder / "play.yml")], settings


CONTENDERS: dict[str, Callable[[Server, Path, int, int], Command]] = {
    OURS: ours,
    "bare": script("bare"),
    "asyncssh exec": script("exec_each"),
    "OpenSSH ControlMaster": script("multiplexed"),
    "parallel-ssh": script("parallel"),
    "fabric": script("grouped"),
    "pyinfra": pyinfra,
    "ansible": ansible,
}
NEEDS = {"parallel-ssh": "pssh", "fabric": "fabric", "pyinfra": "pyinfra", "ansible": "ansible"}


def run(command: Command, server: Server) -> Taken:
    """Run a contender to its end, with all that it left running. Raises RuntimeError when it fails."""
    argv, settings = command
    before_s = _reaped_s(server.pid)
    started_s = time.perf_counter()
    child = subprocess.Popen(
        argv,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall_s = time.perf_counter() - started_s
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{argv[0]} ended with {child.returncode}: {told.decode(errors='replace')[-400:]}")
    left_s = _reap_left(server.pid)
    time.sleep(0.2)  # for the server to reap its logins
    return Taken(wall_s, usage.ru_utime + usage.ru_stime, _reaped_s(server.pid) - before_s + left_s)


def _reaped_s(pid: int) -> float:
    """Give the CPU of all children that a process has waited for, and its own."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _reap_left(server: int) -> float:
    """Wait for what lost its parents and became our child, but for the server; gives its CPU."""
    taken_s = 0.0
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        left = [int(pid) for pid in children if int(pid) != server]
        if not left:
            break
        for pid in left:
            done, _, usage = os.wait4(pid, os.WNOHANG)
            if done:
                taken_s += usage.ru_utime + usage.ru_stime
        time.sleep(0.01)
    return taken_s


def row(name: str, runs: list[Taken], base_s: float) -> str:
    """Give a line of the table."""
    walls = [one.wall_s for one in runs]
    here, there = (statistics.median(getattr(one, what) for one in runs) for what in ("here_s", "there_s"))
    median = statistics.median(walls)
    spread = f"{median:.2f} | {min(walls):.2f} | {max(walls):.2f} | {median / base_s:.2f} x"
    return f"| {name} | {spread} | {here:.2f} | {there:.2f} |"


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="10,50")
    parser.add_argument("--jobs", default="10,50")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="some of " + ", ".join(CONTENDERS))
    asked = parser.parse_args()
    there = [name for name in CONTENDERS if name not in NEEDS or importlib.util.find_spec(NEEDS[name])]
    names = asked.only.split(",") if asked.only else [name for name in there if name != "ansible"]
    few, *_, many = jobs_of = [int(n) for n in asked.jobs.split(",")] * (2 if "," not in asked.jobs else 1)
    found: dict[tuple[str, int, int], list[Taken]] = {}
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what daemons leave becomes our child
    with serving() as server:
        for hosts in (int(n) for n in asked.hosts.split(",")):
            for jobs in dict.fromkeys(jobs_of):
                for turn in range(asked.rounds + 1):
                    for name in names:
                        with tempfile.TemporaryDirectory(prefix="b") as folder:
                            taken = run(CONTENDERS[name](server, Path(folder), hosts, jobs), server)
                        if turn:  # the first round warms caches
                            found.setdefault((name, hosts, jobs), []).append(taken)
                print(f"\n{hosts} hosts, {jobs} jobs on each ({asked.rounds} rounds)\n")
                print("| contender | median s | min s | max s | ratio | CPU here s | CPU there s |")
                print("|---|---|---|---|---|---|---|")
                base = "bare" if "bare" in names else names[0]
                base_s = statistics.median(one.wall_s for one in found[base, hosts, jobs])
                for name in names:
                    print(row(name, found[name, hosts, jobs], base_s), flush=True)
            if few != many:
                print(f"\nOne more job, {hosts} hosts: the slope between {few} and {many} jobs, ms\n")
                print("| contender | wall | CPU here | CPU there |")
                print("|---|---|---|---|")
                for name in names:
                    print(
                        f"| {name} | "
                        + " | ".join(f"{slope:.3f}" for slope in slopes(found, name, hosts, few, many))
                        + " |"
                    )
    print()
    for (name, hosts, jobs), runs in found.items():
        limit = LIMITS.get((name, f"{hosts}x{jobs}")) or LIMITS.get((name, "*"))
        if name == OURS or limit is None or (OURS, hosts, jobs) not in found:
            continue
        mine, theirs = (statistics.median(one.wall_s for one in each) for each in (found[OURS, hosts, jobs], runs))
        ratio = mine / theirs if limit[0] == "at most" else theirs / mine
        words = f"whole run, {hosts} hosts x {jobs} jobs, " + (
            f"to {name}" if limit[0] == "at most" else f"{name} to it"
        )
        tell(words, ratio, **{"at_most" if limit[0] == "at most" else "at_least": limit[1]})
    if few != many and OURS in names:
        for hosts in (int(n) for n in asked.hosts.split(",")):
            tell(f"CPU here a job, {hosts} hosts", slopes(found, OURS, hosts, few, many)[1], at_most=0.10, unit="ms")


def slopes(found: dict[tuple[str, int, int], list[Taken]], name: str, hosts: int, few: int, many: int) -> list[float]:
    """Give what one more job takes, in ms: wall, CPU here, CPU there."""
    given = []
    for what in ("wall_s", "here_s", "there_s"):
        less, more = (statistics.median(getattr(one, what) for one in found[name, hosts, jobs]) for jobs in (few, many))
        given.append((more - less) / hosts / (many - few) * 1000)
    return given


if __name__ == "__main__":
    main()
