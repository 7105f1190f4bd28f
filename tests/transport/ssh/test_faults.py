"""What goes wrong on the way to a machine, each told apart, in words, within a bound."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer
from ports import free_port

from octogram_tui.errors import BootstrapFailed, ConnectFailed, ExitCode, LinkLost, TransportError
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.destination import Destination
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh import dial
from octogram_tui.transport.ssh.faults import Sight, classify, printable

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def failure(spec: AgentSpec, ssh_config: str | Path = "none") -> TransportError:
    transports = Transports(ssh_config=str(ssh_config))
    try:
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(TransportError) as failed:
                await transports.transport_for(spec).open(["true"], Recorder())
    finally:
        async with asyncio.timeout(DEADLINE_S):
            await transports.close()
    assert failed.value.message.startswith(f"agent {spec.name}: ")
    assert failed.value.message.count("\n") == 0
    return failed.value


def agent(address: str, **changes: Any) -> AgentSpec:
    return AgentSpec(AgentName("one"), address, user="me", **changes)


@asynccontextmanager
async def misbehaving(behaviour: Behaviour) -> AsyncIterator[int]:
    """Listen on a port, and treat whoever connects badly."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>\x1b[31mno</html>\r\n")
    await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def punishing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"Not allowed at this time\r\n")
    await writer.drain()


async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"Exceeded MaxStartups\r\n")
    await writer.drain()


async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"x" * 65536)
        await writer.drain()


async def half_a_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-half\r\n")
    await reader.read()


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("no-such-machine.invalid", "net.dns", "the name is unknown"),
        ("a..b", "net.dns", "not a possible host name"),
        ("x" * 70, "net.dns", "not a possible host name"),
        (f"{'x' * 70}.example", "net.dns", "not a possible host name"),
    ],
)
@pytest.mark.fault(21)
async def test_bad_names(address: str, code: str, words: str) -> None:
    error = await failure(agent(address))
    assert isinstance(error, ConnectFailed)
    assert (error.code, error.exit_code) == (code, ExitCode.UNREACHABLE)
    assert words in error.message
    assert f"me@{address}:22" in error.message
    assert error.hint


async def test_refused() -> None:
    for address in ("127.0.0.1", "localhost"):
        error = await failure(agent(address, port=free_port()))
        assert error.code == "net.refused"
        assert error.is_retryable


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        (http, "net.not_ssh", "it says 'HTTP/1.1 400 Bad Request'"),
        (chatter, "net.not_ssh", "not an SSH server"),
        (silent, "net.timeout", "sent no SSH greeting within 1 s"),
        (half_a_server, "net.timeout", "did not finish the login within 1 s"),
        (closing, "net.reset", "closed the connection before it sent a greeting"),
        (busy, "net.reset", "it says 'Exceeded MaxStartups'"),
        (punishing, "net.reset", "it says 'Not allowed at this time'"),
    ],
)
@pytest.mark.fault(10, 16, 22)
async def test_what_is_not_an_ssh_server(
    behaviour: Behaviour, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "RETRY_FOR_S", 0.5)
    config = tmp_path / "config"
    config.write_text("ConnectTimeout 1\n")
    async with misbehaving(behaviour) as port:
        error = await failure(agent("127.0.0.1", port=port), config)
    assert isinstance(error, ConnectFailed)
    assert error.code == code
    assert words in error.message
    assert error.is_retryable == (code != "net.not_ssh")
    assert "\x1b" not in error.message
    assert ("PerSourcePenalties" in error.hint) == (code == "net.reset")
    assert ("MTU" in error.hint) == (behaviour is half_a_server)


