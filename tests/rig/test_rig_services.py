"""Services cross machines; and what is bound where, looked at from the machine itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fixtures_program import wait_for
from fixtures_rig import Rig
from machine import Machine

pytestmark = pytest.mark.machines

SERVER = "python3 -m http.server {{ port.web }} --bind BIND --directory site"
SCENARIO = """
agents:
  - {name: server, address: 'SERVER'}
  - {name: client, address: 'CLIENT'}
stages:
  - name: serve
    with_agents: ^server$
    jobs:
      - name: page
        builtins.write_file: {path: site/page.txt, content: hello}
      - name: files
        builtins.start_http_server: {directory: site}
      - name: web
        builtins.start_process:
          name: web
          argv: PROGRAM
          ports: {web: fresh}
          ready: {port: '{{ port.web }}'}
        vars_updates: {port: '{{ res.ports.web }}'}
  - name: use
    with_agents: ^client$
    jobs:
      - name: service
        builtins.http: server://web/page.txt
      - name: file
        builtins.prefetch: server://page.txt
      - name: wait for it
        builtins.wait_for: {http: 'server://web/page.txt', timeout: 40}
      - name: wait for its port
        builtins.wait_for: {port: 'PLACE:{{ vars.port }}', timeout: 40}
      - name: read it
        builtins.command: cat page.txt
        timeout: 40
"""


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("server", "client"), [("alice", "bob"), ("alice", "alice")])
def test_one_agent_uses_the_services_of_another(rig: Rig, version: int, server: str, client: str) -> None:
    address = rig.machine(server).address_in("lan", version)
    program = SERVER.replace("BIND", "'::'" if version == 6 else "0.0.0.0")
    place = f"[{address}]" if version == 6 else address
    text = SCENARIO.replace("SERVER", address).replace("CLIENT", rig.machine(client).address_in("lan", version))
    done = rig.orchestrate(text.replace("PROGRAM", f'"{program}"').replace("PLACE", place))
    assert done.code == 0, done.output
    assert done.end("use/service@client")["result"]["body"] == "hello"
    assert done.end("use/read it@client")["result"]["stdout"] == "hello"
    assert place in done.end("use/wait for its port@client")["result"]["seen"]


HELD = """
agents:
AGENTS
stages:
  - name: serve
    jobs:
      - {name: files, builtins.start_http_server: {}}
      - {name: hold, builtins.wait_for: {file: go, timeout: 60}}
"""


@contextmanager
def held(rig: Rig, agents: dict[str, str], *arguments: str) -> Iterator[None]:
    """Keep a run of these agents (name to address) waiting, each with a file server."""
    lines = [f"  - {{name: {name}, address: '{address}'}}" for name, address in agents.items()]
    rig.orchestrator.write("/root/scenario.yml", HELD.replace("AGENTS", "\n".join(lines)))
    with rig.start("scenario.yml", "--headless", *arguments) as run:
        yield
        run.signal(signal.SIGINT)
        output = run.end()
    assert run.code == 130, output


def hosts(machine: Machine) -> set[str]:
    """Give the hosts that anything but sshd listens on."""
    return {host for host, _ in machine.listening()}


def test_an_agent_with_an_address_serves_files_there_and_nothing_else_listens(rig: Rig) -> None:
    alice = rig.machine("alice")
    with held(rig, {"a": alice.address, "b": alice.address6}):
        wait_for(lambda: len(alice.listening()) == 4, describe=lambda: str(alice.listening()))
        assert hosts(alice) == {alice.address, alice.address6, "127.0.0.1"}
        assert rig.orchestrator.listening() == []


def test_an_agent_on_loopback_listens_on_loopback_only(rig: Rig) -> None:
    desk = rig.orchestrator
    with held(rig, {"a": "127.0.0.1", "b": "::1", "c": "localhost"}, "--metrics-port", "9100"):
        wait_for(lambda: len(desk.listening()) == 4, describe=lambda: str(desk.listening()))
        assert hosts(desk) == {"127.0.0.1", "::1"}
