#!/usr/bin/env python3
"""How many of the lines that jobs print reach the journal, and what one costs, against a loop that only parses them.

    python bench/logs.py [AGENTS LINES [ROUNDS]]

Each of AGENTS local agents runs `cat` of a file of LINES lines of about 100 bytes, all at once. The contender is the
bare loop: as many `cat` through pipes, each piece of it a JSON line with a list of texts, read with `selectors` and
`json.loads` in one process, and nothing kept. Without arguments: 1 agent x 500,000 lines, 50 x 20,000, 100 x 10,000.

Last of all the orchestrator is held for some seconds while an agent prints, so that lines have to be left out, and what
was left out is fetched from the agent, as `ask RUN log` does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from paired import tell

CASES = ((1, 500_000), (50, 20_000), (100, 10_000))
ROUNDS = 3
HELD_S = 9.0
PIECES = 10
HELD_LINES = 300_000
LATE_S = 60.0
PROGRAM = str(Path(sys.executable).parent / "octogram-tui")
BARE = """
import json, os, selectors, subprocess, sys
agents, path = int(sys.argv[1]), sys.argv[2]
selector, rests, count = selectors.DefaultSelector(), {}, 0
for _ in range(agents):
    pipe = subprocess.Popen(["cat", path], stdout=subprocess.PIPE).stdout
    selector.register(pipe, selectors.EVENT_READ)
    rests[pipe] = b""
while rests:
    for key, _ in selector.select():
        data = os.read(key.fd, 65536)
        if not data:
            selector.unregister(key.fileobj)
            del rests[key.fileobj]
            continue
        *lines, rests[key.fileobj] = (rests[key.fileobj] + data).split(b"\\n")
        for line in lines:
            count += len(json.loads(line)["lines"])
print(count)
"""


class Run(NamedTuple):
    """What came of one run. peak_mib: of the host."""

    came: int
    left_out: int
    wall_s: float
    host_cpu_s: float
    peak_mib: float


def scenario(folder: Path, agents: int, text: Path) -> str:
    """Write a scenario in which so many agents print a file."""
    path = folder / "logs.yml"
    path.write_text(
        f"agents: [{{name: 'a_{{1..{agents}}}', transport: local}}]\n"
        f"stages: [{{name: all, jobs: [{{name: flood, builtins.command: [cat, {text}]}}]}}]\n"
    )
    return str(path)


def ours(path: str, folder: Path) -> Run:
    """Run the scenario headless, and count what its journal has of it."""
    run_dir = Path(tempfile.mkdtemp(dir=folder))
    started_s = time.perf_counter()
    with open(folder / "out", "wb") as out:
        child = subprocess.Popen(
            [PROGRAM, path, "--headless", "-q", "--run-dir", str(run_dir / "run")], stdout=out, stderr=out
        )
        peak_mib = cpu_s = 0.0
        while child.poll() is None:
            peak_mib = max(peak_mib, _peak_mib(child.pid))
            cpu_s = max(cpu_s, _cpu_s(child.pid))
            time.sleep(0.05)
    if child.returncode:
        raise SystemExit((folder / "out").read_text()[-2000:])
    wall_s = time.perf_counter() - started_s
    came = left_out = 0
    for line in (run_dir / "run" / "journal.jsonl").open("rb"):
        if b'"type":"job_output"' in line[:80]:
            record = json.loads(line)
            came += len(record["lines"])
            left_out += record.get("dropped", 0)
    subprocess.run(["rm", "-rf", str(run_dir)], check=True)
    return Run(came, left_out, wall_s, cpu_s, peak_mib)


def _peak_mib(pid: int) -> float:
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def _cpu_s(pid: int) -> float:
    """Give the CPU of one process, without its children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare(agents: int, text: Path) -> float:
    """Time the bare loop; gives its own CPU in seconds."""
    child = subprocess.Popen([sys.executable, "-c", BARE, str(agents), str(text)], stdout=subprocess.DEVNULL)
    cpu_s = 0.0
    while child.poll() is None:
        cpu_s = max(cpu_s, _cpu_s(child.pid))
        time.sleep(0.01)
    return cpu_s


def main() -> None:
    """Compare, and print a table for each case."""
    given = [int(word) for word in sys.argv[1:]]
    cases = (tuple(given[:2]),) if len(given) > 1 else CASES
    rounds = given[2] if len(given) > 2 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        for agents, lines in cases:
            texts = [f"line {number:09} " + "some words of a program's log " * 3 for number in range(lines)]
            text, wrapped = folder / "text", folder / "wrapped"
            text.write_text("".join(line[:99] + "\n" for line in texts))
            with wrapped.open("w") as file:
                for start in range(0, lines, 300):
                    json.dump({"t": "output", "lines": [line[:99] for line in texts[start : start + 300]]}, file)
                    file.write("\n")
            path = scenario(folder, agents, text)
            runs, bares = [], []
            for _ in range(rounds):
                bares.append(bare(agents, wrapped))
                runs.append(ours(path, folder))
            report(agents, lines, runs, bares)
        if len(given) < 2:
            report_fetched(folder)


