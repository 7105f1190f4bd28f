#!/usr/bin/env python3
"""How soon the first job has ended: of a program that was just called, and of fifty agents that are ready.

    python bench/first.py [ROUNDS [AGENTS]]

Called without a console, with one local agent and with one over SSH: from outside, until the event of the job's end is
written, beside the bare interpreter. Over SSH it is beside `bare` too, which is ours without an engine: what that takes
from its first packet to an agent that is ready is called connecting. Then AGENTS (50) local agents: from the last one's
being ready until the first job has ended somewhere, and on all of them, beside as many bare posix_spawn, shared by as
many processes as there are cores.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sshd
from paired import compare, seconds_of, tell

HERE = Path(__file__).resolve().parent
PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
ENDED = b'"type":"job_finished"'
SPAWNS = """
import os, sys, time
count, cores = int(sys.argv[1]), len(os.sched_getaffinity(0))
def work(count):
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
work(2)
started_s = time.perf_counter()
children = []
for core in range(cores):
    child = os.fork()
    if not child:
        work(len(range(core, count, cores)))
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print(time.perf_counter() - started_s)
"""


def scenario(path: Path, agents: str) -> str:
    """Write a scenario of one trivial job."""
    path.write_text(f"agents: [{agents}]\nstages: [{{name: s, jobs: [{{name: j, builtins.command: [/bin/true]}}]}}]\n")
    return str(path)


def until_ended(path: str, *options: str) -> float:
    """Time a call until it has told of a job's end; it may then come to its own."""
    read_end, write_end = os.pipe()
    started_s = time.perf_counter()
    command = [PROGRAM, path, "--headless", "-q", "--events", f"/dev/fd/{write_end}", *options]
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[write_end]
    )
    os.close(write_end)
    seen = b""
    while ENDED not in seen:
        if not (data := os.read(read_end, 65536)):
            raise RuntimeError(f"no job has ended: {program.communicate()[1].decode()[-400:]}")
        seen += data
    took_s = time.perf_counter() - started_s
    while os.read(read_end, 65536):
        pass
    os.close(read_end)
    program.communicate()
    return took_s


def from_ready(path: str, folder: Path) -> tuple[float, float]:
    """Give the seconds from the last agent that is ready to the first end of the job, and to its end on all."""
    events = folder / "events.jsonl"
    events.unlink(missing_ok=True)
    seconds_of([PROGRAM, path, "--headless", "-q", "--events", str(events)])
    seen: list[dict[str, Any]] = [json.loads(line) for line in events.read_text().splitlines()]
    ready_s = max(event["at_s"] for event in seen if event["type"] == "agent_ready")
    ended_s = [event["at_s"] for event in seen if event["type"] == "job_finished"]
    return min(ended_s) - ready_s, max(ended_s) - ready_s


def spawns(count: int) -> float:
    """Time so many bare ones."""
    command = [sys.executable, "-ISc", SPAWNS, str(count)]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def calls(folder: Path, rounds: int) -> None:
    """Compare calls."""
    local = scenario(folder / "local.yml", "{name: a, transport: local}")
    timed: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: seconds_of([sys.executable, "-c", "pass"]),
        "first job's end, local": lambda: until_ended(local),
    }
    connecting: list[float] = []
    with contextlib.ExitStack() as stack:
        if sshd.is_there():
            server = stack.enter_context(sshd.serving())
            over_ssh = scenario(folder / "ssh.yml", "{name: a, address: 127.0.1.1}")
            timed["bare over SSH, to its end"] = lambda: bare(server, connecting)
            timed["first job's end, over SSH"] = lambda: until_ended(over_ssh, "--ssh-config", str(server.config))
        seen_s = compare("From the call to the first job's end", timed, rounds)
    base_s = seen_s["python -c pass"]
    over_s = seen_s.get("first job's end, over SSH")
    ratio = None if over_s is None else (over_s - statistics.median(connecting)) / base_s
    if connecting:
        print(f"\nof bare over SSH, connecting: {statistics.median(connecting):.3f} s")
    print()
    tell("a call's first job, local, to the interpreter", seen_s["first job's end, local"] / base_s, at_most=12.6)
    tell(
        "a call's first job, over SSH, less connecting, to the interpreter", ratio, at_most=26.4, why="there is no sshd"
    )


def bare(server: sshd.Server, connecting: list[float]) -> float:
    """Time the contender, and note what connecting takes of it."""
    command = [sys.executable, str(HERE / "contenders" / "bare.py"), str(server.folder), str(server.port), "1", "1"]
    started_s = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    connecting.append(json.loads(done.stdout)["ready_s"])
    return time.perf_counter() - started_s


def many(folder: Path, agents: int, rounds: int) -> None:
    """Compare what passes from the last agent's being ready."""
    path = scenario(folder / "many.yml", f"{{name: 'a_{{1..{agents}}}', transport: local}}")
    found: dict[str, list[float]] = {f"{agents} posix_spawn": [], "the first end": [], "the job's end on all": []}
    for turn in range(rounds + 1):
        seen = (spawns(agents), *from_ready(path, folder))
        if turn:
            for took, one_s in zip(found.values(), seen, strict=True):
                took.append(one_s * 1000)
    base_ms = statistics.median(next(iter(found.values())))
    print(f"\nFrom {agents} agents ready to the first job's end ({rounds} rounds)\n")
    print("| what | median ms | min | max | ratio |\n|---|---|---|---|---|")
    for name, took in found.items():
        middle = statistics.median(took)
        print(f"| {name} | {middle:.1f} | {min(took):.1f} | {max(took):.1f} | {middle / base_ms:.2f} x |")
    print()
    for name in ("the first end", "the job's end on all"):
        words = f"from {agents} agents ready to {name}, to as many posix_spawn"
        tell(words, statistics.median(found[name]) / base_ms, at_most=1.3)


def main() -> None:
    """Compare both."""
    rounds, agents = [int(word) for word in sys.argv[1:]] + [5, 50][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = str(Path(name, "state"))
        calls(Path(name), rounds)
        many(Path(name), agents, rounds)


if __name__ == "__main__":
    main()
