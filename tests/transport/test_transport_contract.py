"""One contract, four ways: a process here, a wrapper command, an asyncssh server, and a real OpenSSH server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from fixtures_ssh import DEADLINE_S, Recorder, SshServer

from octogram_tui.errors import LinkLost
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.base import Channel, Transport
from octogram_tui.transport.pool import Transports

WAYS = ["local", "command", "asyncssh", pytest.param("openssh", marks=pytest.mark.sshd)]
NASTY = [
    "",
    "a b",
    "it's",
    'say "x"',
    "$HOME",
    "`id`",
    "!!",
    "back\\slash",
    "\\'",
    "*",
    "~",
    "#",
    "a\nb",
    "é",
    "{a,b}",
    "-n",
    "&&",
    "%d",
    "trailing\\",
]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[AgentSpec, str | None]:
    """Give an agent and the ssh configuration that leads to it."""
    if request.param == "local":
        return AgentSpec(AgentName("one"), transport="local"), None
    if request.param == "command":
        return AgentSpec(AgentName("one"), transport="command", command=("env", "WRAPPED=1")), None
    server: SshServer = request.getfixturevalue(f"{request.param}_server")
    return server.spec(), str(server.ssh_config)


@pytest.fixture
async def transport(way: tuple[AgentSpec, str | None]) -> AsyncIterator[Transport]:
    """Give the way to one agent, by each of the ways."""
    spec, ssh_config = way
    transports = Transports(ssh_config=ssh_config)
    yield transports.transport_for(spec)
    await transports.close()


async def start(transport: Transport, argv: Sequence[str]) -> tuple[Channel, Recorder]:
    recorder = Recorder()
    async with asyncio.timeout(DEADLINE_S):
        return await transport.open(argv, recorder), recorder


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_echo_status_and_order(transport: Transport) -> None:
    channel, recorder = await start(transport, ["cat"])
    channel.write(b"one ")
    channel.write(b"two")
    await channel.drain()
    await recorder.until(lambda: recorder.out == b"one two")
    channel.write_eof()
    channel.write(b"an acknowledgement that was due when the end was said")
    async with asyncio.timeout(DEADLINE_S):
        assert await channel.wait_closed() == 0
    await recorder.end()
    assert recorder.error is None
    assert recorder.calls_after_close == 0


async def test_exit_status_and_stderr(transport: Transport) -> None:
    channel, recorder = await start(transport, ["sh", "-c", "echo out; echo err >&2; exit 7"])
    await recorder.end()
    assert (bytes(recorder.out), bytes(recorder.err)) == (b"out\n", b"err\n")
    assert await channel.wait_closed() == 7
    assert recorder.error is None


async def test_death_by_signal_has_no_status(transport: Transport) -> None:
    channel, recorder = await start(transport, python("import os; os.kill(os.getpid(), 9)"))
    await recorder.end()
    # A shell between may turn the signal into a status of its own.
    assert await channel.wait_closed() in (None, 137)
    assert recorder.error is None


async def test_words_arrive_as_they_are(transport: Transport) -> None:
    _, recorder = await start(transport, [*python("import sys; print(ascii(sys.argv[1:]))"), *NASTY])
    await recorder.end()
    assert recorder.out.decode() == ascii(NASTY) + "\n"


async def test_eof_reaches_the_command_after_all_data(transport: Transport) -> None:
    channel, recorder = await start(transport, python("import sys; print(len(sys.stdin.buffer.read()))"))
    for _ in range(64):
        channel.write(b"x" * 65536)
        await channel.drain()
    channel.write_eof()
    await recorder.end()
    assert recorder.out == b"4194304\n"


async def test_large_output_with_a_slow_reader_is_held_back_and_complete(transport: Transport) -> None:
    size = 12 * 1024 * 1024
    progress = (
        f"import os, sys\nfor i in range({size // 65536}): os.write(1, bytes([i % 251]) * 65536)\nos.write(2, b'done')"
    )
    channel, recorder = await start(transport, python(progress))
    await recorder.until(lambda: len(recorder.out) > 0)
    channel.pause_reading()
    held = len(recorder.out)
    # Nothing may come while we do something else for some turns of the loop, nor may the command finish.
    probe, probed = await start(transport, ["echo", "probe"])
    await probed.end()
    assert len(recorder.out) == held
    assert not recorder.err
    assert await probe.wait_closed() == 0
    while not recorder.closed:
        before = len(recorder.out)
        channel.resume_reading()
        await recorder.until(lambda before=before: len(recorder.out) > before or recorder.closed)  # type: ignore[misc]
        channel.pause_reading()
        channel.resume_reading()
    assert len(recorder.out) == size
    assert recorder.out[-65536:] == bytes([(size // 65536 - 1) % 251]) * 65536


async def test_writer_is_held_back_by_a_command_that_does_not_read(transport: Transport) -> None:
    channel, recorder = await start(transport, ["sleep", "60"])
    sent = 0
    draining = asyncio.ensure_future(channel.drain())
    while sent < 32 * 1024 * 1024:
        channel.write(b"y" * 1024 * 1024)
        sent += 1024 * 1024
        draining = asyncio.ensure_future(channel.drain())
        probe, probed = await start(transport, ["echo", "probe"])  # time enough for whatever can still go out
        await probed.end()
        assert await probe.wait_closed() == 0
        if not draining.done():
            break
    assert not draining.done()
    channel.abort()
    with pytest.raises(LinkLost):
        await draining
    await recorder.end()


async def test_noise_is_passed_on_as_data(transport: Transport) -> None:
    _, recorder = await start(transport, python("import sys; sys.stdout.write('*' * 1048576); print('NONCE')"))
    await recorder.end()
    assert len(recorder.out) == 1048576 + 6
    assert recorder.out.endswith(b"NONCE\n")


async def test_abort_is_immediate_and_last(transport: Transport) -> None:
    channel, recorder = await start(transport, python("print('up', flush=True); import time; time.sleep(60)"))
    await recorder.until(lambda: recorder.out == b"up\n")
    channel.abort()
    async with asyncio.timeout(DEADLINE_S):
        assert await channel.wait_closed() is None
    await recorder.end()
    assert recorder.error is None
    channel.abort()
    channel.write(b"late")
    channel.write_eof()
    channel.pause_reading()
    channel.resume_reading()
    with pytest.raises(LinkLost):
        await channel.drain()
    assert recorder.calls_after_close == 0


async def test_writing_to_a_command_that_has_ended(transport: Transport) -> None:
    channel, recorder = await start(transport, ["true"])
    channel.write(b"z" * 1024 * 1024)
    await recorder.end()
    channel.write(b"more")
    with pytest.raises(LinkLost):
        await channel.drain()


async def test_many_at_once(transport: Transport) -> None:
    async def one(number: int) -> int:
        channel, recorder = await start(transport, ["cat"])
        channel.write(b"%d" % number)
        channel.write_eof()
        await recorder.end()
        return int(recorder.out)

    assert await asyncio.gather(*(one(number) for number in range(20))) == list(range(20))


async def test_close_ends_every_channel(transport: Transport) -> None:
    opened: list[Any] = [await start(transport, ["sleep", "60"]) for _ in range(3)]
    async with asyncio.timeout(DEADLINE_S):
        await transport.close()
    for _, recorder in opened:
        await recorder.end()
