#!/usr/bin/env python3
"""What one more trivial job costs on local agents, against the bare system call that it cannot do without.

    python bench/jobs.py [AGENTS [ROUNDS]]
    python bench/jobs.py first [AGENTS [ROUNDS]]

Both sides start J times /bin/true on each of N agents, one after the other on each, all agents at once. The floor is N
processes of Python that do nothing but posix_spawn and wait. The cost of a job is the slope between 10 and 60 jobs.

`first` takes the time from when all agents are ready to the first job's end, and to that of each agent's first one, as
the journal has them, beside as many bare posix_spawns, waited for. Target: the first end within 1.3 of those.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from paired import compare, seconds_of, tell

FEW, MANY = 10, 60
PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
FLOOR = """
import os, sys
def work(jobs):
    for _ in range(jobs):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
agents, jobs = int(sys.argv[1]), int(sys.argv[2])
children = []
for _ in range(agents):
    child = os.fork()
    if not child:
        work(jobs)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""

SPAWN = """
import os, sys, time
started_s = time.perf_counter()
for pid in [os.posix_spawn("/bin/true", ["true"], os.environ) for _ in range(int(sys.argv[1]))]:
    os.waitpid(pid, 0)
print(time.perf_counter() - started_s)
"""


def scenario(folder: Path, agents: int, jobs: int) -> str:
    """Write a scenario of so many jobs on so many agents."""
    path = folder / f"jobs-{jobs}.yml"
    lines = [f"agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]", "stages:", "  - name: all", "    jobs:"]
    lines += [f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(jobs)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def first_ends_s(path: str, folder: Path) -> tuple[float, float]:
    """Give after what time the first job ended, and the first one of each agent, from when all agents were ready."""
    with tempfile.TemporaryDirectory(dir=folder) as run_dir:
        seconds_of([PROGRAM, path, "--headless", "-q", "--run-dir", f"{run_dir}/run"])
        lines = Path(run_dir, "run", "journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    ready_s = max(event["at_s"] for event in events if event["type"] == "agent_ready")
    first_s: dict[str, float] = {}
    for event in events:
        if event["type"] == "job_finished":
            first_s.setdefault(event["agent"], event["at_s"] - ready_s)
    return min(first_s.values()), max(first_s.values())


def tell_first(agents: int, rounds: int) -> None:
    """Compare the first jobs with bare processes."""
    found: dict[str, list[float]] = {"posix_spawn and wait": [], "first job's end": [], "each agent's first": []}
    with tempfile.TemporaryDirectory() as folder:
        path = scenario(Path(folder), agents, FEW)
        for _ in range(rounds):
            command = [sys.executable, "-c", SPAWN, str(agents)]
            bare_s = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for times, spent_s in zip(found.values(), (bare_s, *first_ends_s(path, Path(folder))), strict=True):
                times.append(spent_s)
    medians = [statistics.median(times) for times in found.values()]
    print(f"\n{agents} agents, from when all are ready ({rounds} rounds)\n")
    print("| what | median ms | min ms | max ms | ratio |\n|---|---|---|---|---|")
    for (name, times), median_s in zip(found.items(), medians, strict=True):
        spread = f"{median_s * 1e3:.0f} | {min(times) * 1e3:.0f} | {max(times) * 1e3:.0f}"
        print(f"| {name} | {spread} | {median_s / medians[0]:.2f} x |")
    print()
    tell(f"the first job's end of {agents} agents, to as many posix_spawns", medians[1] / medians[0], at_most=1.3)


def main() -> None:
    """Compare, and print the slopes."""
    is_first = sys.argv[1:2] == ["first"]
    given = [int(word) for word in sys.argv[1 + is_first :]]
    agents = given[0] if given else 50 if is_first else 10
    rounds = given[1] if len(given) > 1 else 5
    if is_first:
        tell_first(agents, rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = {jobs: scenario(Path(folder), agents, jobs) for jobs in (FEW, MANY)}
        medians = compare(
            f"{agents} agents, /bin/true",
            {
                f"floor, {FEW} jobs": lambda: seconds_of([sys.executable, "-c", FLOOR, str(agents), str(FEW)]),
                f"floor, {MANY} jobs": lambda: seconds_of([sys.executable, "-c", FLOOR, str(agents), str(MANY)]),
                f"octogram-tui, {FEW} jobs": lambda: seconds_of([PROGRAM, paths[FEW], "--headless", "-q"]),
                f"octogram-tui, {MANY} jobs": lambda: seconds_of([PROGRAM, paths[MANY], "--headless", "-q"]),
            },
            rounds,
        )
    floor, ours = (
        (medians[f"{name}, {MANY} jobs"] - medians[f"{name}, {FEW} jobs"]) / (agents * (MANY - FEW)) * 1000
        for name in ("floor", "octogram-tui")
    )
    print(f"\none more job: {ours:.3f} ms, floor {floor:.3f} ms, ratio {ours / floor:.2f} x\n")
    tell(f"one more job on {agents} local agents, to posix_spawn and wait", ours / floor, at_most=2.1)


if __name__ == "__main__":
    main()
