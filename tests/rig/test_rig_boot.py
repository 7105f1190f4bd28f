"""Agents come up over SSH on machines with addresses of their own."""

from __future__ import annotations

import pytest
from fixtures_rig import Rig

pytestmark = pytest.mark.machines

WHO_ARE_YOU = """
stages:
  - name: look
    jobs:
      - name: who
        builtins.command: hostname
"""


@pytest.mark.parametrize("version", [4, 6])
def test_agents_by_their_addresses(rig: Rig, version: int) -> None:
    addresses = [rig.machine(name).address_in("lan", version) for name in ("alice", "bob", "carol")]
    agents = "".join(f"  - {{name: a{i}, address: '{address}'}}\n" for i, address in enumerate(addresses))
    done = rig.orchestrate(f"agents:\n{agents}{WHO_ARE_YOU}", "--verbose")
    assert done.code == 0, done.output
    ready = {e["agent"]: (e["host"], e["address"]) for e in done.of("agent_ready")}
    assert ready == {f"a{i}": (name, addresses[i]) for i, name in enumerate(("alice", "bob", "carol"))}
    assert [done.written(f"look/who@a{i}") for i in range(3)] == [["alice"], ["bob"], ["carol"]]
