"""Connections that are cut while a run goes on, and right before its end: it costs time, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import Place, events_so_far, send_signal, wait_for
from fixtures_ssh import ServerFactory, SshServer

COUNTING = """
agents: [{name: one, address: 127.0.0.1}]
stages:
  - name: work
    jobs:
      - name: count
        builtins.shell: "echo x >> ran; seq 1 300; touch started; while [ ! -e ../../../../../go ]; do sleep 0.02; done;
          seq 301 600"
"""

SLOW_END = """
agents: [{name: one, address: 127.0.0.1}]
stages:
  - name: work
    jobs:
      - name: serve
        builtins.start_process:
          name: server
          argv: [sh, -c, "trap 'touch $HOME/stopping; sleep 1; exit' TERM; touch ready; while :; do sleep 0.02; done"]
      - name: see that it listens to signals
        builtins.shell: "until [ -e ready ]; do sleep 0.02; done"
"""


def begin(place: Place, text: str, server: SshServer) -> subprocess.Popen[str]:
    path = place.write("s.yml", text)
    return place.start(str(path), "--headless", "--ssh-config", str(server.ssh_config), "--events", "e.jsonl")


def events(place: Place) -> list[dict[str, Any]]:
    return events_so_far(place.home / "e.jsonl")


def printed(place: Place) -> list[str]:
    return [line for event in events(place) if event["type"] == "job_output" for line in event["lines"]]


def carriers(server: SshServer) -> list[int]:
    """List the processes that carry connections, and run nothing themselves."""
    found = []
    for pid in server.sessions():
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found += [int(child) for child in children if b"sshd" in Path(f"/proc/{child}/cmdline").read_bytes()]
        found.append(pid)
    assert found
    return found


def cut(server: SshServer) -> None:
    """Kill what carries the connections; what runs behind them stays."""
    send_signal(carriers(server), signal.SIGKILL)


@pytest.mark.sshd
@pytest.mark.fault(12)
def test_a_session_killed_during_a_job(place: Place, openssh_server: SshServer) -> None:
    process = begin(place, COUNTING, openssh_server)
    wait_for(lambda: list(openssh_server.home.glob(".octogram/runs/*/one/home/started")))
    home = next(openssh_server.home.glob(".octogram/runs/*/one/home"))
    cut(openssh_server)
    wait_for(lambda: any(event["type"] == "agent_suspect" for event in events(place)))
    ran = (home / "ran").read_text()  # while it is there
    (home / "../../../../../go").resolve().touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert ran == "x\n"
    assert printed(place) == [str(n) for n in range(1, 601)]
    assert [e["state"] for e in events(place) if e["type"] == "job_finished"] == ["ok"]
    assert not list(openssh_server.home.glob(".octogram/runs/*"))


@pytest.mark.sshd
@pytest.mark.fault(12)
def test_a_session_killed_while_its_agent_is_stopped(place: Place, openssh_server: SshServer) -> None:
    process = begin(place, SLOW_END, openssh_server)
    wait_for((openssh_server.home / "stopping").exists)
    cut(openssh_server)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert [e.get("is_clean", True) for e in events(place) if e["type"] == "agent_stopped"] == [True]
    assert not list(openssh_server.home.glob(".octogram/runs/*"))
    wait_for(lambda: not openssh_server.left_behind())


@pytest.mark.fault(35)
def test_a_bridge_killed_during_a_job(place: Place) -> None:
    path = place.write("s.yml", COUNTING.replace("address: 127.0.0.1", "transport: local"))
    process = place.start(str(path), "--headless", "--events", "e.jsonl")
    wait_for(lambda: list(place.home.glob(".octogram/runs/*/one/home/started")))
    bridge = [int(line.split()[0]) for line in place.processes() if re.search(r"attach --run \S+ --agent one", line)]
    parents = {pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in bridge}
    os.kill(next(pid for pid, parent in parents.items() if parent == process.pid), signal.SIGKILL)
    wait_for(lambda: any(event["type"] == "agent_suspect" for event in events(place)))
    (place.home / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert printed(place) == [str(n) for n in range(1, 601)]
    place.wait_clean()


@pytest.mark.sshd
@pytest.mark.parametrize("interrupts", [1, 2])
def test_many_agents_interrupted(place: Place, openssh_server: SshServer, interrupts: int) -> None:
    agents = ", ".join(f"{{name: a{n}, address: 127.0.0.{n}}}" for n in range(1, 51))
    job = "setsid sleep 1000 & touch started; exec sleep 1000"
    process = begin(
        place,
        f"agents: [{agents}]\nstages: [{{name: s, jobs: [{{name: j, builtins.shell: '{job}'}}]}}]\n",
        openssh_server,
    )
    wait_for(lambda: len(list(openssh_server.home.glob(".octogram/runs/*/*/home/started"))) == 50)
    for _ in range(interrupts):
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    wait_for(lambda: not openssh_server.left_behind(), 30, describe=lambda: f"left: {openssh_server.left_behind()}")
    assert not list(openssh_server.home.glob(".octogram/runs/*"))


@pytest.mark.sshd
@pytest.mark.fault(11)
def test_a_server_that_is_started_again(place: Place, openssh_servers: ServerFactory) -> None:
    first = openssh_servers()
    process = begin(place, COUNTING, first)
    wait_for(lambda: list(first.home.glob(".octogram/runs/*/one/home/started")))
    home = next(first.home.glob(".octogram/runs/*/one/home"))
    send_signal([first.pid, *carriers(first)], signal.SIGKILL)
    wait_for(lambda: any(event["type"] == "agent_suspect" for event in events(place)))
    openssh_servers({"SetEnv": f"HOME={first.home}"}, host_key=first.host_key, port=first.port)
    (home / "../../../../../go").resolve().touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert printed(place) == [str(n) for n in range(1, 601)]
