"""Who uses what of whom, as far as a scenario tells, and who could not be told where that is."""

from __future__ import annotations

import pytest
from scenario_family import load

from octogram_tui.scenario.crossings import address_warnings, crossings

AGENTS = """
agents:
  - {name: server, address: 10.0.0.1}
  - {name: 'client_{1..2}', address: [10.0.0.2, 10.0.0.3]}
  - {name: laptop, transport: local}
"""


def found(job: str, on: str = "client_", head: str = "") -> list[tuple[str, str]]:
    text = f"{AGENTS}{head}\nstages:\n  - name: s\n    with_agents: ['{on}']\n    jobs:\n      - {{name: j, {job}}}\n"
    return [(each.user, each.owner) for each in crossings(load(text).scenario)]


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("builtins.prefetch: server://x", [("client_1", "server"), ("client_2", "server")]),
        (
            "builtins.http: 'server://web/{{ item }}', with_items: 1..3",
            [("client_1", "server"), ("client_2", "server")],
        ),
        (
            "builtins.prefetch: 'client_{{ item }}://x', with_items: 1..2",
            [("client_1", "client_2"), ("client_2", "client_1")],
        ),
        ("builtins.prefetch: '{{ vars.who }}://x'", [("client_1", "server"), ("client_2", "server")]),
        ("builtins.prefetch: '{{ re[0] }}1://x'", [("client_2", "client_1")]),
        ("builtins.prefetch: self://x", []),
        ("builtins.prefetch: http://server/x", []),
        ("builtins.shell: 'curl server://x'", []),
        ("builtins.wait_for: {http: server://web}", [("client_1", "server"), ("client_2", "server")]),
    ],
)
def test_owners_are_found_wherever_a_scenario_tells_them(job: str, expected: list[tuple[str, str]]) -> None:
    assert found(job, head="vars: {who: server}") == expected


def test_peers_and_nodes_of_octez_are_found() -> None:
    job = "tezos.start_node: {path_node: self://n, network: sandbox, peers: [server://main, '10.9.9.9:9732']}"
    assert found(job, on="client_1") == [("client_1", "server")]
    job = "tezos.start_dal_node: {path_node: self://n, l1_node_uri: client_2://node, peers: ['server://dal']}"
    assert found(job, on="client_1") == [("client_1", "client_2"), ("client_1", "server")]


def test_what_only_a_run_tells_is_left_out() -> None:
    text = f"""{AGENTS}
stages:
  - name: s
    with_agents: [server]
    jobs:
      - {{name: find, builtins.command: hostname, register: found}}
      - {{name: use, builtins.prefetch: '{{{{ vars.found.stdout }}}}://x'}}
"""
    assert crossings(load(text).scenario) == []


def test_the_prometheus_of_a_run_reads_those_who_have_metrics() -> None:
    head = "prometheus_agent: {name: watch, address: 10.0.0.9}"
    node = "tezos.start_node: {path_node: self://n, network: sandbox}"
    assert found(node, head=head) == [("watch", "client_1"), ("watch", "client_2")]
    process = "builtins.start_process: {argv: x, name: x, ports: {m: fresh}, metrics: m}"
    assert found(process, on="server", head=head) == [("watch", "server")]
    assert found("builtins.sleep: 1", head=head) == []


def warnings(job: str, agents: str) -> list[tuple[int, str, str]]:
    text = f"agents:\n{agents}\nstages:\n  - name: s\n    with_agents: [far]\n    jobs:\n      - {{name: j, {job}}}\n"
    return [(each.line, each.message, each.hint) for each in address_warnings(load(text).scenario)]


@pytest.mark.parametrize(
    "near", ["transport: local", "address: localhost", "address: 127.0.0.9", "address: 'fe80::1%eth0'"]
)
def test_an_agent_that_others_cannot_be_told_of_is_warned_of_once(near: str) -> None:
    agents = f"  - {{name: near, {near}}}\n  - {{name: 'far{{1..2}}', address: 10.0.0.2}}"
    ((line, message, hint),) = warnings("builtins.prefetch: near://x", agents)
    assert line == 2
    assert "agent `near` is at" in message
    assert "`far1`, elsewhere, uses what it offers" in message
    assert hint == "give `near` a `data_address`: where other machines reach it"


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("transport: local, data_address: 10.0.0.1", "address: 10.0.0.2"),
        ("address: localhost, data_address: 10.0.0.1", "address: 10.0.0.2"),
        ("transport: local", "address: 127.0.0.2"),
        ("transport: local", "transport: local"),
        ("address: gate", "address: 10.0.0.2"),
    ],
)
def test_nobody_is_warned_of_who_can_be_reached(near: str, far: str) -> None:
    assert warnings("builtins.prefetch: near://x", f"  - {{name: near, {near}}}\n  - {{name: far, {far}}}") == []


def test_nobody_is_warned_of_whom_no_other_machine_uses() -> None:
    agents = "  - {name: near, transport: local}\n  - {name: far, address: 10.0.0.2}"
    assert warnings("builtins.prefetch: self://x", agents) == []
