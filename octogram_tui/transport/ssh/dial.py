"""One connection made: within the limits, tried again when the server is busy, every failure put in words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Protocol

import asyncssh

from octogram_tui.errors import TransportError
from octogram_tui.transport.ssh.faults import Sight, classify, is_drop
from octogram_tui.transport.ssh.gate import Gate, Gates, pause_s
from octogram_tui.transport.ssh.profile import Profile
from octogram_tui.transport.ssh.trust import Guard

RETRY_FOR_S = 12.0  # how long a server that closes connections at once is tried again
CLOSE_S = 2.0
HAPPY_EYEBALLS_S = 0.25  # so that a dead IPv6 address does not hold up a live IPv4 one
GREETING_BYTES = 256

# Whoever wants the library's own log adds a handler; by default nothing may reach the terminal past the console.
logging.getLogger("asyncssh").addHandler(logging.NullHandler())


class Tunnel(Protocol):
    """What can open a byte stream to a host and port: an SSH connection, or our own door to TCP."""

    def create_connection(self, session_factory: Callable[[], Any], remote_host: str,
                          remote_port: int) -> Awaitable[tuple[Any, Any]]:
        """Connect, and give the transport and the protocol."""
        ...


class TcpDoor:
    """Opens a TCP connection for the library, and looks at the first bytes that arrive."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.is_open = False
        self.greeting = b""

    async def create_connection(self, session_factory: Callable[[], Any], remote_host: str,
                                remote_port: int) -> tuple[Any, Any]:
        """Connect, trying the addresses of the name side by side."""
        options = self._profile.options
        transport, first = await asyncio.get_running_loop().create_connection(
            lambda: _Greeting(session_factory(), self), remote_host, remote_port, family=options.family,
            local_addr=options.local_addr, happy_eyeballs_delay=HAPPY_EYEBALLS_S)
        self.is_open = True
        return transport, first.connection


class _Greeting(asyncio.Protocol):
    """Stands in for the connection until the first bytes, notes them, and steps aside."""

    def __init__(self, connection: Any, door: TcpDoor) -> None:
        self.connection = connection
        self._door = door
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.connection.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._door.greeting = data[:GREETING_BYTES]
        if self._transport is not None and not self._transport.is_closing():
            self._transport.set_protocol(self.connection)
        self.connection.data_received(data)

    def eof_received(self) -> None:
        self.connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.connection_lost(exc)


class Dialler:
    """Makes connections for all machines of a run."""

    def __init__(self, *, accept_new: bool, random: Random | None = None) -> None:
        self.gates = Gates()
        self.notes: list[str] = []  # what went on all the same, and somebody should know
        self._accept_new = accept_new
        self._random = random or Random()

    async def dial(self, profile: Profile, gate: Gate, tunnel: Tunnel | None,
                   on_lost: Callable[[Exception | None], None]) -> asyncssh.SSHClientConnection:
        """Connect and log in. `tunnel` leads through a jump host; None: directly, or by the proxy command.

        Tries again, with jitter and for a bounded time, only when the server closed the connection before it had
        decided anything. Raises TransportError.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + RETRY_FOR_S
        attempt = 0
        while True:
            attempt += 1
            async with self.gates.turn(gate):
                try:
                    connection = await self._attempt(profile, tunnel, on_lost)
                except _Dropped as drop:
                    gate.dropped()
                    failure = drop.failure
                except TransportError:
                    gate.passed()
                    raise
                else:
                    gate.passed()
                    return connection
            wait_s = pause_s(attempt, self._random)
            if loop.time() + wait_s > give_up_at:
                raise failure
            await asyncio.sleep(wait_s)

    async def _attempt(self, profile: Profile, tunnel: Tunnel | None,
                       on_lost: Callable[[Exception | None], None]) -> asyncssh.SSHClientConnection:
        guard = _Client(profile, on_lost, accept_new=self._accept_new)
        door = TcpDoor(profile) if tunnel is None and profile.proxy_command is None else None
        algorithms: Any = () if profile.chooses_algorithms else profile.known_hosts.algorithms(
            profile.trust_name, profile.port)
        connecting = asyncio.ensure_future(_connect(
            host=profile.host, port=profile.port, options=profile.options, config=None, tunnel=tunnel or door,
            proxy_command=profile.proxy_command, client_factory=lambda: guard, server_host_key_algs=algorithms))
        try:
            connection = await _bounded(connecting, profile.connect_timeout_s)
        except asyncssh.HostKeyNotVerifiable as error:
            raise guard.refused(error) from error
        except Exception as error:
            sight = Sight(_phase(door, guard), door.greeting if door else b"", profile.connect_timeout_s)
            failure = classify(error, profile.place, sight)
            if profile.locked_key and failure.code == "auth.refused":
                failure.hint = f"{profile.locked_key} has a passphrase: run `ssh-add {profile.locked_key}` first"
            if is_drop(error) and failure.code == "net.reset":
                raise _Dropped(failure) from error
            raise failure from error
        guard.is_up = True
        if guard.note:
            self.notes.append(guard.note)
        return connection


class _Dropped(Exception):
    """The server closed the connection before the login was decided; `failure` is what to say in the end."""

    def __init__(self, failure: TransportError) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Client(Guard):
    """The library's view of one connection: tells when it is lost after it was up."""

    def __init__(self, profile: Profile, on_lost: Callable[[Exception | None], None], *, accept_new: bool) -> None:
        super().__init__(profile, accept_new=accept_new)
        self.is_up = False
        self.connection: asyncssh.SSHClientConnection | None = None
        self._on_lost = on_lost

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_up:
            self._on_lost(exc)


async def _connect(**arguments: Any) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(**arguments)


async def _bounded(connecting: asyncio.Future[asyncssh.SSHClientConnection],
                   timeout_s: float) -> asyncssh.SSHClientConnection:
    """Wait for a connection, and never for one that does not come down when it is cancelled."""
    try:
        done, _ = await asyncio.wait({connecting}, timeout=timeout_s)
    except asyncio.CancelledError:
        _abandon(connecting)
        raise
    if not done:
        connecting.cancel()
        await asyncio.wait({connecting}, timeout=CLOSE_S)
        _abandon(connecting)
        raise TimeoutError
    return connecting.result()


def _abandon(connecting: asyncio.Future[asyncssh.SSHClientConnection]) -> None:
    """Drop what still comes of an attempt that nobody waits for."""
    def drop(finished: asyncio.Future[asyncssh.SSHClientConnection]) -> None:
        if not finished.cancelled() and finished.exception() is None:
            finished.result().abort()

    connecting.cancel()
    connecting.add_done_callback(drop)


def _phase(door: TcpDoor | None, guard: _Client) -> str:
    """Say what was being waited for."""
    if guard.connection is None:
        return "resolve"
    if guard.connection.get_extra_info("server_version") is None:
        return "greeting"
    return "keys" if guard.connection.get_server_host_key() is None else "auth"
