"""Ways to a machine: an alias of the SSH configuration, through a jump machine, and several agents on one machine."""

from __future__ import annotations

import pytest
from fixtures_program import events_so_far, wait_for
from fixtures_rig import Rig

pytestmark = pytest.mark.machines

LOOK = """
stages:
  - name: look
    jobs:
      - {name: who, builtins.command: hostname}
"""
WAIT = """
stages:
  - name: work
    jobs:
      - name: count
        builtins.shell: 'echo $$ >/tmp/at_work; until [ -e /tmp/go ]; do sleep 0.02; done; echo went on'
"""


def agents(**addresses: str) -> str:
    """Write the scenario's list of agents."""
    return "agents:\n" + "".join(f"  - {{name: {name}, address: '{at}'}}\n" for name, at in addresses.items())


def test_an_alias_and_a_jump_machine_of_the_ssh_configuration(rig: Rig) -> None:
    lines = [
        f"Host near\n  HostName {rig.machine('alice').address6}",
        f"Host far\n  HostName {rig.machine('dave').address}\n  ProxyJump gate",
        f"Host gate\n  HostName {rig.machine('gate').address}",
    ]
    rig.orchestrator.write("/root/.ssh/config", "\n".join(lines) + "\n")
    done = rig.orchestrate(agents(one="near", two="far") + LOOK, "--verbose")
    assert done.code == 0, done.output
    assert done.written("look/who@one") == ["alice"]
    assert done.written("look/who@two") == ["dave"]


def test_two_agents_of_one_machine_share_it(rig: Rig) -> None:
    bob = rig.machine("bob")
    done = rig.orchestrate(agents(one=bob.address, two=bob.address, three=bob.address6) + LOOK, "--verbose")
    assert done.code == 0, done.output
    ready = done.of("agent_ready")
    assert {e["host"] for e in ready} == {"bob"}
    assert len({e["home"] for e in ready}) == len({e["pid"] for e in ready}) == 3
    assert not list(bob.path("/root/.octogram/runs").iterdir()), "their homes are gone"


@pytest.mark.fault(12)
def test_a_connection_that_is_cut_is_made_again(rig: Rig) -> None:
    bob = rig.machine("bob")
    rig.orchestrator.write("/root/scenario.yml", agents(one=bob.address) + WAIT)
    with rig.start("scenario.yml", "--headless", "--events", "events.jsonl", "--verbose") as run:
        wait_for(lambda: bob.path("/tmp/at_work").exists())
        bob.kill("sshd:")
        wait_for(lambda: rig.orchestrator.read("/root/events.jsonl").count('"agent_ready"') == 2)
        bob.write("/tmp/go", "")
        output = run.end()
    assert run.code == 0, output
    assert "went on" in output


@pytest.mark.fault(23)
def test_a_jump_machine_that_loses_its_connections(rig: Rig) -> None:
    gate, dave = rig.machine("gate"), rig.machine("dave")
    rig.orchestrator.write("/root/.ssh/config", f"Host far\n  HostName {dave.address}\n  ProxyJump {gate.address}\n")
    rig.orchestrator.write("/root/scenario.yml", agents(one="far", two="far", three="far") + WAIT)
    with rig.start("scenario.yml", "--headless", "--events", "events.jsonl", "--verbose") as run:
        wait_for(lambda: dave.path("/tmp/at_work").exists())
        wait_for(lambda: rig.orchestrator.read("/root/events.jsonl").count('"job_started"') == 3)
        gate.kill("sshd:")
        wait_for(lambda: rig.orchestrator.read("/root/events.jsonl").count('"agent_ready"') == 6)
        dave.write("/tmp/go", "")
        output = run.end()
    assert run.code == 0, output
    assert output.count("went on") == 3


@pytest.mark.fault(1)
def test_a_network_that_is_away_for_a_moment_costs_nothing(rig: Rig) -> None:
    bob = rig.machine("bob")
    rig.orchestrator.write("/root/scenario.yml", agents(one=bob.address) + WAIT)
    with rig.start("scenario.yml", "--headless", "--events", "events.jsonl", "--verbose") as run:
        wait_for(lambda: bob.path("/tmp/at_work").exists())
        with bob.unplugged():
            bob.write("/tmp/go", "")
            wait_for(lambda: not any("/tmp/go" in command for command in bob.processes().values()))
        output = run.end()
    assert run.code == 0, output
    assert "went on" in output, "what was said meanwhile comes after all"
    assert '"agent_suspect"' not in rig.orchestrator.read("/root/events.jsonl")


@pytest.mark.fault(10)
def test_a_network_that_drops_large_packets_is_named(rig: Rig) -> None:
    bob = rig.machine("bob")
    rig.orchestrator.write("/root/.ssh/config", "ConnectTimeout 10\n")
    with bob.narrow(600):
        done = rig.orchestrate(agents(one=bob.address) + LOOK)
    assert done.code == 4, done.output
    assert "did not finish the login within 10 s" in done.output
    assert "MTU" in done.output


def test_an_agent_whose_daemon_is_killed_is_lost_with_all_that_it_ran(rig: Rig) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    rig.orchestrator.write("/root/scenario.yml", agents(one=bob.address, two=alice.address6) + WAIT)
    with rig.start("scenario.yml", "--headless", "--events", "events.jsonl") as run:
        wait_for(lambda: all(machine.path("/tmp/at_work").exists() for machine in (alice, bob)))
        ready = {e["agent"]: e for e in events_so_far(rig.orchestrator.path("/root/events.jsonl")) if "pid" in e}
        bob.run(["sh", "-c", f"kill -KILL {ready['one']['pid']}"])
        output = run.end()
    assert run.code == 7, output
    assert "agent one" in output
    wait_for(lambda: not alice.processes(), describe=lambda: str(alice.processes()))


def test_a_jump_machine_that_is_not_known_is_called_one(rig: Rig) -> None:
    gate, dave = rig.machine("gate"), rig.machine("dave")
    known = rig.orchestrator.read("/root/.ssh/known_hosts").splitlines(keepends=True)
    rig.orchestrator.write("/root/.ssh/known_hosts", "".join(line for line in known if gate.address not in line))
    rig.orchestrator.write("/root/.ssh/config", f"Host far\n  HostName {dave.address}\n  ProxyJump {gate.address}\n")
    done = rig.orchestrate(agents(one="far", two="far") + LOOK)
    assert done.code == 5
    for name in ("one", "two"):
        [failed] = [event for event in done.of("agent_failed") if event["agent"] == name]
        assert f"the host key of the jump machine root@{gate.address}:22 is not known" in failed["message"]
