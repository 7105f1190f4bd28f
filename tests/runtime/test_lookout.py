"""The look at the machines before a run: nothing before it is asked for, keys only on request, an end at any time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from fixtures_ssh import DEADLINE_S, SshServer
from ports import free_port

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec, Scenario
from octogram_tui.runtime.lookout import Decision, Lookout
from octogram_tui.transport.pool import Transports


class Console:
    """The other end of the line: asks, and keeps what it is told."""

    def __init__(self, server: SshServer, *agents: AgentSpec) -> None:
        self.said: list[dict[str, Any]] = []
        self.decisions = asyncio.StreamReader()
        self._changed = asyncio.Event()
        self._transports = Transports(ssh_config=str(server.ssh_config))
        scenario = Scenario("s.yml", (), agents)
        lookout = Lookout(scenario, self._transports, self._hear, ssh_config=str(server.ssh_config))
        self._deciding = asyncio.create_task(lookout.decide(self.decisions))

    def _hear(self, record: dict[str, Any]) -> None:
        self.said.append(json.loads(json.dumps(record)))
        self._changed.set()

    def ask(self, do: str) -> None:
        self.decisions.feed_data(json.dumps({"do": do}).encode() + b"\n")

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def count(self, kind: str) -> int:
        return sum(kind in record for record in self.said)

    def latest(self, number: int) -> dict[str, Any]:
        return next(record for record in reversed(self.said) if record.get("machine") == number)

    async def decided(self) -> Decision:
        async with asyncio.timeout(DEADLINE_S):
            found = await self._deciding
            await self._transports.close()
            return found


def local(name: str) -> AgentSpec:
    return AgentSpec(AgentName(name), transport="local")


async def test_nothing_is_touched_before_it_is_asked_for(asyncssh_server: SshServer) -> None:
    console = Console(asyncssh_server, asyncssh_server.spec("a"), asyncssh_server.spec("b"), local("c"))
    await console.until(lambda: console.said)
    assert console.said == [{"preflight": {"machines": 2}}]
    console.decisions.feed_eof()
    assert await console.decided() == "cancel"
    assert asyncssh_server.logins == []


async def test_a_key_is_accepted_on_request_only_and_its_machine_looked_at_again(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client(known="")
    console = Console(
        asyncssh_server, asyncssh_server.spec("new"), asyncssh_server.spec("shut", port=free_port()), local("here")
    )
    console.ask("look")
    await console.until(lambda: console.count("seen"))
    assert asyncssh_server.known_hosts.read_text() == ""
    name, says = console.latest(0)["new_key"]
    assert name == f"[127.0.0.1]:{asyncssh_server.port}"
    assert says.startswith("ssh-ed25519 SHA256:")
    assert console.latest(1)["new_key"] is None
    console.ask("accept")
    await console.until(lambda: console.count("seen") == 2)
    assert [row[1:3] for row in console.latest(0)["rows"]][:4] == [
        ["name", "ok"],
        ["connection", "ok"],
        ["host key", "ok"],
        ["login", "ok"],
    ]
    assert console.count("machine") == 4  # the other two were not looked at again
    assert asyncssh_server.known_hosts.read_text().count("ssh-ed25519") == 1
    console.ask("paused")
    assert await console.decided() == "paused"


async def test_a_key_that_changed_is_never_offered(asyncssh_server: SshServer) -> None:
    other = asyncssh_server.keys.user_public
    asyncssh_server.write_client(known=f"[127.0.0.1]:{asyncssh_server.port} {' '.join(other.split()[:2])}\n")
    console = Console(asyncssh_server, asyncssh_server.spec("a"))
    console.ask("look")
    await console.until(lambda: console.count("seen"))
    assert console.latest(0)["new_key"] is None
    before = asyncssh_server.known_hosts.read_text()
    console.ask("accept")
    console.ask("go")
    assert await console.decided() == "go"
    assert asyncssh_server.known_hosts.read_text() == before


async def test_a_look_is_broken_off_by_the_decision(asyncssh_server: SshServer) -> None:
    slow = AgentSpec(AgentName("slow"), transport="command", command=("sleep", "3000", "--"))
    console = Console(asyncssh_server, slow, local("here"))
    console.ask("look")
    await console.until(lambda: console.count("machine"))
    console.decisions.feed_data(b"\xff not ours\n[]\n")
    console.ask("go")
    assert await console.decided() == "go"
    assert console.count("seen") == 0
