"""Servers, sessions and jump hosts that die or stand still while commands run: noticed, and made again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest
from fixtures_program import wait_for
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer, public_line

from octogram_tui.errors import ConnectFailed, LinkLost
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.machine import SESSION_SEATS

AGENTS = 20


@pytest.mark.sshd
@pytest.mark.fault(23)
async def test_a_jump_host_that_dies_under_many_agents(openssh_servers: ServerFactory) -> None:
    """They come back by one connection to it, which one of them makes, and by as few as before behind it."""
    gate, target = openssh_servers(), openssh_servers()
    gate.write_client(
        f"Host target\n  HostName 127.0.0.1\n  Port {target.port}\n  ProxyJump gate\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n",
        known="".join(f"[127.0.0.1]:{server.port} {public_line(server.host_key)}\n" for server in (gate, target)),
    )
    transports = Transports(ssh_config=str(gate.ssh_config))
    ways = [transports.transport_for(gate.spec(f"n{number}", "target")) for number in range(AGENTS)]

    async def all_open(*argv: str) -> list[Recorder]:
        recorders = [Recorder() for _ in ways]
        opening = (way.open(argv, recorder) for way, recorder in zip(ways, recorders, strict=True))
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*opening)
        return recorders

    recorders = await all_open("cat")
    assert len(gate.sessions()) == 1
    for pid in gate.sessions():
        os.kill(pid, signal.SIGKILL)
    for recorder in recorders:
        await recorder.end()
        assert isinstance(recorder.error, LinkLost)
    for recorder in await all_open("echo", "again"):
        await recorder.end()
        assert recorder.out == b"again\n"
    wait_for(lambda: logins(gate) > 1)  # a thread reads the log
    assert logins(gate) == 2
    assert logins(target) <= 2 * -(-AGENTS // SESSION_SEATS)
    await transports.close()


def listens(port: int) -> bool:
    """Tell whether anybody takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def logins(server: SshServer) -> int:
    """Count them, in its log."""
    return sum("Accepted publickey" in line for line in [*server.log])


@pytest.mark.sshd
@pytest.mark.fault(12)
async def test_killed_session_of_a_real_server(openssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    transport = transports.transport_for(openssh_server.spec())
    recorder = Recorder()
    await transport.open(["sh", "-c", "echo up; exec cat"], recorder)
    await recorder.until(lambda: recorder.out == b"up\n")
    for pid in openssh_server.sessions():
        os.kill(pid, signal.SIGKILL)
    await recorder.end()
    assert isinstance(recorder.error, LinkLost)
    again = Recorder()
    await transport.open(["echo", "again"], again)
    await again.end()
    assert again.out == b"again\n"
    await transports.close()


@pytest.mark.sshd
@pytest.mark.fault(13)
async def test_stopped_session_of_a_real_server_is_noticed(openssh_server: SshServer) -> None:
    openssh_server.write_client("ServerAliveInterval 1\nServerAliveCountMax 1\n")
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    transport = transports.transport_for(openssh_server.spec())
    recorder = Recorder()
    await transport.open(["sh", "-c", "echo up; exec cat"], recorder)
    await recorder.until(lambda: recorder.out == b"up\n")
    stopped = openssh_server.sessions()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    await recorder.end()
    assert isinstance(recorder.error, LinkLost)
    again = Recorder()
    await transport.open(["echo", "again"], again)
    await again.end()
    assert again.out == b"again\n"
    await transports.close()
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.sshd
@pytest.mark.fault(11)
async def test_a_stopped_listener_spares_sessions_and_refuses_new_ones(openssh_servers: ServerFactory) -> None:
    server = openssh_servers()
    transports = Transports(ssh_config=str(server.ssh_config))
    transport = transports.transport_for(server.spec())
    recorder = Recorder()
    channel = await transport.open(["cat"], recorder)
    os.kill(server.pid, signal.SIGTERM)
    channel.write(b"still there")
    await recorder.until(lambda: recorder.out == b"still there")
    await transports.close()
    await recorder.end()
    await asyncio.to_thread(wait_for, lambda: not listens(server.port))  # a signal is not obeyed at once
    refused = Transports(ssh_config=str(server.ssh_config))
    with pytest.raises(ConnectFailed) as failed:
        await refused.transport_for(server.spec()).open(["true"], Recorder())
    assert failed.value.code == "net.refused"
    await refused.close()
    restarted = openssh_servers(host_key=server.host_key, port=server.port)
    again = Transports(ssh_config=str(restarted.ssh_config))
    recorder = Recorder()
    await again.transport_for(restarted.spec()).open(["echo", "again"], recorder)
    await recorder.end()
    assert recorder.out == b"again\n"
    await again.close()


@pytest.mark.sshd
async def test_a_whole_server_that_dies_is_lost_at_once(openssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    recorders = [Recorder() for _ in range(12)]
    transport = transports.transport_for(openssh_server.spec())
    for recorder in recorders:
        await transport.open(["cat"], recorder)
    # Only what carries the connections: a command that is killed has merely ended.
    for pid in (*openssh_server.sessions(), openssh_server.pid):
        os.kill(pid, signal.SIGKILL)
    for recorder in recorders:
        await recorder.end()
        assert isinstance(recorder.error, LinkLost)
    async with asyncio.timeout(DEADLINE_S):
        await transports.close()
