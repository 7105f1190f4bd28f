#!/usr/bin/env python3
"""What one more trivial job costs the host in CPU, without agents' processes and sshd, against a bare loop.

python bench/host.py [ROUNDS]

The agents are in this process and answer at once (tests/counts/memory_fleet.py), so many of them in one turn of the
loop as their number says. The bare loop sends the same kind of lines to as many agents and reads their answers as JSON,
with no engine, journal or report. Each round is a process of its own; what the answering takes is in both. Target: with
all that it does the host's own part of a job stays below 0.10 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from paired import tell

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "counts"))

JOBS = 3_000
CASES = ((10, 1), (10, 10), (50, 1), (50, 50))  # agents, and how many of them answer in one turn


def bare_us(agents: int, at_once: int) -> float:
    """Give what one job takes that is a line out and a line in."""
    from memory_fleet import MemoryFleet

    fleet = MemoryFleet(at_once)

    async def run() -> float:
        left = [JOBS // agents] * agents
        done = asyncio.Event()
        transports = fleet.transports()

        class Agent:
            def __init__(self, number: int) -> None:
                self.number = number
                self.seq = 0

            def data_received(self, data: bytes) -> None:
                for line in data.split(b"\n"):
                    if line.startswith(b"{") and json.loads(line)["t"] == "finished":
                        self.next()

            def next(self) -> None:
                if not left[self.number]:
                    if not any(left):
                        done.set()
                    return
                left[self.number] -= 1
                self.seq += 1
                name = f"all/job {self.seq}@a_{self.number}#1"
                arguments = {"argv": ["/bin/true"], "expect": 0}
                message = {"t": "run", "id": name, "procedure": "builtins.command", "args": arguments}
                line = json.dumps({**message, "seq": self.seq}, separators=(",", ":"))
                channels[self.number].write(line.encode() + b"\n")

        ones = [Agent(number) for number in range(agents)]
        way = transports.transport_for(None)  # type: ignore[arg-type]
        channels = [await way.open(["OCTO 0123456789abcdef"], one) for one in ones]  # type: ignore[arg-type]
        await asyncio.sleep(0)
        started_s = time.process_time()
        for one in ones:
            one.next()
        await done.wait()
        return time.process_time() - started_s

    return asyncio.run(run()) / fleet.jobs * 1e6


def ours_us(agents: int, at_once: int) -> float:
    """Give what one job takes with engine, journal and a report that says nothing."""
    from memory_fleet import MemoryFleet, run_hosted

    fleet = MemoryFleet(at_once)
    times: list[float] = []
    fleet.on_first_job = fleet.on_stop = lambda: times.append(time.process_time())
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        if run_hosted(Path(folder), fleet, agents, JOBS // agents):
            raise SystemExit("the run failed")
    return (times[1] - times[0]) / fleet.jobs * 1e6


def main() -> None:
    """Compare, round by round."""
    if len(sys.argv) == 4:  # one round, in a process of its own
        sides = {"bare": bare_us, "host": ours_us}
        print(sides[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3])))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"CPU of one more job, µs ({rounds} rounds of {JOBS} jobs)\n")
    print("| agents | answer at once | bare median (min-max) | host median (min-max) | host - bare | ratio |")
    print("|---|---|---|---|---|---|")
    own_us = {}
    for agents, at_once in CASES:
        found: dict[str, list[float]] = {"bare": [], "host": []}
        for _ in range(rounds):
            for side, times in found.items():
                command = [sys.executable, __file__, side, str(agents), str(at_once)]
                times.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        bare, host = (statistics.median(found[side]) for side in found)
        spreads = (f"{statistics.median(t):.0f} ({min(t):.0f}-{max(t):.0f})" for t in found.values())
        print(f"| {agents} | {at_once} | {' | '.join(spreads)} | {host - bare:.0f} | {host / bare:.1f} x |", flush=True)
        own_us[agents, at_once] = host - bare
    print()
    for (agents, at_once), spent_us in own_us.items():
        what = f"the host's own part of a job, {agents} agents, {at_once} answering at once"
        tell(what, spent_us / 1000, at_most=0.1, unit="ms")


if __name__ == "__main__":
    main()
