"""A loop that stands still for longer than a login may take: the server is not to blame for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncssh
import pytest
from fixtures_ssh import SshServer

from octogram_tui.errors import TransportError
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh import dial
from octogram_tui.transport.ssh.dial import PARTS, Dialler
from octogram_tui.transport.ssh.profile import Request
from octogram_tui.transport.ssh.transport import Machines

LIMIT_S = 0.4


async def test_what_comes_after_it_counts() -> None:
    connection: Any = object()
    connecting: asyncio.Future[asyncssh.SSHClientConnection] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(dial._bounded(connecting, LIMIT_S))
    await asyncio.sleep(0)
    time.sleep(2 * LIMIT_S)
    for _ in range(PARTS // 2):  # rounds that an answer takes
        await asyncio.sleep(0)
    connecting.set_result(connection)
    assert await waiting is connection


async def test_the_library_has_no_limit_of_its_own(asyncssh_server: SshServer) -> None:
    machines = Machines(ssh_config=str(asyncssh_server.ssh_config))
    assert not (await machines.profile(Request("127.0.0.1"))).options.login_timeout


async def test_one_who_was_dropped_meanwhile_tries_once_more(
    asyncssh_server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "RETRY_FOR_S", 0.0)
    attempts = 0
    attempt = Dialler._attempt

    async def first_dropped(self: Dialler, *arguments: Any) -> asyncssh.SSHClientConnection:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise dial._Dropped(TransportError("gone"))
        return await attempt(self, *arguments)

    monkeypatch.setattr(Dialler, "_attempt", first_dropped)
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    await transports.transport_for(asyncssh_server.spec("a")).reach()
    assert attempts == 2
    await transports.close()
