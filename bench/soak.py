"""Lets a run go on for long, cuts its connections all the while, and says what grows: `python bench/soak.py MINUTES`.

Ten agents on this machine do short jobs without a pause, with log lines and results; every few seconds the bridge of
one of them is killed, as a cut connection does it. Memory, descriptors and threads of the orchestrator's process, and
memory and descriptors of the daemons, are compared between the second and the last tenth of the time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

AGENTS = 10
EVERY_S = 5.0
SCENARIO = """
agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]
vars: {{n: 0}}
stages:
  - name: soak
    jobs:
      - name: work
        with_items: "{{{{ range({items}) }}}}"
        builtins.shell: "sleep 0.2; echo line {{{{ item }}}}; echo more >&2"
"""


def main() -> int:
    """Run, sample, compare. Gives an exit code."""
    parser = argparse.ArgumentParser(description="let a run go on for long, and see what grows")
    parser.add_argument("minutes", type=float, nargs="?", default=60.0)
    parser.add_argument("--cut-every", type=float, default=3.0, metavar="SECONDS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="octogram-soak-") as directory:
        return _soak(Path(directory), given.minutes * 60, given.cut_every)


def _soak(home: Path, duration_s: float, cut_every_s: float) -> int:
    scenario = home / "soak.yml"
    scenario.write_text(SCENARIO.format(agents=AGENTS, items=100_000))
    environment = {**os.environ, "HOME": str(home)}
    for name in [name for name in environment if name.startswith("XDG_")]:
        del environment[name]
    argv = [sys.executable, "-m", "octogram_tui", str(scenario), "--headless", "--run-dir", str(home / "run")]
    run = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=home)
    samples: list[dict[str, float]] = []
    cuts = 0
    end_s = time.monotonic() + duration_s
    next_cut_s = next_sample_s = time.monotonic() + 5
    while time.monotonic() < end_s and run.poll() is None:
        time.sleep(0.2)
        now_s = time.monotonic()
        if now_s > next_cut_s:
            next_cut_s = now_s + cut_every_s
            cuts += _cut_one(run.pid)
        if now_s > next_sample_s:
            next_sample_s = now_s + EVERY_S
            samples.append(_sample(run.pid, home))
    if run.poll() is not None:
        print(f"the run ended by itself with {run.returncode}: {run.stderr.read().decode() if run.stderr else ''}")
        return 1
    run.send_signal(signal.SIGINT)
    code = run.wait(60)
    _report(samples, cuts, duration_s, code)
    return 0


def _cut_one(host: int) -> int:
    """Kill the bridge of one agent, picked at random."""
    bridges = [pid for pid in _children(host) if b"attach" in _read(f"/proc/{pid}/cmdline")]
    if bridges:
        os.kill(random.choice(bridges), signal.SIGKILL)
    return bool(bridges)


def _sample(host: int, home: Path) -> dict[str, float]:
    daemons = [pid for pid in _of_home(home) if pid != host and b"attach" in _read(f"/proc/{pid}/cmdline")]
    journal = home / "run/journal.jsonl"
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - 100_000))
        last = [line for line in file.read().split(b"\n") if b'"seq":' in line][-1]
    return {
        "event": int(last.split(b'"seq":')[1].split(b",")[0]),
        "journal_bytes": journal.stat().st_size,
        "host_rss": _rss(host),
        "host_fds": _count(f"/proc/{host}/fd"),
        "host_threads": _count(f"/proc/{host}/task"),
        "daemons": len(daemons),
        "daemon_rss": statistics.median([_rss(pid) for pid in daemons] or [0]),
        "daemon_fds": statistics.median([_count(f"/proc/{pid}/fd") for pid in daemons] or [0]),
    }


def _report(samples: list[dict[str, float]], cuts: int, duration_s: float, code: int) -> None:
    tenth = max(1, len(samples) // 10)
    early, late = samples[tenth : 2 * tenth], samples[-tenth:]

    def middle(which: list[dict[str, float]], name: str) -> float:
        return statistics.median(sample[name] for sample in which)

    print(f"{duration_s / 60:g} min, {AGENTS} agents, {cuts} cut connections, exit {code}")
    for name in samples[0]:
        print(f"{name:24} {middle(early, name):14.1f} -> {middle(late, name):14.1f}")


def _children(pid: int) -> list[int]:
    found = []
    for thread in _list(f"/proc/{pid}/task"):
        found += [int(word) for word in _read(f"/proc/{pid}/task/{thread}/children").split()]
    return found


def _of_home(home: Path) -> list[int]:
    mine = f"HOME={home}".encode()
    return [
        int(name)
        for name in os.listdir("/proc")
        if name.isdigit() and mine in _read(f"/proc/{name}/environ").split(b"\0")
    ]


def _rss(pid: int) -> float:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _count(path: str) -> int:
    return len(_list(path))


def _list(path: str) -> list[str]:
    return _or(lambda: os.listdir(path), [])


def _read(path: str) -> bytes:
    return _or(lambda: Path(path).read_bytes(), b"")


def _or(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except OSError:
        return otherwise


if __name__ == "__main__":
    sys.exit(main())
