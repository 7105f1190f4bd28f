"""Files cross machines: from one agent to another and back, from the operator's machine and to it."""

from __future__ import annotations

import pytest
from fixtures_rig import Rig

pytestmark = pytest.mark.machines

BOTH_WAYS = """
agents:
  - {{name: left, address: '{left}'}}
  - {{name: right, address: '{right}'}}
stages:
  - name: serve
    jobs:
      - name: tell
        builtins.write_file: {{path: 'out/100% of {{{{ agent.name }}}}?.txt', content: 'from {{{{ agent.name }}}}'}}
      - name: serve
        builtins.start_http_server: {{}}
  - name: pack
    with_agents: ^left$
    jobs:
      - name: many
        builtins.shell: mkdir -p many/deep && echo one >many/1 && echo two >many/deep/2
      - name: pack
        builtins.tar: {{action: create, contents: many, archive: 'self://out/many.tar.gz'}}
  - name: fetch
    jobs:
      - name: left's
        when: agent.name == 'right'
        builtins.prefetch: left://out/100% of left?.txt
      - name: right's
        when: agent.name == 'left'
        builtins.prefetch: right://out/100% of right?.txt
      - name: unpack
        builtins.tar: {{action: extract, contents: got, archive: 'left://out/many.tar.gz'}}
      - name: read
        builtins.shell: cat '100% of '* got/many/1 got/many/deep/2
"""

PAIRS = [("alice", "bob", 4), ("alice", "bob", 6), ("bob", "bob", 6)]


@pytest.mark.parametrize(("left", "right", "version"), PAIRS)
def test_agents_read_each_others_files(rig: Rig, left: str, right: str, version: int) -> None:
    addresses = {"left": rig.machine(left), "right": rig.machine(right)}
    done = rig.orchestrate(BOTH_WAYS.format(**{k: m.address_in("lan", version) for k, m in addresses.items()}))
    assert done.code == 0, done.output
    for name, other in (("left", "right"), ("right", "left")):
        assert done.end(f"fetch/read@{name}")["result"]["stdout"] == f"from {other}one\ntwo"


def test_the_operators_files_and_directories_go_there_and_come_back(rig: Rig) -> None:
    desk = rig.orchestrator
    desk.write("/root/kit/run.sh", "#!/bin/sh\nhostname >kit/of_$(hostname)\n").chmod(0o755)
    desk.write("/root/kit/deep/data", "x" * 300_000)
    agents = [f"  - {{name: a{i}, address: '{rig.machine(name).address6}'}}" for i, name in enumerate(["alice", "bob"])]
    done = rig.orchestrate(
        "agents:\n"
        + "\n".join(agents)
        + """
stages:
  - name: work
    jobs:
      - {name: bring, copy: {local_path: kit, remote_path: kit}}
      - {name: run, builtins.command: kit/run.sh}
      - {name: take, builtins.fetch: {remote_path: kit, local_path: 'back/{{ agent.name }}/'}}
"""
    )
    assert done.code == 0, done.output
    for number, host in enumerate(("alice", "bob")):
        back = desk.path(f"/root/back/a{number}/kit")
        assert (back / f"of_{host}").read_text() == f"{host}\n"
        assert (back / "deep/data").read_text() == "x" * 300_000
        assert (back / "run.sh").stat().st_mode & 0o111


def test_a_proxy_to_the_web_is_not_asked_for_another_agents_file(rig: Rig) -> None:
    rig.machine("bob").write("/root/.bashrc", "export http_proxy=http://10.77.0.99:3128\necho a login says something\n")
    done = rig.orchestrate(BOTH_WAYS.format(left=rig.machine("alice").address, right=rig.machine("bob").address))
    assert done.code == 0, done.output
