#!/usr/bin/env python3
"""How soon an agent answers where no process is started, and what one more such job costs with many agents.

    python bench/latency.py [ROUNDS [AGENTS [JOBS]]]

First one agent over SSH, 300 jobs one after the other: from the event of its start to that of its end, beside `bare`,
which is ours without an engine, and `cat` at the end of a channel. Then AGENTS (50) with JOBS (30) on each: what all of
them take, for each job, in stages of a procedure that does nothing, of `builtins.sleep: 0`, and of one with templates
that sets a variable. Needs sshd.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from paired import tell
from sshd import Server, addresses, serving

PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
CONTENDERS = Path(__file__).resolve().parent / "contenders"
ONE = 300
NOOP = '''
from octogram_agentd.procedures.base import Field, Procedure


class Noop(Procedure):
    """Does nothing."""

    procedure = "own.noop"
    short = "text"
    result = {"text": "str: what it was given"}

    text = Field("str", "anything", default="")

    async def run(self, context):
        return {"text": self.text}
'''
KINDS = {
    "a procedure that does nothing": "own.noop: ''",
    "builtins.sleep: 0": "builtins.sleep: 0",
    "templates, and a variable that is set": (
        """own.noop: "{{ agent.name }} {{ var('word_' ~ agent.name) }}", """
        "vars_updates: {'word_{{ agent.name }}': {value: '{{ res.text[:1] }}'}}"
    ),
}


def scenario(folder: Path, agents: int, jobs: int, kinds: dict[str, str]) -> Path:
    """Write a stage for each kind of job."""
    (folder / "noop.py").write_text(NOOP)
    words = ", ".join(f"word_a{n}: w" for n in range(agents))
    lines = ["procedures: [noop.py]", f"vars: {{{words}}}", "agents:"]
    lines += [f"  - {{name: a{n}, address: {address}}}" for n, address in enumerate(addresses(agents))]
    lines += ["stages:"]
    for stage, job in kinds.items():
        lines += [f"  - name: '{stage}'", "    jobs:"]
        lines += [f"      - {{name: job {n}, {job}}}" for n in range(jobs)]
    path = folder / "scenario.yml"
    path.write_text("\n".join(lines) + "\n")
    return path


def events_of(path: Path, server: Server, folder: Path) -> list[dict[str, Any]]:
    """Run a scenario, and give what it told."""
    events = folder / "events.jsonl"
    events.unlink(missing_ok=True)
    command = [PROGRAM, str(path), "--headless", "-q", "--ssh-config", str(server.config), "--events", str(events)]
    home = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=home, check=True)
    return [json.loads(line) for line in events.read_text().splitlines()]


def round_trip_ms(events: list[dict[str, Any]]) -> float:
    """Give the median from the start of an instance to its end."""
    started: dict[str, float] = {event["key"]: event["at_s"] for event in events if event["type"] == "job_started"}
    took_s = [event["at_s"] - started[event["key"]] for event in events if event["type"] == "job_finished"]
    return float(statistics.median(took_s) * 1000)


def each_ms(events: list[dict[str, Any]], stage: str) -> float:
    """Give what all jobs of a stage took together, for each."""
    of_stage = [event for event in events if event.get("stage") == stage and event["type"].startswith("job_")]
    ended: list[float] = [event["at_s"] for event in of_stage if event["type"] == "job_finished"]
    began: float = min(event["at_s"] for event in of_stage)
    return (max(ended) - began) / len(ended) * 1000


def contender(name: str, server: Server, *words: str) -> Any:
    """Run one of the contenders, and give what it printed."""
    command = [sys.executable, str(CONTENDERS / f"{name}.py"), str(server.folder), str(server.port), *words]
    return json.loads(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout)


def table(title: str, found: dict[str, list[float]]) -> dict[str, float]:
    """Print medians and their ratios to the first; gives the ratios."""
    first = statistics.median(next(iter(found.values())))
    print(f"\n{title}\n\n| what | median ms | min | max | ratio |\n|---|---|---|---|---|")
    ratios = {name: statistics.median(values) / first for name, values in found.items()}
    for name, values in found.items():
        spread = f"{statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f}"
        print(f"| {name} | {spread} | {ratios[name]:.2f} x |")
    return ratios


def main() -> None:
    """Compare."""
    rounds, agents, jobs = [int(word) for word in sys.argv[1:]] + [3, 50, 30][len(sys.argv) - 1 :]
    trips: dict[str, list[float]] = {"bare": [], "`cat` at the end of a channel": [], "octogram-tui": []}
    each: dict[str, list[float]] = {"bare": [], **{kind: [] for kind in KINDS}}
    with serving() as server, tempfile.TemporaryDirectory() as name:
        one, many = Path(name, "one"), Path(name, "many")
        one.mkdir()
        many.mkdir()
        alone = scenario(one, 1, ONE, dict([next(iter(KINDS.items()))]))
        together = scenario(many, agents, jobs, KINDS)
        for turn in range(rounds + 1):
            seen = {
                "bare": contender("bare", server, "1", str(ONE), "")["median_s"] * 1000,
                "`cat` at the end of a channel": contender("echo", server, str(ONE)) * 1000,
                "octogram-tui": round_trip_ms(events_of(alone, server, one)),
            }
            bare = contender("bare", server, str(agents), str(jobs), "")["jobs_s"] / agents / jobs * 1000
            events = events_of(together, server, many)
            if turn:  # the first round warms caches
                for who, took_ms in seen.items():
                    trips[who].append(took_ms)
                each["bare"].append(bare)
                for kind in KINDS:
                    each[kind].append(each_ms(events, kind))
    trip = table(f"One agent over SSH: from asking to the answer ({rounds} rounds of {ONE} jobs)", trips)
    ratios = table(
        f"A job that starts no process, {agents} agents over SSH ({rounds} rounds of {jobs} jobs each)", each
    )
    print()
    took_ms = statistics.median(trips["octogram-tui"])
    tell("one agent's round trip, median", took_ms, at_most=0.40, unit="ms")
    tell("one agent's round trip, median, to bare", trip["octogram-tui"], at_most=1.25)
    for kind in KINDS:
        tell(f"a job of {agents} agents that starts no process ({kind}), to bare", ratios[kind], at_most=1.9)


if __name__ == "__main__":
    main()
