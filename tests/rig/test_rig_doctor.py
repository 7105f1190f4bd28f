"""What doctor finds out about real machines: jump machines once, and who reaches whom where the scenario needs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures_rig import Rig

pytestmark = pytest.mark.machines

TWO_FETCHES = """
stages:
  - name: fetch
    with_agents: [two]
    jobs:
      - {name: it, builtins.prefetch: one://data.txt}
"""


def doctor(rig: Rig, scenario: str, *arguments: str) -> tuple[int, str]:
    rig.orchestrator.write("/root/scenario.yml", scenario)
    done = rig.program("doctor", "scenario.yml", *arguments)
    return done.returncode, done.stdout


def rows_of(rig: Rig, scenario: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in doctor(rig, scenario, "--json")[1].splitlines() if line.startswith("{")]


def two(one: str, other: str) -> str:
    return f"agents:\n  - {{name: one, {one}}}\n  - {{name: two, {other}}}\n{TWO_FETCHES}"


@pytest.mark.parametrize("version", [4, 6])
def test_machines_that_reach_each_other(rig: Rig, version: int) -> None:
    alice, bob = (rig.machine(name).address_in("lan", version) for name in ("alice", "bob"))
    code, said = doctor(rig, two(f"address: '{alice}'", f"address: '{bob}'"))
    assert code == 0, said
    lines = said.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["ok", "ok", "2"]
    assert lines[0].endswith(":22  one")
    rows = rows_of(rig, two(f"address: '{alice}'", f"address: '{bob}'"))
    (met,) = [row for row in rows if row["check"] == "others"]
    assert (met["agents"], met["state"]) == (["two"], "ok")


def test_public_addresses_between_which_nothing_passes(rig: Rig) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    public = [f"address: {machine.address_in('outside')}" for machine in (alice, bob)]
    code, said = doctor(rig, two(*public))
    assert code == 4
    assert "fail: reached: at 203.0.113.11 it is not reached by root@203.0.113.12:22" in " ".join(said.split())
    assert "give one a `data_address`" in said
    assert said.splitlines()[-1] == "1 of 2 machines cannot be used as the scenario wants: 1 reached"
    code, said = doctor(rig, two(f"{public[0]}, data_address: {alice.address_in('inner')}", public[1]))
    assert code == 0, said


def test_a_name_that_only_the_operators_machine_knows(rig: Rig) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    rig.orchestrator.write("/root/.ssh/config", f"Host lab\n  HostName {alice.address}\n")
    assert doctor(rig, two("address: lab", f"address: {bob.address}"))[0] == 0
    named = two(f"address: {alice.address}, data_address: lab", f"address: {bob.address}")
    code, said = doctor(rig, named)
    assert code == 4
    assert "the name is unknown there" in " ".join(said.split())


def test_an_address_that_leads_back_to_the_one_who_asks(rig: Rig) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    wrong = two(f"address: {alice.address}, data_address: {bob.address_in('inner')}", f"address: {bob.address}")
    code, said = doctor(rig, wrong)
    assert code == 4, said
    assert "connection refused" in said or "something else answers" in said


def test_a_loopback_address_is_of_no_use_to_another_machine(rig: Rig) -> None:
    bob = rig.machine("bob")
    code, said = doctor(rig, two("transport: local", f"address: {bob.address}"))
    assert code == 4
    assert "agent `one` is at 127.0.0.1, which means each machine itself" in said
    assert "it is not reached by root@10.77.0.12:22" in " ".join(said.split())


def test_a_jump_machine_whose_key_is_missing_is_told_once_and_as_its_own(rig: Rig) -> None:
    gate, dave, carol = rig.machine("gate"), rig.machine("dave"), rig.machine("carol")
    config = f"Host far*\n  HostName {dave.address}\n  ProxyJump {gate.address}\n"
    rig.orchestrator.write("/root/.ssh/config", config)
    known = rig.orchestrator.read("/root/.ssh/known_hosts").splitlines(keepends=True)
    rig.orchestrator.write("/root/.ssh/known_hosts", "".join(line for line in known if gate.address not in line))
    agents = f"  - {{name: 'dave_{{1..9}}', address: far}}\n  - {{name: carol, address: {carol.address}}}\n"
    scenario = f"agents:\n{agents}stages: []\n"
    code, said = doctor(rig, scenario)
    assert code == 5, said
    assert said.count("is not known") == 1
    lines = said.splitlines()
    assert f"fail  root@{gate.address}:22  dave_1, dave_2" in said
    assert len(lines) < 16, said
    assert max(map(len, lines)) <= 110, "only what is to be copied may be longer than a line"
    rows = [row for row in rows_of(rig, scenario) if row["state"] == "fail"]
    assert [(row["machine"], row["check"]) for row in rows] == [
        (f"root@{gate.address}:22", "host key"),
        (f"root@{dave.address}:22 through {gate.address}", "jump machine"),
    ]
    assert len(rows[0]["agents"]) == 9


def test_a_machine_behind_a_jump_machine_is_met_by_the_others(rig: Rig) -> None:
    gate, dave, carol = rig.machine("gate"), rig.machine("dave"), rig.machine("carol")
    rig.orchestrator.write("/root/.ssh/config", f"Host far\n  HostName {dave.address}\n  ProxyJump {gate.address}\n")
    code, said = doctor(rig, two("address: far", f"address: {carol.address}"))
    assert code == 0, said
