#!/usr/bin/env python3
"""What a start costs, each as a ratio to the bare interpreter in the same rounds; reading a large scenario to PyYAML's.

    python bench/start.py [ROUNDS]

--version, check, the quickstart without a console, a job over SSH (where there is an sshd), and the console's first
paint in a pseudo-terminal: CPU of all processes, and the time from outside. Then 1,000 agents and 2,000 jobs: reading
and checking them with the place of every value, against what CSafeLoader takes for the text alone.
"""

from __future__ import annotations

import contextlib
import os
import pty
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import sshd
import yaml
from paired import compare, seconds_of, tell

from octogram_tui.scenario.load import load_scenario

QUICKSTART = str(Path(__file__).resolve().parent.parent / "sample_scenarios" / "quickstart.yml")
PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
PAINTED = b"publish"  # the first stage is in the first picture
AGENTS, JOBS = 1_000, 2_000
OVER_SSH = """
agents: [{name: a, address: 127.0.0.1}]
stages: [{name: s, jobs: [{name: j, builtins.command: [/bin/true]}]}]
"""


def first_paint() -> float:
    """Time a console on a pseudo-terminal until it has drawn the run; the run then ends by itself."""
    started_s = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LINES="50", COLUMNS="160")
        os.execv(PROGRAM, [PROGRAM, QUICKSTART, "--no-preflight", "--no-keep-alive"])
    seen = b""
    while PAINTED not in seen:
        if not select.select([terminal], [], [], 30)[0]:
            raise TimeoutError("the console has drawn nothing")
        seen += os.read(terminal, 65536)
    took_s = time.perf_counter() - started_s
    os.close(terminal)  # the console goes; its run ends by itself
    for _ in range(100):
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        time.sleep(0.05)
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return took_s


def large_scenario() -> str:
    """Write one of which every line has a value to be checked."""
    lines = ["agents:"]
    for number in range(AGENTS):
        lines += [
            f"  - name: agent_{number}",
            f"    address: 10.{number // 250}.1.{number % 250}",
            "    user: octogram",
            f"    port: {2200 + number % 7}",
        ]
    lines += ["vars: {rounds: 3, level: 5}", "stages:"]
    for number in range(JOBS):
        if number % 100 == 0:
            lines += [f"  - name: stage {number // 100}", "    with_agents: ^agent_[0-9]+$", "    jobs:"]
        lines += [
            f"      - name: job {number}",
            f"        builtins.command: [/bin/echo, 'job {number} of {{{{ vars.rounds }}}}']",
            "        timeout: 60",
            "        retries: 2",
        ]
    return "\n".join(lines) + "\n"


def cpu_of_command(command: Sequence[str]) -> float:
    """Give the CPU of one command and of what it waits for; our sshd is a child too, and is not waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds_of(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_of(work: Callable[[], object]) -> float:
    """Give the CPU that a piece of work takes in this process."""
    before_s = time.process_time()
    work()
    return time.process_time() - before_s


def starts(folder: Path) -> dict[str, list[str]]:
    """Give the command line of each kind of start."""
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "--version": [PROGRAM, "--version"],
        "check": [PROGRAM, "check", QUICKSTART],
        "quickstart, headless": [PROGRAM, QUICKSTART, "--headless"],
    }
    if sshd.is_there():
        scenario = folder / "ssh.yml"
        scenario.write_text(OVER_SSH)
        found["a job over SSH"] = [PROGRAM, str(scenario), "--headless", "--ssh-config", str(folder / "ssh_config")]
    return found


def main() -> None:
    """Compare."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    folder = Path(tempfile.mkdtemp(prefix="octogram-bench-"))
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    try:
        with sshd.serving(folder=folder) if sshd.is_there() else contextlib.nullcontext():
            measure(folder, rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, rounds: int) -> None:
    """Compare, with a server that has its files in a folder, where there is one."""
    found = starts(folder)
    cpu_s = compare(
        "CPU of a start, with all that it starts here (not what sshd does)",
        {name: partial(cpu_of_command, command) for name, command in found.items()},
        rounds,
    )
    timed: dict[str, Callable[[], float]] = {name: partial(seconds_of, command) for name, command in found.items()}
    wall_s = compare("Time of a start", {**timed, "console's first paint": first_paint}, rounds)
    text = large_scenario()
    path = folder / "large.yml"
    path.write_text(text)
    read_s = compare(
        f"CPU of reading {AGENTS} agents and {JOBS} jobs, {len(text) >> 10} KiB",
        {
            "CSafeLoader, nothing checked": lambda: cpu_of(lambda: yaml.load(text, yaml.CSafeLoader)),
            "the scenario, checked": lambda: cpu_of(lambda: load_scenario(str(path))),
        },
        rounds,
    )
    print()
    for times, what, name, at_most in (
        (cpu_s, "--version, to the interpreter", "--version", 1.8),
        (cpu_s, "check, to the interpreter", "check", 9.2),
        (wall_s, "the console's first paint, to the interpreter", "console's first paint", 38),
        (read_s, "reading a large scenario, to CSafeLoader", "the scenario, checked", 0.5),
    ):
        tell(what, times[name] / next(iter(times.values())), at_most=at_most)


if __name__ == "__main__":
    main()
