"""What agents are told of each other: aliases of ssh, addresses of the data plane, a machine behind a jump machine."""

from __future__ import annotations

import shutil

import pytest
from fixtures_rig import Finished, Rig

pytestmark = pytest.mark.machines

EACH_FETCHES = """
stages:
  - name: serve
    jobs:
      - name: write
        builtins.write_file: {path: 'of_{{ agent.name }}.txt', content: '{{ agent.name }} at {{ agent.address }}'}
      - name: files
        builtins.start_http_server: {directory: .}
  - name: fetch
    with_agents: [one]
    jobs:
      - name: theirs
        builtins.prefetch: two://of_two.txt
      - name: show
        builtins.command: cat of_two.txt
  - name: back
    with_agents: [two]
    jobs:
      - name: theirs
        builtins.prefetch: one://of_one.txt
      - name: show
        builtins.command: cat of_one.txt
"""


def fetched(rig: Rig, one: str, two: str) -> tuple[Finished, dict[str, str]]:
    """Let two agents fetch from each other; gives the addresses that each was told by."""
    done = rig.orchestrate(f"agents:\n  - {{name: one, {one}}}\n  - {{name: two, {two}}}\n{EACH_FETCHES}")
    assert done.code == 0, done.output
    lines = done.written("fetch/show@one") + done.written("back/show@two")
    return done, dict(line.split(" at ") for line in lines)


@pytest.mark.parametrize("version", [4, 6])
def test_an_alias_is_told_as_what_it_leads_to(rig: Rig, version: int) -> None:
    alice, bob = (rig.machine(name).address_in("lan", version) for name in ("alice", "bob"))
    rig.orchestrator.write("/root/.ssh/config", f"Host lab\n  HostName {alice}\nHost desk\n  HostName {bob}\n")
    done, told = fetched(rig, "address: lab", "address: desk")
    assert told == {"one": alice, "two": bob}
    ready = {event["agent"]: event["address"] for event in done.of("agent_ready")}
    assert ready == told
    assert {event["address"] for event in done.of("service_announced")} == {alice, bob}
    assert done.of("warning") == []


@pytest.mark.parametrize("version", [4, 6])
def test_a_cloud_is_logged_in_to_by_public_addresses_and_talks_by_private_ones(rig: Rig, version: int) -> None:
    alice, bob = rig.machine("alice"), rig.machine("bob")
    public = [machine.address_in("outside") for machine in (alice, bob)]
    private = [machine.address_in("inner", version) for machine in (alice, bob)]
    one, two = (f"address: {a}, data_address: '{b}'" for a, b in zip(public, private, strict=True))
    _, told = fetched(rig, one, two)
    assert [told["one"], told["two"]] == private


def test_a_machine_behind_a_jump_machine_is_told_by_its_own_net(rig: Rig) -> None:
    gate, dave, carol = rig.machine("gate"), rig.machine("dave"), rig.machine("carol")
    config = f"Host far\n  HostName {dave.address}\n  ProxyJump {gate.address}\n"
    rig.orchestrator.write("/root/.ssh/config", config)
    inner = carol.address_in("inner")
    _, told = fetched(rig, "address: far", f"address: {carol.address}, data_address: {inner}")
    assert told == {"one": dave.address, "two": inner}


def test_two_agents_of_one_machine_reach_each_other_by_its_address(rig: Rig) -> None:
    alice = rig.machine("alice")
    rig.orchestrator.write("/root/.ssh/config", f"Host lab\n  HostName {alice.address}\n")
    _, told = fetched(rig, "address: lab", f"address: '{alice.address6}'")
    assert told == {"one": alice.address, "two": alice.address6}


def test_an_agent_of_the_operators_machine_is_reached_when_it_has_an_address_for_others(rig: Rig) -> None:
    alice, here = rig.machine("alice"), rig.orchestrator.address
    _, told = fetched(rig, f"transport: local, data_address: {here}", f"address: {alice.address}")
    assert told == {"one": here, "two": alice.address}


def test_a_loopback_address_that_another_machine_is_told_is_warned_of(rig: Rig) -> None:
    alice = rig.machine("alice")
    agents = f"agents:\n  - {{name: one, transport: local}}\n  - {{name: two, address: {alice.address}}}\n"
    done = rig.orchestrate(f"{agents}{EACH_FETCHES}")
    assert done.code == 1
    said = [event["message"] for event in done.of("warning")]
    assert any("two is told to reach one at 127.0.0.1" in each and "`data_address`" in each for each in said), said


@pytest.mark.prometheus
def test_prometheus_reads_at_the_addresses_that_others_are_told(rig: Rig) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("no prometheus on this machine")
    alice, bob, carol = (rig.machine(name) for name in ("alice", "bob", "carol"))
    rig.orchestrator.write("/root/.ssh/config", f"Host lab\n  HostName {bob.address}\n")
    done = rig.orchestrate(f"""
agents:
  - {{name: one, address: {alice.address_in("outside")}, data_address: '{alice.address_in("inner", 6)}'}}
  - {{name: two, address: lab}}
prometheus_agent: {{name: watch, address: {carol.address_in("outside")}, data_address: {carol.address_in("inner")}}}
stages:
  - name: measure
    jobs:
      - name: page
        builtins.write_file: {{path: metrics, content: "answers 42\\n"}}
      - name: server
        builtins.start_process:
          argv: [python3, -m, http.server, -b, '::', '{{{{ port.metrics }}}}']
          name: web
          ports: {{metrics: fresh}}
          metrics: metrics
          ready: {{http: 'http://127.0.0.1:{{{{ port.metrics }}}}/metrics'}}
  - name: look
    with_agents: [one]
    jobs:
      - name: targets
        builtins.http: http://{carol.address_in("inner")}:9090/api/v1/targets
        retries: 160
        retry_delay: 0.25
        until: res.json.data.activeTargets | length == 2
""")
    assert done.code == 0, done.output
    targets = done.end("look/targets@one")["result"]["json"]["data"]["activeTargets"]
    read = {
        target["labels"]["agent"]: target["discoveredLabels"]["__address__"].rpartition(":")[0] for target in targets
    }
    assert read == {"one": f"[{alice.address_in('inner', 6)}]", "two": bob.address}
    own = {event["address"] for event in done.of("service_announced") if event["agent"] == "watch"}
    assert own == {carol.address_in("inner")}
