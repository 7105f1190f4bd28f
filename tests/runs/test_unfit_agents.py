"""Agents that cannot come up, each for a reason of its own: the words say which, and the others are not touched."""

from __future__ import annotations

import pytest
from fixtures_program import Place, events_of
from fixtures_ssh import ServerFactory

STAGES = "stages: [{name: s, with_agents: [one], jobs: [{name: j, builtins.command: [echo, works]}]}]\n"


@pytest.mark.sshd
@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("forced", "said"),
    [
        ("/usr/sbin/nologin", "This account is currently not available"),
        ('PATH=/nowhere exec /bin/bash -r -c "$SSH_ORIGINAL_COMMAND"', "not found"),
    ],
    ids=["nologin", "restricted shell"],
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
