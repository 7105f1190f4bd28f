"""The rig itself: what a machine has of its own, who reaches whom, and that nothing outlives the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures_program import ROOT, wait_for
from fixtures_rig import Rig

pytestmark = pytest.mark.machines

BUILDS_AND_IS_KILLED = """
import os, pathlib, signal, sys
from machines import machines
with machines(pathlib.Path(sys.argv[1])) as everyone:
    print(*(machine.pid for machine in everyone.values()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_machines_have_names_files_and_processes_of_their_own(rig: Rig) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    alice.write("/root/mine", "alice's")
    alice.run(["sh", "-c", "echo more >>/root/mine; echo >/tmp/of_alice"])
    assert alice.read("/root/mine") == "alice'smore\n"
    assert bob.run(["ls", "-A", "/root", "/tmp"]).stdout.split() == ["/root:", ".ssh", "/tmp:"]
    assert [m.run(["hostname"]).stdout for m in (alice, bob)] == ["alice\n", "bob\n"]
    assert len(bob.run(["sh", "-c", "echo /proc/[0-9]*"]).stdout.split()) == 4, "process 1, cat, sshd, and this sh"
    assert alice.processes() == bob.processes() == {}


def test_no_machine_can_change_what_is_everybodys(rig: Rig) -> None:
    places = ["/", "/etc", "/usr/bin", "/var/tmp", str(ROOT)]
    look = "for place do [ ! -w $place ] || echo $place; done"
    for machine in rig.machines.values():
        assert machine.run(["sh", "-c", look, "sh", *places, "/root", "/tmp"]).stdout.split() == ["/root", "/tmp"]


@pytest.mark.parametrize("version", [4, 6])
def test_who_reaches_whom(rig: Rig, version: int) -> None:
    def reaches(start: str, end: str, net: str, patience_s: float = 30) -> bool:
        address = rig.machine(end).address_in(net, version)
        probe = f"import socket; socket.create_connection(('{address}', 22), {patience_s}).close()"
        return rig.machine(start).run(["python3", "-c", probe], check=False).returncode == 0

    assert reaches("orchestrator", "alice", "lan")
    assert reaches("alice", "bob", "lan")
    assert reaches("alice", "bob", "inner")
    assert reaches("dave", "carol", "inner")
    assert reaches("gate", "dave", "inner")
    assert not reaches("orchestrator", "dave", "inner", 0.3)
    assert reaches("orchestrator", "bob", "outside")
    assert not reaches("alice", "bob", "outside", 0.3)


@pytest.mark.usefixtures("rig_machines")  # which is skipped where there cannot be any
def test_nothing_of_a_test_run_that_is_killed_is_left(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUILDS_AND_IS_KILLED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}:{ROOT / 'agentd'}"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    pids = done.stdout.split()
    assert len(pids) == 6
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
