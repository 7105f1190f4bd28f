"""How many connections are made, when, and what the limits of real servers do to them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from random import Random

import pytest
from fixtures_ssh import DEADLINE_S, Recorder, ServerFactory, SshServer
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.base import Channel
from octogram_tui.transport.pool import Transports
from octogram_tui.transport.ssh.handshakes import PER_SERVER, HandshakeLimit, HandshakeLimits, pause_s


async def run_all(specs: Sequence[AgentSpec], server: SshServer) -> tuple[Transports, list[Channel]]:
    """Open `cat` for every agent at once, and talk to each."""
    transports = Transports(ssh_config=str(server.ssh_config))

    async def one(number: int, spec: AgentSpec) -> Channel:
        recorder = Recorder()
        channel = await transports.transport_for(spec).open(["cat"], recorder)
        channel.write(b"%d" % number)
        await recorder.until(lambda: recorder.out == b"%d" % number)
        return channel

    async with asyncio.timeout(DEADLINE_S * 2):
        channels = await asyncio.gather(*(one(number, spec) for number, spec in enumerate(specs)))
    return transports, channels


def agents(server: SshServer, count: int) -> list[AgentSpec]:
    return [server.spec(f"n{number}") for number in range(count)]


def spread(server: SshServer, count: int) -> list[AgentSpec]:
    return [server.spec(f"n{number}", f"127.0.{number // 200}.{number % 200 + 1}") for number in range(count)]


async def test_agents_of_one_machine_share_connections(asyncssh_server: SshServer) -> None:
    transports, _ = await run_all(agents(asyncssh_server, 40), asyncssh_server)
    assert len(asyncssh_server.logins) == 5
    async with asyncio.timeout(DEADLINE_S):
        await transports.close()


async def test_a_seat_is_used_again(asyncssh_server: SshServer) -> None:
    transports, channels = await run_all(agents(asyncssh_server, 8), asyncssh_server)
    for channel in channels:
        channel.write_eof()
        assert await channel.wait_closed() == 0
    recorder = Recorder()
    await transports.transport_for(asyncssh_server.spec("late")).open(["true"], recorder)
    await recorder.end()
    assert len(asyncssh_server.logins) == 1
    await transports.close()


async def test_other_users_and_identities_do_not_share(asyncssh_server: SshServer) -> None:
    one = asyncssh_server.spec("a")
    two = asyncssh_server.spec("b", user="someone")
    three = asyncssh_server.spec("c", identity=str(asyncssh_server.keys.user))
    transports, _ = await run_all([one, two, three], asyncssh_server)
    assert sorted(asyncssh_server.logins) == sorted([asyncssh_server.user, asyncssh_server.user, "someone"])
    await transports.close()


async def test_two_names_of_one_way_share(asyncssh_server: SshServer) -> None:
    asyncssh_server.write_client("Host red blue\n  HostName 127.0.0.1\n")
    transports, _ = await run_all(
        [asyncssh_server.spec("a", "red"), asyncssh_server.spec("b", "blue")], asyncssh_server
    )
    assert len(asyncssh_server.logins) == 1
    await transports.close()


async def test_the_last_agent_closes_the_connection(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    first, second = (transports.transport_for(asyncssh_server.spec(name)) for name in "ab")
    recorders = Recorder(), Recorder()
    await first.open(["cat"], recorders[0])
    channel = await second.open(["cat"], recorders[1])
    await first.close()
    await recorders[0].end()
    assert recorders[0].error is None
    channel.write(b"still here")
    await recorders[1].until(lambda: recorders[1].out == b"still here")
    await second.close()
    await recorders[1].end()
    # And a transport that was closed can be used again.
    again = Recorder()
    await first.open(["echo", "again"], again)
    await again.end()
    assert again.out == b"again\n"
    assert len(asyncssh_server.logins) == 2
    await transports.close()


def test_agents_of_a_machine_and_user_share_its_files() -> None:
    transports = Transports()
    one, same = (AgentSpec(AgentName(name), "m", user="u") for name in "ab")
    other = AgentSpec(AgentName("c"), "m", user="v")
    assert transports.machine_of(one) == transports.machine_of(same) != transports.machine_of(other)
    assert Transports(force_local=True).machine_of(one) == "local"


@pytest.mark.sshd
async def test_forty_channels_with_the_usual_ten_sessions(openssh_server: SshServer) -> None:
    transports, _ = await run_all(agents(openssh_server, 40), openssh_server)
    assert len(openssh_server.sessions()) == 5
    await transports.close()


@pytest.mark.sshd
@pytest.mark.parametrize("sessions", [1, 3])
@pytest.mark.fault(14)
async def test_a_server_that_allows_fewer_sessions(openssh_servers: ServerFactory, sessions: int) -> None:
    server = openssh_servers({"MaxSessions": str(sessions)})
    transports, _ = await run_all(agents(server, 12), server)
    assert len(server.sessions()) >= 12 // sessions
    assert len(transports.notes) == 1
    assert "MaxSessions" in transports.notes[0]
    await transports.close()


@pytest.mark.sshd
@pytest.mark.fault(14)
async def test_a_place_that_the_server_has_not_seen_to_be_free_yet_is_asked_for_again(
    openssh_servers: ServerFactory,
) -> None:
    server = openssh_servers({"MaxSessions": "1", "MaxStartups": "1:100:1"})
    transports = Transports(ssh_config=str(server.ssh_config))
    way = transports.transport_for(server.spec())
    for _ in range(40):
        recorder = Recorder()
        await way.open(["true"], recorder)
        await recorder.end()
    assert len(server.sessions()) == 1
    await transports.close()


@pytest.mark.sshd
async def test_a_hundred_connections_to_the_usual_server(openssh_server: SshServer) -> None:
    transports, channels = await run_all(spread(openssh_server, 100), openssh_server)
    assert len(channels) == len(openssh_server.sessions()) == 100
    await transports.close()


@pytest.mark.sshd
@pytest.mark.fault(15)
async def test_fifty_agents_on_a_server_that_drops_above_two(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"MaxStartups": "2:100:2"})
    transports, channels = await run_all(spread(server, 50), server)
    assert len(channels) == 50
    await transports.close()


@pytest.mark.sshd
@pytest.mark.fault(17)
async def test_rekeying_under_a_flood_loses_nothing(openssh_servers: ServerFactory) -> None:
    server = openssh_servers({"RekeyLimit": "1M"})
    transports = Transports(ssh_config=str(server.ssh_config))
    recorder = Recorder()
    await transports.transport_for(server.spec()).open(["head", "-c", str(16 * 1024 * 1024), "/dev/zero"], recorder)
    await recorder.end()
    assert len(recorder.out) == 16 * 1024 * 1024
    await transports.close()


@pytest.mark.sshd
async def test_a_machine_is_the_same_by_whatever_name(openssh_server: SshServer) -> None:
    openssh_server.write_client(
        "Host alias\n  HostName 127.0.0.9\nHost behind\n  HostName 127.0.0.1\n  ProxyJump 127.0.0.1"
    )
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    ways = [transports.transport_for(openssh_server.spec("n", name)) for name in ("127.0.0.1", "alias", "behind")]
    one, alias, behind = [await way.reach() for way in ways]
    assert one == alias != behind
    await transports.close()


async def test_a_seat_that_was_kept_is_used_or_given_back(asyncssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(asyncssh_server.ssh_config))
    ways = [transports.transport_for(spec) for spec in agents(asyncssh_server, 8)]
    for way in ways:
        await way.reach()
        await way.reach()  # and the one from before is not lost
    recorder = Recorder()
    await ways[0].open(["true"], recorder)
    await recorder.end()
    await ways[0].reach()
    assert len(asyncssh_server.logins) == 1
    last = transports.transport_for(asyncssh_server.spec("last"))
    await ways[1].close()
    await last.reach()
    assert len(asyncssh_server.logins) == 1
    await transports.close()


@pytest.mark.sshd
async def test_a_seat_on_a_connection_that_is_lost_meanwhile_is_one_on_another(openssh_server: SshServer) -> None:
    transports = Transports(ssh_config=str(openssh_server.ssh_config))
    way = transports.transport_for(openssh_server.spec())
    await way.reach()
    for pid in openssh_server.sessions():
        os.kill(pid, signal.SIGKILL)
    recorder = Recorder()
    await way.open(["echo", "there"], recorder)
    await recorder.end()
    assert recorder.out == b"there\n"
    await transports.close()


async def test_the_gate_lets_in_so_many_in_order_and_fewer_after_drops() -> None:
    limit = HandshakeLimit()
    for _ in range(PER_SERVER):
        await limit.enter()
    order: list[int] = []

    async def visit(number: int) -> None:
        await limit.enter()
        order.append(number)

    visitors = [asyncio.ensure_future(visit(number)) for number in range(4)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert order == []
    limit.dropped()
    limit.dropped()
    for _ in range(7):
        limit.leave()
    for _ in range(3):
        await asyncio.sleep(0)
    assert order == [0]
    visitors[1].cancel()
    limit.passed()
    limit.leave()
    for _ in range(3):
        await asyncio.sleep(0)
    assert order == [0, 2, 3]


async def test_a_cancelled_visitor_does_not_take_a_turn_with_it() -> None:
    limit = HandshakeLimit()
    for _ in range(PER_SERVER):
        await limit.enter()
    first, second = asyncio.ensure_future(limit.enter()), asyncio.ensure_future(limit.enter())
    await asyncio.sleep(0)
    limit.leave()
    first.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await second


async def test_loopback_is_one_server() -> None:
    handshakes = HandshakeLimits()
    assert (
        handshakes.of("127.0.0.1", 22)
        is handshakes.of("127.3.2.1", 22)
        is handshakes.of("::1", 22)
        is handshakes.of("localhost", 22)
    )
    assert handshakes.of("127.0.0.1", 23) is not handshakes.of("127.0.0.1", 22)
    assert handshakes.of("Web", 22) is handshakes.of("web", 22) is not handshakes.of("10.0.0.1", 22)


@given(st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_pauses_are_bounded(attempt: int, random: Random) -> None:
    assert 0.0 <= pause_s(attempt, random) <= 1.5
