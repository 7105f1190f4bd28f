#!/usr/bin/env python3
"""Where the time of a whole run over SSH goes, from the interpreter's start to its end, beside the bare prototype's.

    python bench/timeline.py [HOSTS [JOBS [ROUNDS]]]

Medians, in ms since the process was started, and the CPU that it had taken by then. Both are run in turns, by the same
interpreter, which notes when it first connects, and what it had read before.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from paired import tell
from sshd import Server, addresses, serving

HERE = Path(__file__).resolve().parent
MOMENTS = (
    "interpreter up",
    "asyncssh's import",
    "first connection",
    "journal opened",
    "first agent ready",
    "last agent ready",
    "first job's end",
    "last job's end",
    "last agent stopped",
    "exit",
)
OF_EVENTS = {
    "agent_ready": ("first agent ready", "last agent ready"),
    "job_finished": ("first job's end", "last job's end"),
    "agent_stopped": ("", "last agent stopped"),
}

NOTE = """
import atexit, json, os, sys, time
begun_s, out = float(os.environ["BEGUN"]), os.environ["MOMENTS"]
seen = {}
def note(what):
    seen[what] = (time.time() - begun_s) * 1000, time.process_time() * 1000
def first(what):
    if what not in seen:
        note(what)
def hear(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        first("first connection")
    elif event == "open" and str(arguments[0]).endswith("journal.jsonl"):
        first("journal opened")
    elif event == "import" and arguments[0] == "asyncssh":
        first("asyncssh's import")
note("interpreter up")
sys.addaudithook(hear)
atexit.register(lambda: json.dump(seen, open(out, "w")))
"""
OURS = NOTE + "from octogram_tui.cli import main\nsys.exit(main())\n"
BARE = (
    NOTE
    + """
import asyncio
import bare
start, work = bare.Agent.start, bare.Agent.work
async def noted_start(self, connection):
    await start(self, connection)
    first("first agent ready")
    note("last agent ready")
async def noted_work(self, jobs, argv):
    took_s = await work(self, jobs, argv)
    note("last job's end")
    return took_s
bare.Agent.start, bare.Agent.work = noted_start, noted_work
asyncio.run(bare.main(sys.argv[1], *map(int, sys.argv[2:5]), ["/bin/true"]))
"""
)

Seen = dict[str, tuple[float, float | None]]
"""A moment's ms, and the CPU by then where that is known."""


def run(program: str, arguments: list[str], folder: Path) -> Seen:
    """Run one side; gives when it came to what. Raises CalledProcessError."""
    moments = folder / "moments.json"
    begun_s = time.time()
    environment = {
        **os.environ,
        "BEGUN": repr(begun_s),
        "MOMENTS": str(moments),
        "PYTHONPATH": str(HERE / "contenders"),
        "XDG_STATE_HOME": str(folder),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(  # from elsewhere: what is installed, not what lies here
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seen: Seen = {"exit": ((time.time() - begun_s) * 1000, None)}
    seen.update({what: (at, cpu) for what, (at, cpu) in json.loads(moments.read_text()).items()})
    return seen


def ours(server: Server, folder: Path, hosts: int, jobs: int) -> Seen:
    """Make a run; what happens in it, its events tell."""
    scenario, events = folder / "scenario.yml", folder / "events.jsonl"
    agents = [{"name": f"a{number}", "address": address} for number, address in enumerate(addresses(hosts))]
    work = [{"name": f"job {number}", "builtins.command": ["/bin/true"]} for number in range(jobs)]
    scenario.write_text(json.dumps({"agents": agents, "stages": [{"name": "all", "jobs": work}]}))
    arguments = [str(scenario), "--headless", "-q", "--ssh-config", str(server.config), "--events", str(events)]
    seen = run(OURS, arguments, folder)
    told: list[dict[str, Any]] = [json.loads(line) for line in events.read_text().splitlines()]
    begins = seen["journal opened"][0]  # the run's clock starts a few ms later
    for kind, (first, last) in OF_EVENTS.items():
        at = [begins + event["at_s"] * 1000 for event in told if event["type"] == kind]
        seen.update({name: (ms, None) for name, ms in ((first, min(at)), (last, max(at))) if name})
    return seen


def main() -> None:
    """Compare."""
    hosts, jobs, rounds = [*map(int, sys.argv[1:]), *(10, 10, 5)[len(sys.argv) - 1 :]]
    seen: dict[str, list[Seen]] = {"bare": [], "ours": []}
    with serving() as server, tempfile.TemporaryDirectory() as name:
        for turn in range(rounds + 1):
            folder = Path(name, str(turn))
            folder.mkdir()
            one = [str(server.folder), str(server.port), str(hosts), str(jobs)]
            found = {"bare": run(BARE, one, folder), "ours": ours(server, folder, hosts, jobs)}
            for side, each in found.items():
                if turn:  # the first warms caches, and leaves our program there
                    seen[side].append(each)
    print(f"\n{hosts} hosts, {jobs} jobs on each ({rounds} rounds), ms since the start\n")
    print("| moment | bare | its CPU | ours | its CPU |")
    print("|---|---|---|---|---|")
    for moment in MOMENTS:
        cells = [cell for side in ("bare", "ours") for cell in cells_of(moment, seen[side])]
        print(f"| {moment} | " + " | ".join(cells) + " |")
    cpu = {
        side: statistics.median(one["first connection"][1] or 0.0 for one in rounds_of)
        for side, rounds_of in seen.items()
    }
    print()
    tell(f"CPU before the first connection, {hosts} hosts, to bare", cpu["ours"] / cpu["bare"], at_most=1.3)


def cells_of(moment: str, rounds: list[Seen]) -> list[str]:
    """Give the time and the CPU of a moment."""
    found = [one[moment] for one in rounds if moment in one]
    cpu = [each[1] for each in found if each[1] is not None]
    return [
        f"{statistics.median(each[0] for each in found):.0f}" if found else "",
        f"{statistics.median(cpu):.0f}" if cpu else "",
    ]


if __name__ == "__main__":
    main()
