"""Agents that cannot come up, each for a reason of its own: the words say which, and the others are not touched."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from fixtures_program import DEADLINE_S, PROGRAM, Place, events_of
from fixtures_ssh import ServerFactory

STAGES = "stages: [{name: s, with_agents: [one], jobs: [{name: j, builtins.command: [echo, works]}]}]\n"


SOMEBODY = 60_000 + os.getpid() % 5_000
PERSON = [
    *("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),  # wherever Python is installed
]


@pytest.mark.machines
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_machine_that_makes_no_more_processes_is_named_whoever_lacks_them() -> None:
    codes = []
    with tempfile.TemporaryDirectory() as made:  # below nothing that is closed to others, as tmp_path is
        place = Place(Path(made))
        os.chown(place.home, SOMEBODY, SOMEBODY)
        path = place.write("s.yml", "agents: [{name: one, transport: local}]\n" + STAGES)
        path.chmod(0o644)
        for most in (1, 3, 4):  # for our own threads, for what attaches, for the daemon or its guard
            done = subprocess.run(
                [*PERSON, "prlimit", f"--nproc={most}", *PROGRAM, str(path), "--headless"],
                env=place.environment,
                cwd=place.home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
            codes.append(done.returncode)
            assert "`ulimit -u`" in done.stdout + done.stderr
            assert "Traceback" not in done.stdout + done.stderr
            assert not list(place.home.glob(".octogram/runs/*"))
        place.wait_clean()
    assert codes[0] == 74
    assert set(codes[1:]) <= {74, 6}
    assert codes[-1] == 6


@pytest.mark.sshd
@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("forced", "said"),
    [
        ("/usr/sbin/nologin", "This account is currently not available"),
        ("kill -9 $PPID", "limits or start files there end a session"),
        ('PATH=/nowhere exec /bin/bash -r -c "$SSH_ORIGINAL_COMMAND"', "not found"),
    ],
    ids=["nologin", "a session that is killed", "restricted shell"],
)
def test_an_account_that_runs_no_command(place: Place, openssh_servers: ServerFactory, forced: str, said: str) -> None:
    server = openssh_servers({"ForceCommand": forced})
    path = place.write("s.yml", "agents: [{name: one, address: 127.0.0.1}]\n" + STAGES)
    done = place.run(str(path), "--headless", "--ssh-config", str(server.ssh_config))
    assert done.returncode == 6
    assert said in done.stdout


@pytest.mark.fault(21)
def test_an_address_that_is_nobodys(place: Place) -> None:
    agents = "agents: [{name: bad, address: no-such-machine.invalid}, {name: one, transport: local}]\n"
    done = place.run(str(place.write("s.yml", agents + STAGES)), "--headless", "--events", "e.jsonl")
    assert done.returncode == 4
    assert "the name is unknown" in done.stdout
    events = events_of((place.home / "e.jsonl").read_text())
    assert [event["agent"] for event in events if event["type"] == "agent_failed"] == ["bad"]
    assert all(event["is_clean"] for event in events if event["type"] == "agent_stopped")


@pytest.mark.fault(21)
def test_an_address_that_is_none_is_told_before_anything_begins(place: Place) -> None:
    done = place.run(str(place.write("s.yml", "agents: [{name: one, address: a..b}]\n" + STAGES)), "--headless")
    assert done.returncode == 3
    assert "empty part between two dots" in done.stderr