def report_fetched(folder: Path) -> None:
    """Hold the orchestrator while an agent prints, and count what was left out and what can be fetched of it."""
    text, journal = folder / "text", folder / "held" / "journal.jsonl"
    text.write_text(
        "".join(f"line {n:09} {'some words of a program ' * 4}"[:99] + "\n" for n in range(HELD_LINES // PIECES))
    )
    path = folder / "held.yml"
    flood = f"for piece in $(seq {PIECES}); do sleep 0.6; cat {text}; done"
    path.write_text(
        "agents: [{name: a_1, transport: local}]\n"
        f"stages: [{{name: all, jobs: [{{name: flood, builtins.shell: '{flood}'}}]}}]\n"
    )
    command = [PROGRAM, str(path), "--headless", "-q", "--keep-alive", "--run-dir", str(journal.parent)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(journal, b'"type":"job_started"')
        child.send_signal(signal.SIGSTOP)
        time.sleep(HELD_S)
        child.send_signal(signal.SIGCONT)
        wait_for(journal, b'"type":"job_finished"')
        came, gaps = told_of(journal)
        deadline_s = time.monotonic() + LATE_S
        while came + sum(dropped for _, _, dropped in gaps) < HELD_LINES and time.monotonic() < deadline_s:
            time.sleep(0.5)  # lines come after the end of their job
            came, gaps = told_of(journal)
        left_out = sum(dropped for _, _, dropped in gaps)
        fetched = 0
        for name, gap, _ in gaps:
            ask = [PROGRAM, "ask", str(journal.parent), "log", "a_1", name, f"gap={gap}"]
            fetched += subprocess.run(ask, stdout=subprocess.PIPE, check=True).stdout.count(b"\n")
        subprocess.run([PROGRAM, "ask", str(journal.parent), "stop"], stdout=subprocess.DEVNULL, check=True)
        child.wait()
    finally:
        child.kill()
        child.wait()
    print(f"\n1 agent x {HELD_LINES} lines, the orchestrator held for {HELD_S:g} s: {came} came, {left_out} were left")
    print(f"out in {len(gaps)} gaps, {fetched} of those were fetched from the agent then\n")
    counted = 100 * (came + left_out) / HELD_LINES
    tell("lines that came or are counted, orchestrator held", counted, at_least=100, unit="%")
    share = 100 * fetched / left_out if left_out else 100.0
    tell("lines left out that the agent gives while it lives", share, at_least=100, unit="%")


def told_of(journal: Path) -> tuple[int, list[tuple[str, int, int]]]:
    """Give how many lines came, and of each gap the attempt, its number, and how many lines it is."""
    came = 0
    gaps: list[tuple[str, int, int]] = []
    for line in journal.read_bytes().splitlines():
        if b'"type":"job_output"' in line[:80]:
            record = json.loads(line)
            came += len(record["lines"])
            if record.get("dropped"):
                gaps.append((f"{record['key']}#{record.get('attempt', 1)}", record.get("gap", 0), record["dropped"]))
    return came, gaps


def wait_for(journal: Path, words: bytes) -> None:
    """Wait until a journal has something. Raises TimeoutError after a minute."""
    deadline_s = time.monotonic() + 60
    while not journal.exists() or words not in journal.read_bytes():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the journal has no {words.decode()}")
        time.sleep(0.05)


def report(agents: int, lines: int, runs: list[Run], bares: list[float]) -> None:
    """Print what came of one case."""
    sent = agents * lines
    print(f"\n{agents} agents x {lines} lines ({len(runs)} rounds)\n")
    print("| what | min | median | max |")
    print("|---|---|---|---|")
    rows = {
        "lines that reach the journal, %": [100 * run.came / sent for run in runs],
        "of the rest, counted in gaps, %": [
            100 * run.left_out / (sent - run.came) if run.came < sent else 100.0 for run in runs
        ],
        "lines a second, whole run": [run.came / run.wall_s for run in runs],
        "lines a second of the host's CPU": [run.came / run.host_cpu_s for run in runs],
        "host's CPU a line, us": [1e6 * run.host_cpu_s / run.came for run in runs],
        "bare loop's CPU a line, us": [1e6 * cpu_s / sent for cpu_s in bares],
        "ratio of the two": [run.host_cpu_s / run.came * sent / cpu_s for run, cpu_s in zip(runs, bares, strict=True)],
        "host's peak, MiB": [run.peak_mib for run in runs],
    }
    for what, found in rows.items():
        print(f"| {what} | {min(found):,.2f} | {statistics.median(found):,.2f} | {max(found):,.2f} |")
    arrived = statistics.median(rows["lines that reach the journal, %"])
    print()
    words = f"{agents} agent{'s' * (agents > 1)} x {lines} lines"
    tell(f"lines that reach the journal, {words}", arrived, at_least=90, unit="%")
    counted = min((run.came + run.left_out) / sent for run in runs) * 100
    tell(f"lines that came or are counted, {words}", counted, at_least=100, unit="%")
    rate = statistics.median(rows["lines a second of the host's CPU"]) / 1000
    tell(f"lines taken in, in a second of the host's CPU, {words}", rate, at_least=150, unit="thousand")
    tell(f"the host's peak, {words}", max(rows["host's peak, MiB"]), at_most=200, unit="MiB")


if __name__ == "__main__":
    main()