@pytest.mark.fault(16)
async def test_a_busy_server_is_tried_again(asyncssh_server: SshServer) -> None:
    """Close the first connections, as MaxStartups and PerSourcePenalties do; then let them through."""
    refused = 0

    async def sometimes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        if refused < 3:
            refused += 1
            return await punishing(reader, writer)
        there, back = await asyncio.open_connection("127.0.0.1", asyncssh_server.port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with misbehaving(sometimes) as port:
        asyncssh_server.write_client(
            known=asyncssh_server.known_hosts.read_text().replace(f":{asyncssh_server.port}", f":{port}")
        )
        transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
        recorder = Recorder()
        await transports.transport_for(asyncssh_server.spec(port=port)).open(["echo", "through"], recorder)
        await recorder.end()
        await transports.close()
    assert recorder.out == b"through\n"
    assert refused == 3


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_server_goes_away_during_a_command(asyncssh_server: SshServer) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", asyncssh_server.port)
        links.append(writer)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    links: list[asyncio.StreamWriter] = []
    async with misbehaving(relay) as port:
        known = asyncssh_server.known_hosts.read_text().replace(f":{asyncssh_server.port}", f":{port}")
        asyncssh_server.write_client(known=known)
        transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
        transport = transports.transport_for(asyncssh_server.spec(port=port))
        recorder = Recorder()
        channel = await transport.open(["sh", "-c", "echo up; cat"], recorder)
        await recorder.until(lambda: recorder.out == b"up\n")
        links[0].transport.abort()
        await recorder.end()
        assert isinstance(recorder.error, LinkLost)
        assert "127.0.0.1" in recorder.error.message
        assert await channel.wait_closed() is None
        with pytest.raises(LinkLost):
            await channel.drain()
        # The next command gets a new connection.
        again = Recorder()
        await transport.open(["echo", "again"], again)
        await again.end()
        assert again.out == b"again\n"
        assert len(links) == 2
        await transports.close()


@pytest.mark.sshd
async def test_real_server_allows_no_session(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"MaxSessions": "0"})
    error = await failure(server.spec(), server.ssh_config)
    assert isinstance(error, BootstrapFailed)
    assert (error.code, error.exit_code) == ("boot.no_session", ExitCode.NOT_STARTED)
    assert "MaxSessions" in error.hint


@pytest.mark.sshd
@pytest.mark.fault(24)
async def test_a_forced_command_is_the_command(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"ForceCommand": "echo forced; exit 3"})
    transports = Transports(ssh_config=str(server.ssh_config))
    recorder = Recorder()
    channel = await transports.transport_for(server.spec()).open(["echo", "hello"], recorder)
    await recorder.end()
    assert (bytes(recorder.out), await channel.wait_closed()) == (b"forced\n", 3)
    await transports.close()


async def test_a_receiver_that_fails_ends_only_its_own_channel(asyncssh_server: SshServer) -> None:
    class Faulty(Recorder):
        def data_received(self, data: bytes) -> None:
            raise RuntimeError("a defect")

    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    transport = transports.transport_for(asyncssh_server.spec())
    good, bad = Recorder(), Faulty()
    channel = await transport.open(["cat"], good)
    await transport.open(["echo", "x"], bad)
    await bad.end()
    channel.write(b"alive")
    await good.until(lambda: good.out == b"alive")
    await transports.close()
    assert isinstance(reported[0]["exception"], RuntimeError)


async def test_cancelled_while_connecting(tmp_path: Path) -> None:
    async with misbehaving(silent) as port:
        transports = Transports(ssh_config="none")
        opening = asyncio.ensure_future(
            transports.transport_for(agent("127.0.0.1", port=port)).open(["true"], Recorder())
        )
        done, _ = await asyncio.wait({opening}, timeout=0.2)
        assert not done
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with asyncio.timeout(DEADLINE_S):
            await transports.close()


async def test_closed_while_connecting() -> None:
    async with misbehaving(silent) as port:
        transports = Transports(ssh_config="none")
        opening = asyncio.ensure_future(
            transports.transport_for(agent("127.0.0.1", port=port)).open(["true"], Recorder())
        )
        await asyncio.wait({opening}, timeout=0.2)
        async with asyncio.timeout(DEADLINE_S):
            await transports.close()
            with pytest.raises(ConnectFailed, match="is being closed"):
                await opening


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (OSError(113, "No route to host"), "net.unreachable", ExitCode.UNREACHABLE),
        (OSError(110, "Connection timed out"), "net.timeout", ExitCode.UNREACHABLE),
        (OSError(24, "Too many open files"), "net.descriptors", ExitCode.UNREACHABLE),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 101] b"), "net.refused", ExitCode.UNREACHABLE),
        (ConnectionResetError(), "net.reset", ExitCode.UNREACHABLE),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "net.dns", ExitCode.UNREACHABLE),
        (RuntimeError("what"), "bug.transport", ExitCode.BUG),
        (OSError(999, "odd"), "net.failed", ExitCode.UNREACHABLE),
    ],
)
@pytest.mark.fault(21)
def test_classes_of_system_errors(error: Exception, code: str, exit_code: ExitCode) -> None:
    classified = classify(error, Destination("me", "::1", 22), Sight())
    assert (classified.code, classified.exit_code) == (code, exit_code)
    assert "me@[::1]:22" in classified.message


def test_texts_of_servers_are_made_harmless() -> None:
    assert printable("a\x1b]0;title\x07b\r\nc\u202e") == "a ]0;title b c"
    assert len(printable("x" * 10_000)) == 300
