"""Packets made and opened by us, held against the library's own at the other end: an echo, in every cipher we offer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest

from octogram_tui.errors import TransportError
from octogram_tui.transport.ssh.channel import SshChannel
from octogram_tui.transport.ssh.inflow import Inflow
from octogram_tui.transport.ssh.outflow import Outflow
from octogram_tui.transport.ssh.packets import leave_out_ignored

CONTENT = os.urandom(1 << 20)
GCM = "aes128-gcm@openssh.com"


class Kept:
    """What came over a channel."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.errors: list[TransportError | None] = []
        self.over = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        assert type(data) is bytes
        self.data += data

    def stderr_received(self, data: bytes) -> None:
        raise AssertionError(data)

    def channel_closed(self, error: TransportError | None) -> None:
        self.errors.append(error)
        self.over.set()


async def _echo(process: asyncssh.SSHServerProcess[bytes]) -> None:
    while data := await process.stdin.read(100_000):
        process.stdout.write(data)
        await process.stdout.drain()
    process.exit(7)


class Quick(asyncssh.SSHClient):
    def __init__(self, before: Callable[[Any], None]) -> None:
        self._before = before

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        leave_out_ignored(conn)
        self._before(conn)
        Inflow.where_known(conn)


@asynccontextmanager
async def echoing(
    cipher: str, before: Callable[[Any], None] = lambda connection: None, **options: Any
) -> AsyncGenerator[tuple[Any, SshChannel, Kept]]:
    """Give a connection in such a cipher, and a channel to a command that gives back what it gets."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        asyncssh.SSHServer,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        authorized_client_keys=asyncssh.import_authorized_keys(key.export_public_key().decode()),
        process_factory=_echo,
        encoding=None,
    )
    client: Any = asyncssh.connect(
        "127.0.0.1",
        server.get_port(),
        config=None,
        known_hosts=None,
        client_keys=[key],
        encryption_algs=[cipher],
        client_factory=lambda: Quick(before),
        **options,
    )
    async with server, client as connection:
        kept = Kept()
        channel = SshChannel(kept, lambda error: TransportError(str(error)), lambda: None, lambda: None)
        await connection.create_session(lambda: channel, "echo", encoding=None, max_pktsize=32 * 1024)
        yield connection, channel, kept


async def _send(channel: SshChannel) -> None:
    block = bytearray(300_000)  # changed after each time it was drained
    for start in range(0, len(CONTENT), len(block)):
        piece = CONTENT[start : start + len(block)]
        block[: len(piece)] = piece
        channel.write(memoryview(block)[: len(piece)])  # type: ignore[arg-type]
        channel.write(b"")
        await channel.drain()
    channel.write_eof()


@pytest.mark.parametrize(
    ("cipher", "options"),
    [
        (GCM, {}),
        (GCM, {"rekey_bytes": 150_000}),
        ("aes256-gcm@openssh.com", {"rekey_bytes": 150_000}),
        (GCM, {"compression_algs": ["zlib@openssh.com"]}),
        ("chacha20-poly1305@openssh.com", {"rekey_bytes": 150_000}),
        ("aes128-ctr", {}),
    ],
    ids=["gcm", "gcm and new keys", "gcm256 and new keys", "gcm compressed", "chacha and new keys", "ctr"],
)
async def test_what_goes_out_comes_back_in_each_cipher_and_over_new_keys(cipher: str, options: dict[str, Any]) -> None:
    async with echoing(cipher, **options) as (connection, channel, kept), asyncio.timeout(60):
        await _send(channel)
        assert connection._rekey_bytes_sent < options.get("rekey_bytes", 2 * len(CONTENT)) + 600_000
        assert await channel.wait_closed() == 7
        await kept.over.wait()
        assert kept.data == CONTENT
        assert kept.errors == [None]


async def test_the_library_handles_no_packet_of_data(monkeypatch: pytest.MonkeyPatch) -> None:
    handled = {"sent": 0, "came": 0}

    def before(connection: Any) -> None:
        send, receive = connection.send_packet, connection.data_received

        def send_packet(*arguments: Any, **more: Any) -> None:
            handled["sent"] += 1
            send(*arguments, **more)

        def data_received(data: bytes, *more: Any) -> None:
            handled["came"] += len(data)
            receive(data, *more)

        connection.send_packet, connection.data_received = send_packet, data_received

    async with echoing(GCM, before) as (connection, channel, kept), asyncio.timeout(60):
        handled.update(sent=0, came=0)
        writes: list[int] = []
        send = connection._send

        def counted(data: bytes) -> None:
            writes.append(len(data))
            send(data)

        monkeypatch.setattr(connection, "_send", counted)
        await _send(channel)
        await kept.over.wait()
        assert kept.data == CONTENT
        assert handled["sent"] <= 4  # what says that more may come, and the end
        assert handled["came"] <= 2000
        assert len(writes) - handled["sent"] <= 8, "one write for as many packets as there may be"


async def test_a_packet_that_was_changed_on_the_way_ends_the_connection() -> None:
    connection: Any
    async with echoing(GCM) as (connection, channel, kept), asyncio.timeout(60):
        take = connection.data_received

        def changed(data: bytes) -> None:
            take(data[:-1] + bytes([data[-1] ^ 1]))

        connection.data_received = changed
        channel.write(CONTENT[:1000])
        await kept.over.wait()
        assert not kept.data
        assert "MAC" in str(kept.errors[0])


@pytest.mark.parametrize("size", [1, 3, 700])
async def test_packets_may_be_cut_anywhere(size: int) -> None:
    async with echoing(GCM) as (connection, channel, kept), asyncio.timeout(60):
        take = connection.data_received

        def cut(data: bytes) -> None:
            for start in range(0, len(data), size):
                take(data[start : start + size])

        connection.data_received = cut
        channel.write(CONTENT[:2000])
        channel.write_eof()
        await kept.over.wait()
        assert kept.data == CONTENT[:2000]


async def test_a_library_that_is_another_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncssh, "__version__", "2.99.0")
    async with echoing(GCM) as (connection, channel, kept), asyncio.timeout(60):
        assert Outflow.when_known(channel._channel) is None  # type: ignore[arg-type]
        assert "data_received" not in vars(connection)
        await _send(channel)
        await kept.over.wait()
        assert kept.data == CONTENT
