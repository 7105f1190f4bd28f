"""The sample in containers, by the real podman: a run, a crash, and a container that goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_containers import Podman
from fixtures_program import ROOT, Place, wait_for

SAMPLE = ROOT / "sample_scenarios" / "containers.yml"
WAITS = """
defaults: {transport: command, command: [podman, exec, -i, '{name}']}
agents: [{name: server}, {name: client}]
stages:
- name: go
  jobs:
  - {name: wait, builtins.wait_for: {file: go, timeout: 100}}
  - {name: last, builtins.command: echo done}
"""

pytestmark = pytest.mark.containers


@pytest.fixture
def place(tmp_path: Path, podman: Podman) -> Iterator[Place]:
    """Give a home from which `podman` is the test's; what a failed test left running in it is ended."""
    home = tmp_path / "operator"
    home.mkdir()
    made = Place(home)
    made.extra.update(PATH=f"{podman.programs}:{made.environment['PATH']}")
    yield made
    made.kill_everything()


def until_empty(podman: Podman, name: str) -> None:
    """Wait until nothing runs in a container: a daemon says that it is done, and only then ends itself."""
    wait_for(lambda: podman.processes(name) == [], describe=lambda: f"left in {name}: {podman.processes(name)}")


def test_the_sample_runs_in_real_containers(podman: Podman, place: Place) -> None:
    done = place.run(str(SAMPLE), "--headless", "--events", "-", "--var", "name=World")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["state"] for event in events if event["type"] == "job_finished"} == {"ok"}
    assert [event["is_clean"] for event in events if event["type"] == "agent_stopped"] == [True, True]
    [greeting] = place.runs_dir.rglob("artifacts/**/greeting.txt")
    assert greeting.read_text() == "Hello World, this is container server.\n"
    for name in podman.names:
        until_empty(podman, name)
        assert not any((podman.directory / name / "root" / ".octogram").rglob("greeting.txt"))


def begin(podman: Podman, place: Place) -> tuple[subprocess.Popen[str], Path]:
    """Start a run whose agents wait for a file `go` in their homes; gives its process and its journal."""
    place.write("s.yml", WAITS)
    run = place.start("s.yml", "--headless", "-v")

    def is_waiting() -> bool:
        journals = list(place.runs_dir.rglob("journal.jsonl"))
        return bool(journals) and journals[0].read_text().count('"job_started"') == 2

    wait_for(is_waiting, describe=lambda: "the jobs do not begin")
    return run, next(place.runs_dir.rglob("journal.jsonl"))


def go(podman: Podman, *names: str) -> None:
    """Have agents go on."""
    for name in names:
        [home] = (podman.directory / name / "root" / ".octogram" / "runs").glob(f"*/{name}/home")
        (home / "go").touch()


def test_a_run_whose_process_died_is_gone_on_with_in_its_containers(podman: Podman, place: Place) -> None:
    first, journal = begin(podman, place)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert podman.processes("server")  # the daemon goes on, and waits for whoever comes
    again = place.start("resume", "last", "--headless", "-v")
    wait_for(lambda: '"run_taken_up"' in journal.read_text(), describe=lambda: "it is not gone on with")
    go(podman, *podman.names)
    said, _ = again.communicate(timeout=100)
    assert again.returncode == 0, said
    assert said.count("stopped, nothing is left of it") == 2
    for name in podman.names:
        until_empty(podman, name)


@pytest.mark.longfault
def test_a_container_that_goes_away_takes_its_agent_with_it(podman: Podman, place: Place) -> None:
    place.extra["CI"] = "1"  # where an agent that is gone is given up sooner
    run, journal = begin(podman, place)
    podman.call("kill", "client")
    go(podman, "server")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 10, said
    assert "✓ last [server]" in said
    assert "agent server stopped, nothing is left of it" in said
    assert "agent client did not confirm that nothing is left" in said
    assert "container state improper" in said
    until_empty(podman, "server")
    assert '"agent_lost"' in journal.read_text()
