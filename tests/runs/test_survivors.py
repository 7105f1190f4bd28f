"""Whatever a job does to outlive its run, and whenever the run is interrupted: nothing is left."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from fixtures_program import Place, events_of, wait_for

SLEEP = str(10_000_000 + os.getpid())
"""How long the jobs here sleep: longer than anything, and by this number they are found again."""

ESCAPES = {
    "detached without an environment": "setsid env -i sh -c 'cd /; exec sleep SLEEP' & echo",
    "daemonized twice": "(setsid env -i sh -c 'cd /; (setsid sleep SLEEP &) &' &) ; echo",
    "ignores TERM": "setsid sh -c \"trap '' TERM HUP INT; sleep SLEEP; sleep SLEEP\" & echo",
    "stopped": "sh -c 'kill -STOP $$; exec sleep SLEEP' & sleep SLEEP",
    "many": "for n in 1 2 3 4 5 6 7 8; do setsid sleep SLEEP & done; echo",
}


def sleepers() -> list[str]:
    """List what the jobs here leave, which no environment and no directory gives away."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if SLEEP.encode() in command and b"octogram" not in command and state not in "ZX":
                found.append(f"{entry.name} {command!r}")
    return found


def any_of(place: Place, name: str) -> list[Path]:
    """Find a file that a job has made in its agent's home."""
    return list(place.home.glob(f".octogram/runs/*/one/home/{name}"))


def scenario(command: str, *, keep: bool) -> str:
    end = "; touch up; while :; do sleep 0.1; done" if keep else "; touch up"
    text = (command.replace("SLEEP", SLEEP) + end).replace('"', '\\"')
    return f"""
agents: [{{name: one, transport: local}}]
stages:
  - name: work
    jobs: [{{name: escape, builtins.shell: "{text}"}}]
"""


@pytest.mark.fault(43, 46)
@pytest.mark.parametrize("how", [name for name in ESCAPES if name != "stopped"])
def test_nothing_outlives_a_run_that_ends_well(place: Place, how: str) -> None:
    done = place.run(str(place.write("s.yml", scenario(ESCAPES[how], keep=False))), "--headless")
    assert done.returncode == 0, done.stdout
    wait_for(lambda: not sleepers(), 30, describe=lambda: f"left: {sleepers()}")


@pytest.mark.parametrize("how", list(ESCAPES))
def test_nothing_outlives_a_run_that_is_interrupted_twice_at_once(place: Place, how: str) -> None:
    process = place.start(str(place.write("s.yml", scenario(ESCAPES[how], keep=how != "stopped"))), "--headless")
    wait_for(sleepers)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    wait_for(lambda: not sleepers(), 30, describe=lambda: f"left: {sleepers()}")


@pytest.mark.fault(57)
@pytest.mark.parametrize("interrupts", [1, 2])
@pytest.mark.parametrize("when", [1, 3, 8, 12])
def test_interrupted_while_its_agents_start(place: Place, when: int, interrupts: int) -> None:
    path = place.write(
        "s.yml",
        """
agents: [{name: 'a_{1..12}', transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.command: [sleep, 'SLEEP']}]}]
""".replace("SLEEP", SLEEP),
    )
    process = place.start(str(path), "--headless")
    wait_for(lambda: sum("attach --run" in line for line in place.processes()) >= when)
    for _ in range(interrupts):
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    place.wait_clean()
    assert not list(place.home.glob(".octogram/runs/*/*"))


@pytest.mark.fault(57)
def test_interrupted_during_a_copy(place: Place) -> None:
    with open(place.home / "big", "wb") as file:
        file.truncate(8 << 30)
    path = place.write(
        "s.yml",
        """
agents: [{name: one, transport: local}]
stages: [{name: s, jobs: [{name: c, copy: {local_path: big, remote_path: big}}]}]
""",
    )
    process = place.start(str(path), "--headless")
    wait_for(lambda: list(place.home.glob(".octogram/runs/*/one/home/.octogram-*")))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    place.wait_clean()
    assert not list(place.home.glob(".octogram/runs/*/*"))


@pytest.mark.fault(57)
def test_interrupted_again_during_an_always_stage(place: Place) -> None:
    path = place.write(
        "s.yml",
        """
agents: [{name: one, transport: local}]
stages:
  - {name: s, jobs: [{name: j, builtins.shell: touch up; exec sleep SLEEP}]}
  - {name: after, always: true, jobs: [{name: j, builtins.shell: touch collecting; exec sleep SLEEP}]}
""".replace("SLEEP", SLEEP),
    )
    process = place.start(str(path), "--headless")
    for name in ("up", "collecting"):
        wait_for(partial(any_of, place, name))
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    place.wait_clean()


@pytest.mark.fault(53, 99)
def test_a_flood_is_bounded_counted_and_delays_nobody(place: Place) -> None:
    path = place.write(
        "s.yml",
        """
agents: [{name: 'a_{1..6}', transport: local}, {name: quick, transport: local}]
stages:
  - name: mixed
    jobs:
      - name: first
        builtins.shell: "if [ {{ agent.name }} = quick ]; then echo hi; else while [ ! -e $HOME/go ]; do
          seq 1 1000; echo 1000 >> $HOME/{{ agent.name }}; done; seq 1 50000; echo 50000 >> $HOME/{{ agent.name }}; fi"
      - name: second
        builtins.shell: "if [ {{ agent.name }} = quick ]; then touch $HOME/go; fi"
""",
    )
    done = place.run(str(path), "--headless", "-q", "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout[-2000:]
    printed: Counter[str] = Counter()
    for event in events_of((place.home / "e.jsonl").read_text()):
        if event["type"] == "job_output":
            printed[event["agent"]] += len(event["lines"]) + event.get("dropped", 0)
    for number in range(1, 7):
        wanted = sum(map(int, (place.home / f"a_{number}").read_text().split()))
        assert printed[f"a_{number}"] == wanted


@pytest.mark.fault(99)
@pytest.mark.longfault
def test_a_hundred_agents_that_flood(place: Place) -> None:
    path = place.write(
        "s.yml",
        """
agents: [{name: 'a_{1..100}', transport: local}]
stages: [{name: s, jobs: [{name: flood, builtins.shell: "yes flooding | head -c 4000000"}]}]
""",
    )
    code, said, most_bytes = place.run_measured(str(path), "--headless", "-q")
    assert code == 0, said[-2000:]
    assert most_bytes < 250 << 20
