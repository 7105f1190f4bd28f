"""One connection made: within the limits, tried again when the server is busy, every failure put in words."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import asyncssh

from octogram_tui.errors import TransportError
from octogram_tui.transport.ssh.doors import ProxyDoor, TcpDoor, Tunnel
from octogram_tui.transport.ssh.faults import Sight, classify, is_drop, printable
from octogram_tui.transport.ssh.handshakes import HandshakeLimit, HandshakeLimits, pause_s
from octogram_tui.transport.ssh.inflow import Inflow
from octogram_tui.transport.ssh.packets import leave_out_ignored
from octogram_tui.transport.ssh.profile import Profile
from octogram_tui.transport.ssh.trust import Guard

RETRY_FOR_S = 12.0  # how long a server that closes connections at once is tried again
CLOSE_S = 2.0
PARTS = 8  # of the time that a login may take, each waited for alone

# Whoever wants the library's own log adds a handler; by default nothing may reach the terminal past the console.
logging.getLogger("asyncssh").addHandler(logging.NullHandler())


class Dialler:
    """Makes connections for all machines of a run."""

    def __init__(self, *, accept_new: bool, random: Random | None = None) -> None:
        self.handshakes = HandshakeLimits()
        self.notes: list[str] = []  # what went on all the same, and somebody should know
        self.on_note: Callable[[str], None] = lambda _: None
        self._accept_new = accept_new
        self._random = random or Random()

    async def dial(
        self,
        profile: Profile,
        handshake_limit: HandshakeLimit,
        tunnel: Tunnel | None,
        on_lost: Callable[[Exception | None], None],
    ) -> asyncssh.SSHClientConnection:
        """Connect and log in. `tunnel` is a jump host's connection; None: by TCP or the proxy command.

        Tries again, with jitter and for a bounded time, only when the server closed the connection before it had
        decided anything. Raises TransportError.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + RETRY_FOR_S
        attempt = 0
        while True:
            attempt += 1
            async with self.handshakes.turn(handshake_limit):
                try:
                    connection = await self._attempt(profile, tunnel, on_lost)
                except _Dropped as drop:
                    handshake_limit.dropped()
                    failure = drop.failure
                except TransportError:
                    handshake_limit.passed()
                    raise
                else:
                    handshake_limit.passed()
                    return connection
            wait_s = pause_s(attempt, self._random)
            if attempt > 1 and loop.time() + wait_s > give_up_at:  # the first may have met a loop that stood still
                raise failure
            await asyncio.sleep(wait_s)

    async def _attempt(
        self, profile: Profile, tunnel: Tunnel | None, on_lost: Callable[[Exception | None], None], refused: str = ""
    ) -> asyncssh.SSHClientConnection:
        """Connect once. `refused`: what was wrong with a certificate; the plain key is then asked for, as by ssh."""
        guard = _Client(profile, on_lost, accept_new=self._accept_new, certificate=refused)
        door = ProxyDoor(profile.proxy_command) if profile.proxy_command else TcpDoor(profile)
        algorithms: Any = ()
        if not profile.chooses_algorithms:
            algorithms = profile.known_hosts.algorithms(
                profile.trust_name, profile.trust_port, certificates=not refused
            )
        connecting = asyncio.ensure_future(_connect(profile, guard, tunnel or door, algorithms))
        try:
            connection = await _bounded(connecting, profile.connect_timeout_s)
        except asyncssh.HostKeyNotVerifiable as error:
            if guard.is_certificate(error) and not refused and algorithms:
                return await self._attempt(profile, tunnel, on_lost, printable(error.reason))
            raise guard.refused(error) from error
        except Exception as error:
            failure = classify(error, profile.place, Sight(_phase(guard), door.greeting, profile.connect_timeout_s))
            if door.complaint:
                failure.hint = f"the proxy command says: {printable(door.complaint.decode('utf-8', 'replace'))}"
            if profile.locked_key and failure.code == "auth.refused":
                failure.hint = f"{profile.locked_key} has a passphrase: run `ssh-add {profile.locked_key}` first"
            elif profile.missing_keys and failure.code == "auth.refused":
                failure.hint = (
                    f"there is no {' nor '.join(profile.missing_keys)}: correct `IdentityFile` in the ssh configuration"
                )
            if is_drop(error) and failure.code == "net.reset":
                raise _Dropped(failure) from error
            raise failure from error
        if guard.note:
            self.note(guard.note)
        return connection

    def note(self, text: str) -> None:
        """Tell what goes on all the same, once."""
        if text not in self.notes:
            self.notes.append(text)
            self.on_note(text)


class _Dropped(Exception):
    """The server closed the connection before the login was decided; `failure` is what to say in the end."""

    def __init__(self, failure: TransportError) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Client(Guard):
    """The library's view of one connection: tells when it is lost after it was up."""

    def __init__(
        self, profile: Profile, on_lost: Callable[[Exception | None], None], *, accept_new: bool, certificate: str
    ) -> None:
        super().__init__(profile, accept_new=accept_new, certificate=certificate)
        self._is_up = False
        self.connection: asyncssh.SSHClientConnection | None = None
        self._on_lost = on_lost

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.connection = conn
        leave_out_ignored(conn)
        Inflow.where_known(conn)

    def auth_completed(self) -> None:
        self._is_up = True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_up:
            self._on_lost(exc)


async def _connect(
    profile: Profile, guard: _Client, way: Tunnel, algorithms: Sequence[str]
) -> asyncssh.SSHClientConnection:
    """Connect as `asyncssh.connect` does, which makes all options anew for each connection, in a thread."""
    loop = asyncio.get_running_loop()
    options = copy.copy(profile.options)
    options.host = options.orig_host = profile.host
    options.port = profile.port
    options.known_hosts = profile.trusted_keys
    options.server_host_key_algs = algorithms
    options.protocol_factory = lambda: guard
    options.client_keys = [copy.copy(key) for key in options.client_keys or ()]  # with what this server takes of each
    waiter = options.waiter = loop.create_future()
    try:
        connection: asyncssh.SSHClientConnection
        _, connection = await way.create_connection(
            lambda: asyncssh.SSHClientConnection(loop, options, wait="auth"), profile.host, profile.port
        )
    except BaseException:
        waiter.cancel()
        raise
    connection.set_extra_info(host=profile.host, port=profile.port)
    try:
        await waiter
    except BaseException:
        connection.abort()
        await connection.wait_closed()
        raise
    return connection


async def _bounded(
    connecting: asyncio.Future[asyncssh.SSHClientConnection], timeout_s: float
) -> asyncssh.SSHClientConnection:
    """Wait for a connection, and never for one that does not come down when it is cancelled.

    While our loop stands still, as when a run removes old ones or opens a pipe after it has begun to log in, the server
    may have answered all along: that counts as one part of the time at most.
    """
    try:
        for _part in range(PARTS):
            done, _ = await asyncio.wait({connecting}, timeout=timeout_s / PARTS)
            if done:
                break
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


def _phase(guard: _Client) -> str:
    """Say what was being waited for."""
    if guard.connection is None:
        return "resolve"
    if guard.connection.get_extra_info("server_version") is None:
        return "greeting"
    return "keys" if guard.connection.get_server_host_key() is None else "auth"
