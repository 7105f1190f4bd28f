"""Packets of data take the short way through the library; whatever else comes finds the library as it would be."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer

from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.channel import PACKET_BYTES
from octogram_tui.transport.ssh.inflow import Inflow
from octogram_tui.transport.ssh.outflow import Outflow

MANY = 200


class Echo:
    """A `cat` behind a connection, and what the library did of its packets. connection: the library's."""

    def __init__(self, channel: Any, recorder: Recorder) -> None:
        self.channel = channel
        self.recorder = recorder
        self.connection: Any = channel._channel.get_connection()
        self.long: Counter[str] = Counter()
        self._count("sent", self.connection, "send_packet")
        self._count("received", channel._channel, "process_packet")

    @property
    def inflow(self) -> Inflow | None:
        """What takes the library's place, where something does."""
        found = getattr(self.connection.data_received, "__self__", None)
        return found if isinstance(found, Inflow) else None

    def _count(self, what: str, owner: Any, name: str) -> None:
        of_library = getattr(owner, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            self.long[what] += 1
            return of_library(*arguments, **named)

        setattr(owner, name, counted)

    async def back(self, *parts: bytes) -> None:
        """Send parts, and see all of them come back."""
        expected = bytes(self.recorder.out) + b"".join(parts)
        for part in parts:
            self.channel.write(part)
            await asyncio.sleep(0)
        await self.recorder.until(lambda: len(self.recorder.out) >= len(expected))
        assert self.recorder.out == expected


@asynccontextmanager
async def echo(server: SshServer) -> AsyncIterator[Echo]:
    transports = Transports(ssh_config=str(server.ssh_config))
    try:
        recorder = Recorder()
        async with asyncio.timeout(DEADLINE_S):
            channel = await transports.transport_for(server.spec()).open(["cat"], recorder)
            found = Echo(channel, recorder)
            await found.back(b"begins")
            found.long.clear()
            yield found
    finally:
        await transports.close()


async def test_small_messages_never_go_the_long_way(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        await there.back(*(b"%d\n" % number for number in range(MANY)))
        assert not there.long, f"of {MANY} messages: {there.long}"


async def test_what_comes_in_any_pieces_is_put_together(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        receive = there.connection.data_received

        def in_pieces(data: bytes) -> None:
            for size, start in ((1, 0), (2, 1), (len(data), 3)):
                if data[start : start + size]:
                    receive(data[start : start + size])

        there.connection.data_received = in_pieces
        await there.back(*(bytes([number]) * number for number in range(1, MANY)))
        there.connection.data_received = lambda data: [receive(bytes([byte])) for byte in data]
        await there.back(b"byte by byte", b"x" * 500)
        there.connection.data_received = receive
        await there.back(b"and whole")
        assert not there.long


async def test_a_large_file_moves_windows_both_ways(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        whole = bytes(range(256)) * 4096 * 5  # more than either side's window
        await there.back(*(whole[start : start + PACKET_BYTES] for start in range(0, len(whole), PACKET_BYTES)))
        assert not there.long["received"]
        # All that it sends: how much more may come, each with the empty packet that is dropped later.
        assert there.long["sent"] <= 2 * (len(whole) // (there.channel._channel._init_recv_window // 2) + 1)


async def test_keys_are_exchanged_again_amid_data(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        cipher = there.connection._send_encryption
        there.connection._rekey_bytes = 3_000
        for number in range(20):
            await there.back(*(b"%d %d " % (number, part) * 20 for part in range(5)))
        assert there.connection._send_encryption is not cipher
        there.connection._rekey_bytes = 1 << 30
        await there.back(b"settled")
        there.long.clear()
        await there.back(b"short", b"again")
        assert not there.long


@pytest.mark.sshd
async def test_a_real_server_asks_for_new_keys_amid_data(openssh_servers: ServerFactory) -> None:
    async with echo(openssh_servers({"RekeyLimit": "64K"})) as there:
        cipher = there.connection._recv_encryption
        for number in range(30):
            await there.back(*(b"%d " % number * 400 for _ in range(10)))
        assert there.connection._recv_encryption is not cipher


async def test_no_two_packets_are_enciphered_alike(asyncssh_server: SshServer) -> None:
    used = []
    async with echo(asyncssh_server) as there:
        outflow = there.channel._outflow
        assert isinstance(outflow, Outflow)
        await there.back(b"first")
        cipher = outflow._cipher

        class Noting:
            def encrypt(self, iv: bytes, packet: bytes, length: bytes) -> bytes:
                used.append(iv)
                return cipher.encrypt(iv, packet, length)

        outflow._cipher = Noting()  # type: ignore[assignment]
        await there.back(*[b"same"] * MANY)
        await there.back(b"x" * PACKET_BYTES * 3)  # cut
        ahead = there.connection._send_encryption._cipher._iv
        assert len(used) >= MANY
        assert len({*used, ahead}) == len(used) + 1


@pytest.mark.parametrize("place", [0, 6, -1], ids=["its length", "its text", "its seal"])
async def test_a_packet_that_was_changed_ends_the_connection(asyncssh_server: SshServer, place: int) -> None:
    async with echo(asyncssh_server) as there:
        receive = there.connection.data_received

        def changed(data: bytes) -> None:
            there.connection.data_received = receive
            wrong = bytearray(data)
            wrong[place] ^= 0x55
            receive(bytes(wrong))

        there.connection.data_received = changed
        there.channel.write(b"x")
        await there.recorder.end()
        assert there.recorder.out == b"begins"
        assert there.recorder.error is not None


async def test_a_channel_that_is_dropped_amid_its_data_leaves_the_connection(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        there.recorder.data_received = lambda data: there.channel.abort()  # type: ignore[method-assign]
        there.channel.write(b"one")
        await asyncio.sleep(0)
        there.channel.write(b"two")
        await there.recorder.end()
        assert there.connection._transport is not None


@pytest.mark.parametrize("which", ["another version", "a log is read"])
async def test_where_the_way_is_not_known_all_goes_the_long_way(
    asyncssh_server: SshServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    if which == "another version":
        monkeypatch.setattr(asyncssh, "__version__", "2.99.0")
    else:
        caplog.set_level(logging.DEBUG, "asyncssh")
    async with echo(asyncssh_server) as there:
        assert there.inflow is None
        assert there.channel._outflow is None
        await there.back(b"all", b"the", b"same")
        assert there.long["sent"] >= 3


async def test_a_sign_of_life_is_asked_for_only_after_silence(asyncssh_server: SshServer) -> None:
    async with echo(asyncssh_server) as there:
        inflow = there.inflow
        assert inflow is not None
        asked = []
        inflow._look_for_life = lambda: asked.append(True)
        before = there.connection._keepalive_timer
        inflow._keep_alive()
        assert not asked, "something has just come"
        assert there.connection._keepalive_timer is not before
        assert (
            0 < there.connection._keepalive_timer.when() - inflow._loop.time() <= there.connection._keepalive_interval
        )
        inflow._heard_s -= there.connection._keepalive_interval + 1
        inflow._keep_alive()
        assert asked
