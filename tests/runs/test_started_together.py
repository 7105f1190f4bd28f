"""Agents that share a machine and are started by one process there: over a real server, and killed amid it."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from fixtures_program import Place, events_of, wait_for
from fixtures_ssh import ServerFactory, SshServer

AGENTS = 10
SCENARIO = """
agents: [{name: 'a_{1..10}', ADDRESS}]
stages: [{name: s, jobs: [{name: j, builtins.shell: 'echo . >> MARKS'}]}]
"""


def scenario(place: Place, address: str) -> tuple[str, Path]:
    marks = place.home / "marks"
    return str(place.write("s.yml", SCENARIO.replace("ADDRESS", address).replace("MARKS", str(marks)))), marks


def run_over(server: SshServer, place: Place) -> int:
    """Run, and give how many logins had a shell: its start file notes each."""
    shells = server.home / "shells"
    (server.home / ".bashrc").write_text(f"echo . >> {shells}\n")
    path, marks = scenario(place, "address: 127.0.0.1")
    done = place.run(path, "--headless", "--ssh-config", str(server.ssh_config), "--events", "e.jsonl")
    assert done.returncode == 0, done.stdout
    assert marks.read_text() == ".\n" * AGENTS
    ready = [event for event in events_of((place.home / "e.jsonl").read_text()) if event["type"] == "agent_ready"]
    assert len(ready) == AGENTS
    assert not list(server.home.glob(".octogram/runs/*"))
    wait_for(lambda: not server.left_behind(), describe=lambda: f"left: {server.left_behind()}")
    return shells.read_text().count("\n") if shells.exists() else 0


@pytest.mark.sshd
def test_one_login_shell_for_all_agents_of_a_machine(place: Place, openssh_servers: ServerFactory) -> None:
    assert run_over(openssh_servers(), place) <= 1  # none where the login shell is not bash


@pytest.mark.sshd
def test_a_server_that_connects_to_no_socket_starts_each_agent_by_a_shell(
    place: Place, openssh_servers: ServerFactory
) -> None:
    run_over(openssh_servers({"AllowStreamLocalForwarding": "no"}), place)


@pytest.mark.fault(57)
def test_killed_while_its_agents_are_started_together(place: Place) -> None:
    """All that has begun ends by itself, at the latest with the lease."""
    # Its jobs go on, so that it has not ended before it is looked at.
    text = SCENARIO.replace("ADDRESS", "transport: local").replace("echo . >> MARKS", "sleep 600")
    path = str(place.write("s.yml", text))
    place.extra["CI"] = "true"  # whose leases are shorter
    process = place.start(path, "--headless")
    wait_for(lambda: len(place.processes()) > AGENTS)  # half of them, with their guards
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    place.wait_clean(90)
    assert not list(place.home.glob(".octogram/runs/*/*"))


def test_what_starts_them_is_killed_and_they_come_up_all_the_same(place: Place) -> None:
    """It is met as soon as it is seen, and that is before, amid or after its work."""
    path, marks = scenario(place, "transport: local")
    process = place.start(path, "--headless")

    def starter() -> list[int]:
        return [int(line.split()[0]) for line in place.processes() if line.endswith(" start ")]

    wait_for(lambda: starter() or process.poll() is not None)
    for pid in starter():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert marks.read_text() == ".\n" * AGENTS
