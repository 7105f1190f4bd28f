#!/usr/bin/env python3
"""The orchestrator with very many agents, without their processes: what one more agent, and a job of one, costs here.

    python bench/fleet.py [ROUNDS [JOBS]]

The agents are in the orchestrator's process and answer at once (tests/counts/memory_fleet.py); engine, journal, links
and report are as they are. 100 agents, 1,000 and 10,000 take turns, each in a process of its own, with JOBS (5) trivial
jobs on each agent. The ratios are to 100 agents.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from paired import tell

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "counts"))

SIZES = (100, 1_000, 10_000)


class Taken(NamedTuple):
    """What one run took. CPU in microseconds; pss_mib: when the last job had ended."""

    up_s: float
    up_us: float
    agent_kib: float
    job_us: float
    stop_us: float
    pss_mib: float


COLUMNS = {
    "up_s": "all up, s",
    "up_us": "an agent up, µs CPU",
    "agent_kib": "an agent, KiB",
    "job_us": "a job, µs CPU",
    "stop_us": "an agent stopped, µs CPU",
    "pss_mib": "at the end, MiB",
}
LIMITS = {"up_us": "an agent up, CPU here", "job_us": "a job, CPU here", "stop_us": "an agent stopped, CPU here"}


def pss_kib(pid: int | str = "self") -> int:
    """Give the memory of a process, with its share of what it has in common with others."""
    found = re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def taken(agents: int, jobs: int, ack_every: int) -> Taken:
    """Run once, here."""
    from memory_fleet import MemoryFleet, run_hosted

    from octogram_tui import garbage

    garbage.put_off()  # as the program does
    marks: list[tuple[float, float, int]] = []

    def mark() -> None:
        marks.append((time.perf_counter(), time.process_time(), pss_kib()))

    def mark_stop() -> None:
        if len(marks) < 3:  # all agents are told to stop
            mark()

    fleet = MemoryFleet(ack_every=ack_every)
    make = fleet.transports

    def transports(**options: object) -> object:
        mark()  # the scenario is read, nobody is there yet
        return make(**options)

    fleet.transports, fleet.on_first_job, fleet.on_stop = transports, mark, mark_stop
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        if run_hosted(Path(folder), fleet, agents, jobs):
            raise SystemExit("the run failed")
    mark()
    begun, first, last, end = marks
    return Taken(
        first[0] - begun[0],
        (first[1] - begun[1]) / agents * 1e6,
        (first[2] - begun[2]) / agents,
        (last[1] - first[1]) / fleet.jobs * 1e6,
        (end[1] - last[1]) / agents * 1e6,
        last[2] / 1024,
    )


def apart(agents: int, jobs: int, ack_every: int = 64) -> Taken:
    """Run once, in a process of its own.

    ack_every: after so many jobs an agent says that they have arrived, as daemons do at once when they are idle: until
    then the orchestrator keeps them, to send them again.
    """
    command = [sys.executable, __file__, "one", str(agents), str(jobs), str(ack_every)]
    return Taken(*json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def main() -> None:
    """Compare."""
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(taken(*map(int, sys.argv[2:]))))
        return
    rounds, jobs = [int(word) for word in sys.argv[1:]] + [2, 5][len(sys.argv) - 1 :]
    found: dict[int, list[Taken]] = {agents: [] for agents in SIZES}
    for _ in range(rounds):
        for agents, runs in found.items():
            runs.append(apart(agents, jobs))
    print(f"Agents in memory, {jobs} jobs on each; median (min-max) of {rounds} rounds\n")
    print("| agents | " + " | ".join(COLUMNS.values()) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    medians = {}
    for agents, runs in found.items():
        cells = []
        for name in COLUMNS:
            values = [getattr(run, name) for run in runs]
            medians[agents, name] = statistics.median(values)
            digits = 2 if name == "up_s" else 0
            shown = (f"{value:,.{digits}f}" for value in (medians[agents, name], min(values), max(values)))
            cells.append("{} ({}-{})".format(*shown))
        print(f"| {agents:,} | " + " | ".join(cells) + " |", flush=True)
    print()
    for name, words in LIMITS.items():
        ratio = medians[SIZES[-1], name] / medians[SIZES[0], name]
        tell(f"{words}: {SIZES[-1]:,} agents to {SIZES[0]}", ratio, at_most=1.2)


if __name__ == "__main__":
    main()
