#!/usr/bin/env python3
"""A whole run over SSH beside other tools that do the same: so many hosts, so many trivial jobs on each.

    python bench/peers.py [--hosts 10,50] [--jobs 10,50] [--rounds 3] [--only NAME,...]

Every host is an address of the loopback network at one private sshd. All contenders run `true` on every host, one job
after the other on each, all hosts at once. `bare` is the lower bound: what ours would be without an engine, a journal
and a guard. It takes those of bench/requirements.txt that are installed; `make bench` installs them. Those that are far
behind have two rounds, and Ansible and Mitogen, whose runs take up to a minute, one, and none with 50 jobs on 50 hosts.

CPU here is that of the contender's own processes, CPU there that of the server, its logins and what they leave running.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paired import tell
from sshd import Server, addresses, serving

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
OURS = "octogram-tui"
LIMITS: dict[tuple[str, str], tuple[str, float]] = {
    **{("bare", cell): ("at_most", 1.15) for cell in ("10x10", "10x50", "50x10", "50x50")},
    ("asyncssh exec", "10x10"): ("at_least", 1.05),
    ("asyncssh exec", "10x50"): ("at_least", 1.0),
    ("asyncssh exec", "50x10"): ("at_least", 1.05),
    ("asyncssh exec", "50x50"): ("at_least", 1.7),
    ("OpenSSH ControlMaster", "50x50"): ("at_least", 3.2),
    ("parallel-ssh", "50x50"): ("at_least", 2.4),
    ("fabric", "50x50"): ("at_least", 2.2),
    ("pyinfra", "50x10"): ("at_least", 1.25),
    ("pyinfra", "50x50"): ("at_least", 3.3),
    ("mitogen", "10x50"): ("at_least", 20.0),
    ("mitogen", "50x10"): ("at_least", 13.0),
    ("ansible", "10x50"): ("at_least", 65.0),
    ("ansible", "50x10"): ("at_least", 30.0),
}
# Of the slope: how many times our CPU here a job theirs is. Mitogen's is that of ten hosts.
CPU_LIMITS = {"asyncssh exec": 2.8, "pyinfra": 9.0, "OpenSSH ControlMaster": 20.0, "mitogen": 120.0}
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


def ansible_files(server: Server, folder: Path, hosts: int, tasks: str, settings: str = "") -> Command:
    """Write inventory, configuration and a playbook of such tasks. settings: more lines of the configuration."""
    (folder / "inventory.ini").write_text(
        "[all]\n" + "\n".join(addresses(hosts)) + f"\n[all:vars]\nansible_port={server.port}\n"
        f"ansible_user={server.user}\nansible_ssh_private_key_file={server.key}\n"
        "ansible_python_interpreter=/usr/bin/python3\n"
    )
    (folder / "ansible.cfg").write_text(
        "[defaults]\ninventory = inventory.ini\nforks = 50\nhost_key_checking = False\ngathering = explicit\n"
        f"{settings}retry_files_enabled = False\n[ssh_connection]\npipelining = True\n"
        "ssh_args = -F none -o ControlMaster=auto -o ControlPersist=60s\n"
    )
    (folder / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    environment = {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
    }
    return [str(BIN / "ansible-playbook"), str(folder / "play.yml")], environment


def ansible(server: Server, folder: Path, hosts: int, jobs: int, settings: str = "") -> Command:
    """Write a playbook of so many commands."""
    tasks = "".join(
        f"    - {{name: job {n}, ansible.builtin.command: 'true', changed_when: false}}\n" for n in range(jobs)
    )
    return ansible_files(server, folder, hosts, tasks, settings)


def mitogen(server: Server, folder: Path, hosts: int, jobs: int) -> Command:
    """Give Ansible with another way to the hosts."""
    found = importlib.util.find_spec("ansible_mitogen")
    assert found is not None
    assert found.origin is not None
    plugins = Path(found.origin).parent / "plugins" / "strategy"
    return ansible(server, folder, hosts, jobs, f"strategy_plugins = {plugins}\nstrategy = mitogen_linear\n")


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those who are compared. needs: a module; rounds: how many at most, where there are too few to warm up."""

    command: Callable[[Server, Path, int, int], Command]
    needs: str = "asyncssh"
    rounds: int | None = None
    most: int = 1 << 30  # jobs in all

    @property
    def is_there(self) -> bool:
        """Whether it is installed."""
        return importlib.util.find_spec(self.needs) is not None


