"""What one more agent on a machine of its own costs this side, from its start until its daemon has answered."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from types import FrameType

import asyncssh
import pytest
from ceilings import AGENT_OVER_SSH
from fixtures_ssh import SshServer

from octogram_tui.engine.stimuli import AgentEndReport, AgentUpReport, StartFailureReport, Stimulus
from octogram_tui.model.scenario import BinarySource
from octogram_tui.runtime.link import Link
from octogram_tui.runtime.terms import LinkSettings
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.gathering import GatheringTransport

FEW, MANY = 3, 9
DEADLINE_S = 60.0


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count what is done from now on."""
    found: Counter[str] = Counter()
    create, write, connect = (
        asyncssh.SSHClientConnection.create_session,
        GatheringTransport._send,
        asyncssh.SSHClientConnection.__init__,
    )

    async def create_session(self: asyncssh.SSHClientConnection, *arguments: object, **settings: object) -> object:
        found["channels"] += 1
        return await create(self, *arguments, **settings)  # type: ignore[arg-type]

    def send(self: GatheringTransport) -> None:
        found["writes"] += bool(self._held)
        write(self)

    def init(self: asyncssh.SSHClientConnection, *arguments: object, **settings: object) -> None:
        found["connections"] += 1
        connect(self, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_session", create_session)
    monkeypatch.setattr(asyncssh.SSHClientConnection, "__init__", init)
    monkeypatch.setattr(GatheringTransport, "_send", send)

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        found["function calls"] += event == "call"

    before = sys.getprofile()
    threading.setprofile(profile)  # of those to come
    sys.setprofile(profile)
    yield found
    sys.setprofile(before)
    threading.setprofile(None)


async def up(server: SshServer, run: str, count: int) -> None:
    """Bring agents up, and stop them again."""
    transports = Transports(ssh_config=str(server.ssh_config))
    settings = LinkSettings(run, 60.0, BinarySource())
    came: asyncio.Queue[Stimulus] = asyncio.Queue()

    def link(number: int) -> Link:
        spec = server.spec(f"a{number}", f"127.0.1.{number + 1}")
        transport = transports.transport_for(spec)
        return Link(
            spec, transport, settings, came.put_nowait, lambda on_wait: transports.boot(spec, transport, on_wait)
        )

    links = [link(number) for number in range(count)]
    for each in links:
        each.start()
    await _take(came, AgentUpReport, count)
    for each in links:
        each.stop(force=False)
    await _take(came, AgentEndReport, count)
    await asyncio.gather(*(each.close() for each in links))
    await transports.close()


async def _take(came: asyncio.Queue[Stimulus], kind: type, count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while count:
            stimulus = await came.get()
            assert not isinstance(stimulus, StartFailureReport), stimulus.message
            count -= isinstance(stimulus, kind)


@pytest.mark.sshd
async def test_one_more_agent_over_ssh_costs_no_more(openssh_server: SshServer, counts: Counter[str]) -> None:
    await up(openssh_server, "first", 1)  # puts the program there, and makes what all have in common
    counts.clear()
    await up(openssh_server, "few", FEW)
    few = counts.copy()
    counts.clear()
    await up(openssh_server, "many", MANY)
    each = {what: (counts[what] - few[what]) / (MANY - FEW) for what in AGENT_OVER_SSH}
    too_much = {what: (cost, AGENT_OVER_SSH[what]) for what, cost in each.items() if cost > AGENT_OVER_SSH[what]}
    assert not too_much, f"for one agent (found, ceiling): {too_much}; all of it: {each}"
