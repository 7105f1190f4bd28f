#!/usr/bin/env python3
"""What it saves that an agent holds its next job while it has one: the same run with look-ahead, and without.

    python bench/ahead.py [ROUNDS]

Both run J times /bin/true, one after the other, on each of N agents. A job's cost is what passes between the beginning
of the first and the end of the last, as the journal has it, over all of them: no start and no end is in it. CPU is that
of the whole run, all processes. The last row has an agent behind a way of 10 ms each way: a relay keeps every byte for
so long. There a job costs a round trip without look-ahead, and half of one with it.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from paired import cpu_seconds_of, tell

CASES = ((1, 300, False), (10, 60, False), (50, 20, False), (1, 40, True))  # agents, jobs, is far
PROGRAM = """
import sys
from octogram_tui.commands.invocation import Invocation
from octogram_tui.__main__ import main
if sys.argv.pop(1) == "off":
    options = Invocation.options
    def without(self, run):
        found = options(self, run)
        object.__setattr__(found, "look_ahead", False)
        return found
    Invocation.options = without
sys.exit(main())
"""
RELAY = """
import os, subprocess, sys, threading, time
LATER_S = 0.01
def carry(source, sink):
    waiting, more = [], threading.Condition()
    def write():
        while True:
            with more:
                while not waiting:
                    more.wait()
                due_s, data = waiting.pop(0)
            time.sleep(max(0, due_s - time.monotonic()))
            if not data:
                os.close(sink)
                return
            os.write(sink, data)
    threading.Thread(target=write).start()
    while True:
        data = os.read(source, 65536)
        with more:
            waiting.append((time.monotonic() + LATER_S, data))
            more.notify()
        if not data:
            return
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
threading.Thread(target=carry, args=(0, os.dup(child.stdin.fileno())), daemon=True).start()
child.stdin.close()
carry(child.stdout.fileno(), 1)
child.wait()
"""


def scenario(folder: Path, agents: int, jobs: int, *, is_far: bool) -> str:
    """Write a scenario of so many jobs on so many agents."""
    path = folder / f"{agents}-{jobs}-{is_far}.yml"
    relay = folder / "relay.py"
    relay.write_text(RELAY)
    way = f"transport: command, command: ['{sys.executable}', '{relay}']" if is_far else "transport: local"
    lines = [f"agents: [{{name: 'a_{{1..{agents}}}', {way}}}]", "stages:", "  - name: all", "    jobs:"]
    lines += [f"      - {{name: job {n}, builtins.command: [/bin/true]}}" for n in range(jobs)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def measured(how: str, path: str, events: Path) -> tuple[float, float]:
    """Give the milliseconds that a job of a run takes, and the CPU seconds of all of it."""
    events.unlink(missing_ok=True)
    cpu_s = cpu_seconds_of([sys.executable, "-c", PROGRAM, how, path, "--headless", "-q", "--events", str(events)])
    told = [json.loads(line) for line in events.read_text().splitlines() if '"type":"job_' in line]
    ends = [event["at_s"] for event in told if event["type"] == "job_finished"]
    return (max(ends) - min(event["at_s"] for event in told)) * 1000 / len(ends), cpu_s


def main() -> None:
    """Compare, and print what a job costs."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| agents | look-ahead | a job, ms: median | min | max | CPU of the run, s: median | ratio of the medians |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for agents, jobs, is_far in CASES:
            path = scenario(folder, agents, jobs, is_far=is_far)
            found: dict[str, list[tuple[float, float]]] = {"off": [], "on": []}
            for _ in range(rounds):
                for how, figures in found.items():
                    figures.append(measured(how, path, folder / "e.jsonl"))
            medians = {how: [statistics.median(column) for column in zip(*f, strict=True)] for how, f in found.items()}
            where = f"{agents}, 10 ms away" if is_far else str(agents)
            for how, figures in found.items():
                walls = [wall for wall, _ in figures]
                ratio = medians[how][0] / medians["off"][0]
                figure = f"{medians[how][0]:.3f} | {min(walls):.3f} | {max(walls):.3f} | {medians[how][1]:.2f}"
                print(f"| {where} | {how} | {figure} | {ratio:.2f} x |")
            ratio, most = medians["on"][0] / medians["off"][0], 0.65 if is_far else 1.05  # fifty keep two cores busy
            tell(f"a job with look-ahead to without, agents: {where}", ratio, at_most=most)


if __name__ == "__main__":
    main()