CONTENDERS = {
    OURS: Contender(ours),
    "bare": Contender(script("bare")),
    "asyncssh exec": Contender(script("exec_each")),
    "OpenSSH ControlMaster": Contender(script("multiplexed"), rounds=2),
    "parallel-ssh": Contender(script("parallel"), "pssh", rounds=2),
    "fabric": Contender(script("grouped"), "fabric", rounds=2),
    "pyinfra": Contender(pyinfra, "pyinfra", rounds=2),
    "mitogen": Contender(mitogen, "ansible_mitogen", rounds=1, most=500),
    "ansible": Contender(ansible, "ansible", rounds=1, most=500),
}


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
    """Wait for what lost its parents and became our child, but for the server; gives its CPU.

    Connections that are kept for a next command are ended, or the CPU of their logins would not be seen.
    """
    taken_s = 0.0
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        left = [int(pid) for pid in children if int(pid) != server]
        if not left:
            break
        for pid in left:
            if Path(f"/proc/{pid}/comm").read_text() == "ssh\n":
                os.kill(pid, signal.SIGTERM)
            done, _, usage = os.wait4(pid, os.WNOHANG)
            if done:
                taken_s += usage.ru_utime + usage.ru_stime
        time.sleep(0.01)
    return taken_s


class Table:
    """All runs of all contenders. troubles: why there are none, by contender."""

    def __init__(self, names: Sequence[str], rounds: int) -> None:
        self.names, self.rounds = names, rounds
        self.found: dict[tuple[str, int, int], list[Taken]] = {}
        self.troubles = {name: "is not installed" for name in CONTENDERS if not CONTENDERS[name].is_there}

    def take(self, server: Server, hosts: int, jobs: int) -> None:
        """Run a cell: everyone once to warm caches, but for those who have few rounds, and then in turns."""
        for turn in range(self.rounds + 1):
            for name in self.names:
                contender = CONTENDERS[name]
                most = self.rounds if contender.rounds is None else contender.rounds
                is_warming = turn == 0 and contender.rounds is not None
                if name in self.troubles or is_warming or turn > most or hosts * jobs > contender.most:
                    continue
                with tempfile.TemporaryDirectory(prefix="b") as folder:
                    try:
                        taken = run(contender.command(server, Path(folder), hosts, jobs), server)
                    except (RuntimeError, OSError) as error:
                        self.troubles[name] = "failed: " + " ".join(str(error).split()).replace("|", "/")
                        continue
                if turn:
                    self.found.setdefault((name, hosts, jobs), []).append(taken)

    def show(self, hosts: int, jobs: int) -> None:
        """Print a cell."""
        print(f"\n{hosts} hosts, {jobs} jobs on each ({self.rounds} rounds)\n")
        print("| contender | median s | min s | max s | ratio | CPU here s | CPU there s | rounds |")
        print("|---|---|---|---|---|---|---|---|")
        base = self.wall_s("bare", hosts, jobs) or self.wall_s(OURS, hosts, jobs)
        for name in self.names:
            runs = self.found.get((name, hosts, jobs))
            if runs is None:
                why = self.troubles.get(name, "takes too long for it")
                print(f"| {name} | {why} | | | | | | |", flush=True)
                continue
            walls = [one.wall_s for one in runs]
            here, there = (statistics.median(getattr(one, what) for one in runs) for what in ("here_s", "there_s"))
            median = statistics.median(walls)
            ratio = f"{median / base:.2f} x" if base else ""
            spread = f"{median:.2f} | {min(walls):.2f} | {max(walls):.2f} | {ratio}"
            print(f"| {name} | {spread} | {here:.2f} | {there:.2f} | {len(runs)} |", flush=True)

    def show_slopes(self, hosts: int, few: int, many: int) -> None:
        """Print what one more job takes."""
        print(f"\nOne more job, {hosts} hosts: the slope between {few} and {many} jobs, ms\n")
        print("| contender | wall | CPU here | CPU there |")
        print("|---|---|---|---|")
        for name in self.names:
            slopes = self.slopes(name, hosts, few, many)
            if slopes is not None:
                print(f"| {name} | " + " | ".join(f"{slope:.3f}" for slope in slopes) + " |", flush=True)

    def wall_s(self, name: str, hosts: int, jobs: int) -> float | None:
        """Give the median."""
        runs = self.found.get((name, hosts, jobs))
        return None if runs is None else statistics.median(one.wall_s for one in runs)

    def slopes(self, name: str, hosts: int, few: int, many: int) -> list[float] | None:
        """Give what one more job takes, in ms: wall, CPU here, CPU there."""
        if (name, hosts, few) not in self.found or (name, hosts, many) not in self.found:
            return None
        given = []
        for what in ("wall_s", "here_s", "there_s"):
            less, more = (
                statistics.median(getattr(one, what) for one in self.found[name, hosts, jobs]) for jobs in (few, many)
            )
            given.append((more - less) / hosts / (many - few) * 1000)
        return given

    def tell(self, cells: Sequence[tuple[int, int]]) -> None:
        """Print the targets of whole runs."""
        for (name, cell), (bound, limit) in LIMITS.items():
            hosts, jobs = map(int, cell.split("x"))
            if name not in self.names or (hosts, jobs) not in cells:
                continue
            mine, theirs = (self.wall_s(each, hosts, jobs) for each in (OURS, name))
            ratio = None
            if mine is not None and theirs is not None:
                ratio = mine / theirs if bound == "at_most" else theirs / mine
            words = f"to {name}" if bound == "at_most" else f"{name} to it"
            why = self.why(name)
            tell(f"whole run, {hosts} hosts x {jobs} jobs, {words}", ratio, **{bound: limit}, why=why)  # type: ignore[arg-type]

    def tell_slopes(self, all_hosts: Sequence[int], few: int, many: int) -> None:
        """Print the targets of one more job."""
        for hosts in all_hosts:
            mine, bare = (self.slopes(name, hosts, few, many) for name in (OURS, "bare"))
            if mine is None:
                continue
            tell(f"CPU here a job, {hosts} hosts", mine[1], at_most=0.10, unit="ms")
            ratio = None if bare is None else mine[0] / bare[0]
            tell(f"one more job, {hosts} hosts, to bare", ratio, at_most=1.19, why=self.why("bare"))
        for name, limit in CPU_LIMITS.items():
            hosts = min(all_hosts) if name == "mitogen" else max(all_hosts)
            mine, theirs = (self.slopes(each, hosts, few, many) for each in (OURS, name))
            if name in self.names and mine is not None:
                ratio = None if theirs is None else theirs[1] / mine[1]
                words = f"CPU here a job, {hosts} hosts, {name} to it"
                tell(words, ratio, at_least=limit, why=self.why(name))

    def why(self, name: str) -> str:
        """Say why there is no figure."""
        return f"{name} {self.troubles.get(name, 'was left out')}"


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="10,50")
    parser.add_argument("--jobs", default="10,50")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="some of " + ", ".join(CONTENDERS))
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(CONTENDERS)
    if unknown := set(names) - set(CONTENDERS):
        parser.error(f"nobody is called {', '.join(sorted(unknown))}")
    all_hosts = [int(n) for n in asked.hosts.split(",")]
    all_jobs = sorted({int(n) for n in asked.jobs.split(",")})
    few, many = all_jobs[0], all_jobs[-1]
    table = Table(names, asked.rounds)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what daemons leave becomes our child
    with serving() as server:
        for hosts in all_hosts:
            for jobs in all_jobs:
                table.take(server, hosts, jobs)
                table.show(hosts, jobs)
            if few != many:
                table.show_slopes(hosts, few, many)
    print()
    table.tell([(hosts, jobs) for hosts in all_hosts for jobs in all_jobs])
    if few != many:
        table.tell_slopes(all_hosts, few, many)


if __name__ == "__main__":
    main()
