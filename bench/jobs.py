#!/usr/bin/env python3
"""What one more trivial job costs on local agents, against the bare system call that it cannot do without.

    python bench/jobs.py [AGENTS [ROUNDS]]

Both sides start J times /bin/true on each of N agents, one after the other on each, all agents at once. The floor is N
processes of Python that do nothing but posix_spawn and wait. The cost of a job is the slope between 10 and 60 jobs.
"""

from __future__ import annotations

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


def scenario(folder: Path, agents: int, jobs: int) -> str:
    """Write a scenario of so many jobs on so many agents."""
    path = folder / f"jobs-{jobs}.yml"
    lines = [f"agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]", "stages:", "  - name: all", "    jobs:"]
    lines += [f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(jobs)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def main() -> None:
    """Compare, and print the slopes."""
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
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
