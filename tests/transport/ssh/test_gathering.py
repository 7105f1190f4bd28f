"""What one turn or one piece of work writes goes out in one piece."""

from __future__ import annotations

import asyncio
from typing import Any

from octogram_tui.transport.base import TOGETHER
from octogram_tui.transport.ssh.gathering import GatheringTransport


class Socket:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)


async def test_packets_of_one_turn_are_one_write() -> None:
    socket: Any = Socket()
    transport = GatheringTransport(socket)
    transport.write(b"one ")
    transport.write(b"two")
    assert not socket.sent
    await asyncio.sleep(0)
    assert socket.sent == [b"one two"]


async def test_a_piece_of_work_sends_to_each_at_its_end_and_needs_no_turn_of_the_loop() -> None:
    sockets: list[Any] = [Socket() for _ in range(3)]
    with TOGETHER:
        for transport in map(GatheringTransport, sockets):
            transport.write(b"one ")
            transport.write(b"two")
        assert not any(socket.sent for socket in sockets)
    assert [socket.sent for socket in sockets] == [[b"one two"]] * 3
    await asyncio.sleep(0)
    assert [len(socket.sent) for socket in sockets] == [1] * 3


async def test_after_work_that_failed_the_next_turn_sends_as_ever() -> None:
    socket: Any = Socket()
    transport = GatheringTransport(socket)
    try:
        with TOGETHER:
            transport.write(b"one")
            raise ValueError
    except ValueError:
        pass
    assert socket.sent == [b"one"]
    transport.write(b"two")
    await asyncio.sleep(0)
    assert socket.sent == [b"one", b"two"]
